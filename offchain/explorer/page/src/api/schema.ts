// Made by scripts/build_page_types.py from offchain/explorer/api/schema*.py: not to be edited.
//
// Wei and other large integers are decimal strings, times integer seconds of the chain's clock, addresses checksummed,
// hashes 0x…, CIDs text.

export interface About {
  chain_id: number;
  network: string;
  genesis: string;
  version: string;
  desk: boolean;
  development: boolean;
  endpoint: string;
  contracts: Record<string, string>;
  faucet: string | null;
  token: TokenOut;
  head: HeadOut | null;
  indexed: Indexed;
  final_block: number;
  node: NodeOut;
  now: number;
}

export interface AccountPage {
  address: string;
  events: number;
  balance: string;
  bonds: BondOut[];
  earned: EarnedOut;
  slashes: SlashOut[];
  orders: Part[];
  disputes: number[];
  requests: number[];
  tasks: number[];
  candidate_stake: string;
  is_member: boolean;
  endpoint: string | null;
  gas: string;
  fee: string;
  now: number;
}

export interface BondOut {
  role: "none" | "provider" | "validator" | "verifier" | "aggregator" | "participant";
  bonded: string;
  locked: string;
  exiting: string;
  exit_at: number;
  slashed: string;
}

export interface CandidateOut {
  account: string;
  stake: string;
  endpoint: string | null;
}

export interface ClaimOut {
  provider: string;
  at: number;
  sequence: number;
  commitment: string;
  locked: string;
  slashed: boolean;
  revealed: boolean;
}

export interface ClaimedOut {
  seq: number;
  at: number;
  account: string;
  cycle: number | null;
  amount: string;
  tx: string;
}

export interface Curve {
  model: number;
  provider: string;
  cid: string | null;
  state: "here" | "none" | "pending" | "unusable";
  problem: string | null;
  holdout_samples: number | null;
  chosen: number | null;
  runs: RunOut[];
}

export interface Curves {
  oid: number;
  score_function: string;
  curves: Curve[];
}

export interface DisputePage {
  id: number;
  oid: number;
  model: number;
  defendant: string;
  challenger: string;
  score: string | null;
  counter: string | null;
  seat: string | null;
  stake: string;
  stage: "none" | "sums" | "pick_sum" | "trace" | "pick_tensor" | "hashes" | "pick_hash" | "chunk" | "pick_element" | "parts" | "pick_part" | "closed";
  on_turn: "defendant" | "challenger" | null;
  deadline: number | null;
  verdict: "none" | "false" | "stands" | "moot";
  timed_out: boolean;
  winner: string | null;
  paid: string;
  burned: string;
  opened_at: number;
  closed_at: number | null;
  now: number;
  moves: Move[];
}

export interface DisputeRow {
  id: number;
  oid: number;
  model: number;
  defendant: string;
  challenger: string;
  score: string | null;
  counter: string | null;
  seat: string | null;
  stake: string;
  stage: "none" | "sums" | "pick_sum" | "trace" | "pick_tensor" | "hashes" | "pick_hash" | "chunk" | "pick_element" | "parts" | "pick_part" | "closed";
  on_turn: "defendant" | "challenger" | null;
  deadline: number | null;
  verdict: "none" | "false" | "stands" | "moot";
  timed_out: boolean;
  winner: string | null;
  paid: string;
  burned: string;
  opened_at: number;
  closed_at: number | null;
}

export interface DisputeTotals {
  total: number;
  open: number;
  by_verdict: Record<string, number>;
}

export interface Disputes {
  disputes: DisputeRow[];
  next: number | null;
  now: number;
}

export interface EarnedOut {
  settled: string;
  claimed: string;
  credited: string;
  withdrawn: string;
  federated: string;
}

export interface EpochOut {
  number: number;
  members: string[];
  threshold: number;
  started_at: number;
  ends_at: number;
  suspended: boolean;
  slashed: string[];
}

export interface EventOut {
  seq: number;
  contract: string;
  name: string;
  block: number;
  log_index: number;
  at: number;
  tx: string;
  oid: number | null;
  dispute: number | null;
  task: number | null;
  accounts: string[];
  args: Record<string, unknown>;
  actor: string | null;
  text: string;
}

export interface Events {
  events: EventOut[];
  next: number | null;
}

export interface FileLink {
  name: string;
  cid: string;
  size: number | null;
}

export interface GameOut {
  id: number;
  task: number;
  posting: number;
  subject: string;
  challenger: string;
  leader: string;
  stake: string;
  stage: string;
  deadline: number;
  verdict: string;
  timed_out: boolean;
  winner: string | null;
  paid: string;
  burned: string;
  opened_at: number;
  closed_at: number | null;
  moves: string[];
}

export interface GasLine {
  action: string;
  count: number;
  gas: string;
  fee: string;
}

export interface GasOut {
  total: string;
  fee: string;
  missing: number;
  by_action: GasLine[];
}

export interface HeadOut {
  number: number;
  hash: string;
  timestamp: number;
}

export interface Indexed {
  block: number;
  events: number;
  seq: number;
  caught_up: boolean;
}

export interface ModelOut {
  index: number;
  provider: string;
  root: string;
  cid: string;
  revealed_at: number;
  eligible: boolean;
  voided: boolean;
  score: Score | null;
  files: FileLink[];
  problem: string | null;
}

export interface MoneyOut {
  what: string;
  from: string;
  to: string;
  amount: string;
}

export interface Move {
  seq: number;
  at: number;
  tx: string;
  by: string | null;
  side: "defendant" | "challenger" | null;
  kind: string;
  text: string;
  gas: number | null;
  detail: Record<string, unknown>;
}

export interface Network {
  orders: OrderTotals;
  escrow: string;
  rewards_put: string;
  stakes: Record<string, RoleStakes>;
  slashed: string;
  slashed_paid: string;
  burned: string;
  held: string;
  paid: string;
  tax: string;
  supply: string;
  disputes: DisputeTotals;
  requests: OpenTotals;
  tasks: OpenTotals;
  games: number;
  events: number;
  transactions: number;
  gas: GasOut;
  accounts: Record<string, number>;
  now: number;
}

export interface NodeOut {
  answers: boolean;
  silent_seconds: number;
  problem: string | null;
}

export interface OpenTotals {
  total: number;
  open: number;
}

export interface OrderManifestOut {
  cid: string;
  verified: boolean;
  problem: string | null;
  task: "classification" | "regression" | null;
  classes: string[] | null;
  spec: Record<string, unknown> | null;
  train: FileLink | null;
}

export interface OrderPage {
  oid: number;
  title: string | null;
  client: string;
  reward: string;
  score_function: "none" | "accuracy" | "mean_absolute_error" | "top3_accuracy" | "top5_accuracy" | "mean_squared_error" | "cross_entropy";
  phase: "none" | "training" | "reveal" | "score_commit" | "score_reveal" | "challenge" | "sealable" | "sealed" | "cancelled";
  phase_ends_at: number | null;
  put_at: number;
  claims: ClaimOut[];
  models: ModelOut[];
  validations: number;
  open_disputes: number;
  outcome: "none" | "won" | "shared" | "refunded";
  winner: string | null;
  winning_score: Score | null;
  now: number;
  terms: Terms;
  windows: OrderWindows;
  cancelled: boolean;
  manifest: OrderManifestOut;
  test: TestSetOut;
  sheets: SheetOut[];
  displaced: string[];
  disputes: DisputeRow[];
  requests: RequestOut[];
  settlement: SettlementOut | null;
  money: MoneyOut[];
  timeline: TimelineEntry[];
  gas: GasOut;
}

export interface OrderRow {
  oid: number;
  title: string | null;
  client: string;
  reward: string;
  score_function: "none" | "accuracy" | "mean_absolute_error" | "top3_accuracy" | "top5_accuracy" | "mean_squared_error" | "cross_entropy";
  phase: "none" | "training" | "reveal" | "score_commit" | "score_reveal" | "challenge" | "sealable" | "sealed" | "cancelled";
  phase_ends_at: number | null;
  put_at: number;
  claims: number;
  models: number;
  validations: number;
  open_disputes: number;
  outcome: "none" | "won" | "shared" | "refunded";
  winner: string | null;
  winning_score: Score | null;
}

export interface OrderTotals {
  total: number;
  by_phase: Record<string, number>;
  by_outcome: Record<string, number>;
}

export interface OrderWindows {
  train_end: number;
  reveal_end: number;
  score_commit_end: number;
  score_reveal_end: number;
  challenge_end: number;
  challenge_until: number;
}

export interface Orders {
  orders: OrderRow[];
  next: number | null;
  now: number;
}

export interface ParameterValues {
  provider_minimum: string;
  validator_minimum: string;
  verifier_minimum: string;
  aggregator_minimum: string;
  claim_bond: string;
  minimum_v_stake: string;
  challenge_stake: string;
  request_bond: string;
  exit_delay: number;
  validator_share_ppm: number;
  aggregator_tax_ppm: number;
  reporter_share_ppm: number;
  dispute_share_ppm: number;
  move_seconds: number;
  stall_delay: number;
  fraud_seconds: number;
  update_seconds: number;
  epoch_seconds: number;
  max_members: number;
  max_claims: number;
  max_validators: number;
  minimum_window: number;
  maximum_window: number;
  minimum_reward: string;
  max_model_bytes: number;
  max_tensor_bytes: number;
}

export interface ParametersOut {
  parameters: ParameterValues;
  since: number;
  owner: string | null;
  now: number;
}

export interface Part {
  oid: number;
  title: string | null;
  phase: "none" | "training" | "reveal" | "score_commit" | "score_reveal" | "challenge" | "sealable" | "sealed" | "cancelled" | null;
  roles: string[];
  earned: string;
}

export interface ParticipantOut {
  index: number;
  account: string;
  stake: string;
  standing: "active" | "left" | "excluded";
  earned: string;
  lost: string;
}

export interface PayoutOut {
  account: string;
  role: string;
  amount: string;
}

export interface Problem {
  error: string;
}

export interface RequestOut {
  id: number;
  oid: number;
  asker: string;
  item: "none" | "header" | "node" | "unit" | "weights" | "sample";
  model: number | null;
  text: string;
  bond: string;
  asked_at: number;
  deadline: number;
  status: "none" | "open" | "answered" | "expired" | "moot";
  answered_by: string | null;
  paid: string;
  ended_at: number | null;
}

export interface Rewards {
  roots: RootOut[];
  claims: ClaimedOut[];
  next: number | null;
  candidates: CandidateOut[];
  epochs: EpochOut[];
  held: string;
  now: number;
}

export interface RoleStakes {
  accounts: number;
  bonded: string;
  locked: string;
}

export interface RootOut {
  cycle: number;
  epoch: number;
  root: string;
  up_to: number;
  settled_otherwise: number;
  posted_at: number;
  effective_at: number;
  signers: string[];
  total: string;
  accounts: number;
  claims: number;
  claimed: string;
  refuted: boolean;
  refuter: string | null;
  refuted_at: number | null;
  wrong_step: number | null;
  tx: string;
}

export interface RoundOut {
  round: number;
  state: "open" | "final" | "failed";
  begun_at: number;
  ended_at: number | null;
  committed: number[];
  revealed: number[];
  dropped: number[];
  included: number[];
  leader: number | null;
  postings: number;
  objections: number;
  replaced: number[];
  result_root: string | null;
  result_cid: string | null;
  measures_cid: string | null;
  paid: string;
}

export interface RunOut {
  optimiser: string;
  learning_rate: number;
  loss: [number, number][];
  score: [number, number][];
  integer: [number, number][];
}

export interface Score {
  sum: string | null;
  samples: number;
  text: string;
}

export interface SettlementOut {
  outcome: "none" | "won" | "shared" | "refunded";
  model: number | null;
  winner: string | null;
  score: Score | null;
  payouts: PayoutOut[];
  tax: string;
  sealed_at: number;
  sequence: number;
  paid: boolean;
  paid_how: string;
  root_cycle: number | null;
  effective_at: number | null;
}

export interface SheetOut {
  validator: string;
  v_stake: string;
  commitment: string;
  committed_at: number;
  revealed_at: number | null;
  slashed: boolean;
  scores: SheetScore[];
}

export interface SheetScore {
  model: number;
  holder: string;
  score: string | null;
  revealed: string | null;
  text: string;
  live: boolean;
}

export interface SlashOut {
  seq: number;
  at: number;
  tx: string;
  account: string;
  role: "none" | "provider" | "validator" | "verifier" | "aggregator" | "participant";
  amount: string;
  beneficiary: string | null;
  paid: string;
  burned: string;
  oid: number | null;
  task: number | null;
}

export interface Slashes {
  slashes: SlashOut[];
  next: number | null;
}

export interface TaskPage {
  id: number;
  title: string | null;
  client: string;
  phase: "joining" | "running" | "over";
  created_at: number;
  join_ends: number;
  round: number;
  rounds: number;
  final: number;
  failed: number;
  participants: number;
  active: number;
  excluded: number;
  reward: string;
  paid: string;
  games: number;
  now: number;
  terms: Record<string, unknown>;
  model_root: string;
  refundable: string;
  withdrawn: string;
  members: ParticipantOut[];
  rounds_list: RoundOut[];
  games_list: GameOut[];
}

export interface TaskRow {
  id: number;
  title: string | null;
  client: string;
  phase: "joining" | "running" | "over";
  created_at: number;
  join_ends: number;
  round: number;
  rounds: number;
  final: number;
  failed: number;
  participants: number;
  active: number;
  excluded: number;
  reward: string;
  paid: string;
  games: number;
}

export interface Tasks {
  tasks: TaskRow[];
  next: number | null;
  now: number;
}

export interface Terms {
  minimum_score_ppm: string;
  minimum_validators: number;
  train_seconds: number;
  reveal_seconds: number;
  validate_seconds: number;
  challenge_seconds: number;
  max_model_bytes: number;
  max_tensor_bytes: number;
  input_size: number;
  output_size: number;
  claim_bond: string;
  minimum_v_stake: string;
  challenge_stake: string;
  request_bond: string;
  validator_share_ppm: number;
  aggregator_tax_ppm: number;
  reporter_share_ppm: number;
  dispute_share_ppm: number;
  move_seconds: number;
  max_claims: number;
  max_validators: number;
  test_commitment: string;
}

export interface TestSetOut {
  released: boolean;
  voided: boolean;
  root: string | null;
  cid: string | null;
  samples: number;
  released_at: number | null;
}

export interface TimelineEntry {
  seq: number;
  at: number;
  block: number;
  tx: string;
  contract: string;
  name: string;
  actor: string | null;
  text: string;
  gas: number | null;
}

export interface TokenOut {
  address: string;
  symbol: string;
  decimals: number;
}
