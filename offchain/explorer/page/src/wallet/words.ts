// Names of the contracts' enumerations and of what their functions do, for people.
import { isRecord } from "./eip1193";

export const ROLES = ["none", "provider", "validator", "verifier", "aggregator", "participant"] as const;
export type RoleName = (typeof ROLES)[number];

const ENUMS: Record<string, readonly string[]> = {
  Role: ROLES,
  Phase: [
    "unknown",
    "training",
    "reveal",
    "score commit",
    "score reveal",
    "challenge",
    "sealable",
    "sealed",
    "cancelled",
  ],
  Outcome: ["none", "won", "shared", "refunded"],
  ScoreFunction: [
    "none",
    "accuracy",
    "mean absolute error",
    "top-3 accuracy",
    "top-5 accuracy",
    "mean squared error",
    "cross-entropy",
  ],
  Stage: [
    "none",
    "sums",
    "pick a sum",
    "trace",
    "pick a tensor",
    "hashes",
    "pick a hash",
    "chunk",
    "pick an element",
    "parts",
    "pick a part",
    "closed",
  ],
  Verdict: ["none", "the score is false", "the score stands", "moot"],
  Item: ["none", "header", "node", "unit", "weights", "sample"],
  RequestStatus: ["none", "open", "answered", "expired", "moot"],
  Mode: ["none", "plain", "secure"],
  TaskPhase: [
    "none",
    "joining",
    "keys",
    "shares",
    "commit",
    "reveal",
    "request",
    "answer",
    "unmask",
    "aggregate",
    "challenge",
    "settle",
    "over",
  ],
  FederatedStage: [
    "none",
    "descend",
    "pick",
    "leaf",
    "name",
    "column",
    "falsify",
    "segments",
    "choose",
    "product",
    "closed",
  ],
  Subject: ["none", "result", "measures"],
};

/** The member `index` of an enumeration in words; `internal` is the ABI's internal type ("enum Role"). */
export function enumWord(internal: string, index: bigint): string | null {
  const names = internal.startsWith("enum ") ? ENUMS[internal.slice(5).split(".").at(-1) ?? ""] : undefined;
  return names?.[Number(index)] ?? null;
}

/** minimumVStake is "minimum v stake", oid "order". */
export function humanised(name: string): string {
  const known: Record<string, string> = {
    oid: "order",
    c: "claim",
    vStake: "stake behind each score",
    minimumScorePpm: "least mean score",
    manifestCid: "manifest",
    testCid: "test set",
    cid: "content",
    v: "signature v",
    r: "signature r",
    s: "signature s",
    id: "number",
    trainSeconds: "time to train",
    revealSeconds: "time to reveal",
    validateSeconds: "time to score",
    challengeSeconds: "time to challenge",
  };
  return known[name] ?? name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}

/** RewardTooSmall is "reward too small". */
export function sentenceOf(name: string): string {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z0-9]+)([A-Z][a-z])/g, "$1 $2");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1).toLowerCase();
}

const DEEDS: Record<string, string> = {
  "OrderBook.put": "Put an order and escrow its reward",
  "OrderBook.putWithPermit": "Put an order and escrow its reward",
  "OrderBook.cancel": "Take an order back, with its reward",
  "OrderBook.releaseTest": "Release the test set of an order",
  "StakeVault.bond": "Stake tokens in a role",
  "StakeVault.bondWithPermit": "Stake tokens in a role",
  "StakeVault.requestExit": "Move stake to the exit queue",
  "StakeVault.cancelExit": "Take the exit queue back into the stake",
  "StakeVault.withdraw": "Withdraw what has left the exit queue",
  "ProofOfTraining.seal": "Seal an order: fix who is paid what",
  "ProofOfTraining.releaseSeat": "Free the stake behind a place taken in a sealed order",
  "ProofOfTraining.slashUnrevealedClaim": "Report a claim that was not revealed",
  "ProofOfTraining.slashUnrevealedScores": "Report scores that were not revealed",
  "DisputeCourt.open": "Challenge a score",
  "DisputeCourt.counter": "Challenge a score and put another in its place",
  "DisputeCourt.fill": "Take an empty place with a score",
  "DisputeCourt.timeOut": "End a dispute whose mover is late",
  "DisputeCourt.dismiss": "End a dispute about nothing",
  "RewardTreasury.claim": "Claim rewards by a posted root",
  "RewardTreasury.claimRewards": "Claim credited rewards",
  "RewardTreasury.payDirect": "Settle an order directly",
  "RewardTreasury.refute": "Refute a wrong reward root",
  "TestTokenFaucet.drip": "Get test tokens",
  "UtilityToken.approve": "Let a contract take tokens of yours",
  "UtilityToken.transfer": "Transfer tokens",
};
const MOVES = /^(post|pick|compute|contest|answer)/;

/** What a call does, in a few words. */
export function deedOf(contract: string, name: string): string {
  const known = DEEDS[`${contract}.${name}`];
  if (known) return known;
  if (contract === "DisputeCourt" && MOVES.test(name)) return `Move in a dispute: ${humanised(name)}`;
  if (contract === "AvailabilityCourt" && MOVES.test(name)) return `Answer a request: ${humanised(name)}`;
  return sentenceOf(name);
}

/** Whether a key is one of an object's own: names in content may be `__proto__` or `constructor`. */
export function own<T>(table: Record<string, T>, key: string): T | undefined {
  return isRecord(table) && Object.hasOwn(table, key) ? table[key] : undefined;
}
