/** What the API answers, named as in `offchain/explorer/api/schema*.py`. Wei and other large integers are decimal
 * strings, times integer seconds of the chain's clock, addresses checksummed, hashes `0x…`, CIDs text. */

export type Wei = string;
export type Big = string;
export type Address = string;
export type Hex = string;
export type Seconds = number;

export type Phase =
  | "none"
  | "training"
  | "reveal"
  | "score_commit"
  | "score_reveal"
  | "challenge"
  | "sealable"
  | "sealed"
  | "cancelled";

export type Outcome = "none" | "won" | "shared" | "refunded";
export type Side = "defendant" | "challenger";

export interface Head {
  number: number;
  hash: Hex;
  timestamp: Seconds;
}

export interface About {
  chain_id: number;
  network: string;
  genesis: Hex;
  version: string;
  desk: boolean;
  development: boolean;
  endpoint: string;
  contracts: Record<string, Address>;
  faucet: Address | null;
  token: { address: Address; symbol: string; decimals: number };
  head: Head | null;
  indexed: { block: number; events: number; seq: number; caught_up: boolean };
  final_block: number;
  node: { answers: boolean; silent_seconds: number; problem: string | null };
  now: Seconds;
}

export interface GasLine {
  action: string;
  count: number;
  gas: Big;
}

export interface Network {
  orders: { total: number; by_phase: Record<string, number>; by_outcome: Record<string, number> };
  escrow: Wei;
  stakes: Record<string, { accounts: number; bonded: Wei; locked: Wei; exiting: Wei }>;
  slashed: Wei;
  burned: Wei;
  paid: Wei;
  supply: Wei;
  disputes: { total: number; open: number; by_verdict: Record<string, number> };
  tasks: { total: number; open: number };
  gas: { total: Big; fees: Wei; transactions: number; missing: number; by_action: GasLine[] };
  accounts: Record<string, number>;
  now: Seconds;
}

export interface Score {
  sum: string | null;
  samples: number;
  text: string;
}

export interface OrderRow {
  oid: number;
  title: string | null;
  client: Address;
  reward: Wei;
  score_function: string;
  phase: Phase;
  phase_ends_at: Seconds | null;
  put_at: Seconds;
  claims: number;
  models: number;
  validations: number;
  open_disputes: number;
  outcome: Outcome;
  winner: Address | null;
  winning_score: Score | null;
}

export interface Orders {
  orders: OrderRow[];
  next: number | null;
  now: Seconds;
}

export interface Windows {
  train_end: Seconds;
  reveal_end: Seconds;
  score_commit_end: Seconds;
  score_reveal_end: Seconds;
  challenge_end: Seconds;
  challenge_until: Seconds;
}

export interface FileLink {
  name: string;
  cid: string;
  size: number | null;
}

export interface Manifest {
  cid: string;
  verified: boolean;
  problem: string | null;
  task: string | null;
  classes: string[] | null;
  spec: Record<string, unknown> | null;
  train: FileLink | null;
}

export interface TestSet {
  released: boolean;
  void: boolean;
  root: Hex | null;
  cid: string | null;
  samples: number;
}

export interface Claim {
  provider: Address;
  at: Seconds;
  sequence: number;
  commitment: Hex;
  locked: Wei;
  slashed: Wei;
}

export interface Model {
  index: number;
  provider: Address;
  at: Seconds;
  root: Hex;
  cid: string;
  eligible: boolean;
  voided: boolean;
  score: Score | null;
  files: FileLink[];
  problem: string | null;
}

export interface SheetScore {
  model: number;
  score: string | null;
  text: string;
  live: boolean;
  holder: Address;
}

export interface Sheet {
  validator: Address;
  v_stake: Wei;
  committed_at: Seconds;
  revealed_at: Seconds | null;
  slashed: Wei;
  scores: SheetScore[];
}

export interface Request {
  id: number;
  asker: Address;
  item: string;
  model: number;
  node: number;
  unit: number;
  chunk: number;
  bond: Wei;
  at: Seconds;
  deadline: Seconds;
  status: string;
  answered_by: Address | null;
}

export interface Settlement {
  outcome: Outcome;
  winner: Address | null;
  payouts: { account: Address; role: string; amount: Wei }[];
  tax: Wei;
  sealed_at: Seconds;
  paid: boolean;
  root_cycle: number | null;
}

export interface Money {
  what: string;
  from: string;
  to: string;
  amount: Wei;
}

export interface TimelineEntry {
  seq: number;
  at: Seconds;
  block: number;
  tx: Hex;
  contract: string;
  name: string;
  actor: Address | null;
  text: string;
  gas: number | null;
}

export interface OrderPage extends Omit<OrderRow, "claims" | "models"> {
  now: Seconds;
  terms: Record<string, string | number>;
  windows: Windows;
  manifest: Manifest;
  test: TestSet;
  claims: Claim[];
  models: Model[];
  sheets: Sheet[];
  disputes: DisputeRow[];
  requests: Request[];
  settlement: Settlement | null;
  money: Money[];
  timeline: TimelineEntry[];
  gas: { total: Big; by_action: GasLine[] };
}

/** Points of one curve: epoch and value. */
export type Points = [number, number][];

export interface Run {
  optimiser: string;
  learning_rate: number;
  loss: Points;
  score: Points;
  integer: Points;
}

export interface Curve {
  model: number;
  provider: Address;
  cid: string | null;
  state: "here" | "none" | "pending" | "unusable";
  problem: string | null;
  holdout_samples: number | null;
  chosen: number | null;
  runs: Run[];
}

export interface Curves {
  oid: number;
  score_function: string;
  curves: Curve[];
}

export interface DisputeRow {
  id: number;
  oid: number;
  model: number;
  defendant: Address;
  challenger: Address;
  score: string | null;
  counter: string | null;
  stake: Wei;
  opened_at: Seconds;
  stage: string;
  on_turn: Side | null;
  deadline: Seconds | null;
  verdict: string;
  timed_out: boolean;
  winner: Address | null;
  paid: Wei;
  burned: Wei;
  move_count: number;
}

export type Detail = Record<string, unknown>;

export interface Move {
  seq: number;
  at: Seconds;
  tx: Hex;
  by: Address | null;
  side: Side | null;
  kind: string;
  text: string;
  gas: number | null;
  detail: Detail;
}

export interface Dispute extends DisputeRow {
  now: Seconds;
  moves: Move[];
}

export interface Disputes {
  disputes: DisputeRow[];
  next: number | null;
  now: Seconds;
}

export interface Bond {
  role: string;
  bonded: Wei;
  locked: Wei;
  exiting: Wei;
  exit_at: Seconds | null;
}

export interface Slash {
  seq: number;
  at: Seconds;
  role: string;
  amount: Wei;
  beneficiary: Address | null;
  paid: Wei;
  burned: Wei;
  tx: Hex;
}

export interface Part {
  oid: number;
  title: string | null;
  roles: string[];
  earned: Wei;
  put_at: Seconds;
}

export interface Account {
  address: Address;
  balance: Wei;
  bonds: Bond[];
  rewards: { earned: Wei; paid: Wei; to_claim: Wei; pending: Wei };
  slashes: Slash[];
  orders: Part[];
  disputes: number[];
  tasks: number[];
  endpoint: string | null;
  now: Seconds;
}

export interface TaskRow {
  id: number;
  title: string | null;
  client: Address;
  phase: string;
  phase_ends_at: Seconds | null;
  round: number;
  rounds: number;
  participants: number;
  active: number;
  reward: Wei;
  paid: Wei;
  created_at: Seconds;
  open_games: number;
}

export interface Tasks {
  tasks: TaskRow[];
  next: number | null;
  now: Seconds;
}

export interface Member {
  index: number;
  account: Address;
  stake: Wei;
  active: boolean;
  excluded: boolean;
  earned: Wei;
}

export interface Round {
  round: number;
  began_at: Seconds;
  ended_at: Seconds | null;
  failed: boolean;
  committed: number[];
  revealed: number[];
  included: number[];
  leader: Address | null;
  result_root: Hex | null;
  result_cid: string | null;
  attempts: number;
  open_requests: number;
}

export interface Game {
  id: number;
  posting: number;
  round: number;
  subject: string;
  challenger: Address;
  leader: Address;
  stake: Wei;
  stage: string;
  verdict: string;
  deadline: Seconds | null;
  winner: Address | null;
  moves: string[];
}

export interface Task extends TaskRow {
  now: Seconds;
  terms: Record<string, unknown>;
  members: Member[];
  results: Round[];
  games: Game[];
}

export interface RewardRoot {
  cycle: number;
  epoch: number;
  root: Hex;
  up_to: number;
  posted_at: Seconds;
  effective_at: Seconds;
  signers: Address[];
  total: Wei;
  refuted: boolean;
  refuter: Address | null;
  tx: Hex;
}

export interface Claimed {
  seq: number;
  at: Seconds;
  account: Address;
  cycle: number | null;
  amount: Wei;
  tx: Hex;
}

export interface Rewards {
  roots: RewardRoot[];
  claims: Claimed[];
  paid: Wei;
  now: Seconds;
}

export interface Parameters {
  parameters: Record<string, string | number>;
  changed_at: Seconds | null;
  owner: Address | null;
  now: Seconds;
}

export interface EventRow {
  seq: number;
  contract: string;
  name: string;
  block: number;
  log_index: number;
  at: Seconds;
  tx: Hex;
  oid: number | null;
  dispute: number | null;
  task: number | null;
  accounts: Address[];
  args: Record<string, unknown>;
  text: string;
}

export interface Events {
  events: EventRow[];
  next: number | null;
}
