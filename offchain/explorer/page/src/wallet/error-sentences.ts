// The contracts' frequent errors, each in one sentence that says what to do. All others are rendered by `errors.ts`.
import { capital, grouped } from "../parts/format";
import { bytesSize, decimal, duration, time, tokens } from "./units";
import { enumWord, humanised } from "./words";

/** An error's arguments by name, read as what the sentence says they are. */
export interface Arguments {
  readonly integer: (name: string) => bigint;
  readonly text: (name: string) => string;
  /** An account as people know it: "you", a contract's name, or the address. */
  readonly who: (name: string) => string;
  /** The same with its verb: "you have", "OrderBook has". */
  readonly has: (name: string) => string;
}

type Sentence = (args: Arguments) => string;

const wait = (args: Arguments) => duration(max(args.integer("expected") - args.integer("actual"), 0n));
const phase = (args: Arguments, name: string) => enumWord("enum Phase", args.integer(name)) ?? "unknown";
const role = (args: Arguments) => enumWord("enum Role", args.integer("role")) ?? "unknown";
const order = (args: Arguments) => `Order ${args.integer("oid")}`;
const missing = (what: string) => (args: Arguments) =>
  `${what}: ${tokens(args.integer("expected"))} needed, ${tokens(args.integer("actual"))} there.`;
const bounds = (args: Arguments, show: (value: bigint) => string) =>
  `${show(args.integer("actual"))}; it must be between ${show(args.integer("minimum"))} and ${show(args.integer("maximum"))}.`;

/** By `Contract.Error`, or by the error's name where it means the same everywhere. */
export const SENTENCES: Readonly<Record<string, Sentence>> = {
  ERC20InsufficientBalance: args =>
    `${capital(args.has("sender"))} ${tokens(args.integer("balance"))}; this takes ${tokens(args.integer("needed"))}. Get tokens first.`,
  ERC20InsufficientAllowance: args =>
    `${capital(args.who("spender"))} may take ${tokens(args.integer("allowance"))}; this takes ${tokens(args.integer("needed"))}. Sign the permit again.`,
  ERC2612ExpiredSignature: args => `The permit was good until ${time(args.integer("deadline"))}. Sign it again.`,
  ERC2612InvalidSigner: args =>
    `The permit was signed by ${args.who("signer")}, not by ${args.who("owner")}. Sign it again.`,
  InvalidAccountNonce: () => "The permit was used already. Sign it again.",

  "OrderBook.UnknownOrder": args => `There is no order ${args.integer("oid")}.`,
  "OrderBook.NotTheClient": args =>
    `Only the client of order ${args.integer("oid")}, ${args.who("expected")}, may do this, not ${args.who("actual")}.`,
  "OrderBook.OrderHasClaims": args =>
    `${order(args)} has ${args.integer("claims")} claims already: it can no longer be taken back.`,
  "OrderBook.WrongPhase": args =>
    `${order(args)} is in the phase “${phase(args, "actual")}”; this belongs to “${phase(args, "expected")}”.`,
  "OrderBook.WrongTestSet": args => `This is not the test set that order ${args.integer("oid")} was committed to.`,
  "OrderBook.TestAlreadyReleased": args => `The test set of order ${args.integer("oid")} has been released already.`,
  "OrderBook.RewardTooSmall": args =>
    `A reward of ${tokens(args.integer("actual"))} is too small; the least is ${tokens(args.integer("expected"))}.`,
  "OrderBook.WindowOutOfBounds": args => `The time “${humanised(args.text("name"))}” is ${bounds(args, duration)}`,
  "OrderBook.LimitOutOfBounds": args =>
    `The limit “${humanised(args.text("name"))}” is ${bounds(args, /Bytes$/.test(args.text("name")) ? bytesSize : grouped)}`,
  "OrderBook.UnattainableScore": args =>
    `No model can reach a mean score of ${decimal(args.integer("actual"), 6)}; the most is ${decimal(args.integer("expected"), 6)}.`,
  "OrderBook.ScoreFunctionRequired": () => "The order says no score function.",

  "StakeVault.RoleRequired": () => "Choose a role.",
  "StakeVault.AmountRequired": () => "The amount must be positive.",
  "StakeVault.InsufficientFreeBond": args =>
    `As ${role(args)} ${args.has("account")} ${tokens(args.integer("actual"))} that nothing locks; this takes ${tokens(args.integer("expected"))}.`,
  "StakeVault.NothingExiting": args => `Nothing of the ${role(args)}'s stake is in the exit queue.`,
  "StakeVault.StillExiting": args =>
    `The stake can be withdrawn from ${time(args.integer("expected"))} on, in ${wait(args)}.`,

  "ProofOfTraining.WrongPhase": args =>
    `${order(args)} is in the phase “${phase(args, "actual")}”; this belongs to “${phase(args, "expected")}”.`,
  "ProofOfTraining.NotActive": missing("Not enough stake in this role"),
  "ProofOfTraining.VStakeTooSmall": args =>
    `A stake of ${tokens(args.integer("actual"))} behind each score is too small; the least is ${tokens(args.integer("expected"))}.`,
  "ProofOfTraining.NothingCommitted": args =>
    `${capital(args.has("account"))} committed nothing to order ${args.integer("oid")}.`,
  "ProofOfTraining.NotContestable": args =>
    `${order(args)} is in the phase “${phase(args, "actual")}”: scores can be challenged from the score commits to the end of the challenge window.`,
  "ProofOfTraining.NotSlashable": args =>
    `There is nothing to report about ${args.who("account")} in order ${args.integer("oid")}.`,
  "ProofOfTraining.UnknownModel": args => `Order ${args.integer("oid")} has no model ${args.integer("modelIndex")}.`,

  "DisputeCourt.NotAVerifier": missing("Challenging needs a verifier's stake"),
  "DisputeCourt.NotDisputable": args =>
    `What ${args.who("validator")} said of model ${args.integer("modelIndex")} of order ${args.integer("oid")} cannot be challenged: it was removed, is an abstention, or was never revealed.`,
  "DisputeCourt.OwnValidation": () => "This is your own validation.",
  "DisputeCourt.UnknownDispute": args => `There is no dispute ${args.integer("id")}.`,
  "DisputeCourt.AlreadyClosed": args => `Dispute ${args.integer("id")} is over.`,
  "DisputeCourt.NotYourTurn": args =>
    `In dispute ${args.integer("id")} it is the turn of ${args.who("expected")}, not of ${args.who("actual")}.`,
  "DisputeCourt.TooLate": args =>
    `The time for this move in dispute ${args.integer("id")} ended at ${time(args.integer("deadline"))}.`,
  "DisputeCourt.NotLate": args =>
    `The mover in dispute ${args.integer("id")} has until ${time(args.integer("deadline"))}.`,
  "DisputeCourt.WrongStage": args =>
    `Dispute ${args.integer("id")} is at “${enumWord("enum Stage", args.integer("actual"))}”; this move belongs to “${enumWord("enum Stage", args.integer("expected"))}”. Reload: somebody has moved meanwhile.`,
  "DisputeCourt.ScoreOutOfRange": args => `A score of ${grouped(args.integer("score"))} is not possible here.`,

  "AvailabilityCourt.NotAVerifier": missing("Asking for data needs a verifier's stake"),
  "AvailabilityCourt.NotOpen": args => `Request ${args.integer("id")} is over.`,
  "AvailabilityCourt.TooLate": args =>
    `The time to answer request ${args.integer("id")} ended at ${time(args.integer("deadline"))}.`,

  "RewardTreasury.NothingToClaim": args =>
    `${capital(args.has("account"))} nothing to claim: it was claimed already, or is not due yet.`,
  "RewardTreasury.NotEffective": args => `This root pays from ${time(args.integer("expected"))} on, in ${wait(args)}.`,
  "RewardTreasury.NoSuchRoot": args => `The root of cycle ${args.integer("cycle")} does not stand any more. Reload.`,
  "RewardTreasury.WrongRoot": () => "The proof does not belong to the root that was posted. Reload and claim again.",
  "RewardTreasury.NotStalled": args =>
    `The aggregators still have ${wait(args)} to pay this order before anybody may settle it.`,

  "TestTokenFaucet.DripTooEarly": args =>
    `You have had test tokens already; the next are from ${time(args.integer("expected"))} on, in ${wait(args)}.`,
  "TestTokenFaucet.LimitReached": missing("The faucet has given all it may give in this period"),
  "TestTokenFaucet.FaucetEmpty": missing("The faucet is empty"),
};

/** What `expected` and `actual` are counted in, where the ABI's type does not say. */
export const UNITS: Readonly<Record<string, (value: bigint) => string>> = {
  "AggregatorCommittee.StakeTooSmall": tokens,
  "AggregatorCommittee.StakeStillBound": time,
  "AggregatorCommittee.EpochNotOver": time,
  "FederatedTraining.StakeTooSmall": tokens,
  "FederatedExtension.StakeTooSmall": tokens,
  "FederatedTraining.TooEarly": time,
  "FederatedExtension.TooEarly": time,
  "FederatedAnnex.TooEarly": time,
  "FederatedTraining.TooLate": time,
  "FederatedExtension.TooLate": time,
  "FederatedCourt.NotAVerifier": tokens,
  "StakeVault.InsufficientLockedBond": tokens,
  "RewardTreasury.Unfunded": tokens,
  "RewardTreasury.TakenByRoot": tokens,
  "RewardTreasury.TotalOutOfBounds": tokens,
  "RewardTreasury.RootExhausted": tokens,
  "RewardTreasury.WindowOver": time,
};

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
