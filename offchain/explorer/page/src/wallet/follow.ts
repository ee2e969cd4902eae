// What becomes of a transaction after it was sent: from what one sees of it, again and again. Pure.

/** `lost`: no block holds it and the node does not know it; it may still come back. */
export type Stage = "sent" | "mined" | "final" | "reverted" | "reorganised" | "lost" | "replaced";

export interface Progress {
  readonly stage: Stage;
  /** The block that holds it, where one does. */
  readonly block: bigint | null;
  /** Whether that is beyond reorganisation. */
  readonly settled: boolean;
  /** Observations in a row in which the node did not know it. */
  readonly unseen: number;
  /** Whether a block has held it before. */
  readonly wasMined: boolean;
}

export interface Observation {
  readonly receipt: { readonly block: bigint; readonly succeeded: boolean } | null;
  /** Whether the node knows the transaction at all. */
  readonly known: boolean;
  /** Whether another transaction with its nonce is in a block: the sender's next nonce is above its own. */
  readonly nonceUsed: boolean;
  /** The last final block, as far as known. */
  readonly final: bigint | null;
}

const PATIENCE = 3;

export const SENT: Progress = { stage: "sent", block: null, settled: false, unseen: 0, wasMined: false };

export function follow(before: Progress, seen: Observation): Progress {
  if (seen.receipt) {
    const { block, succeeded } = seen.receipt;
    const settled = seen.final !== null && block <= seen.final;
    const stage = succeeded ? (settled ? "final" : "mined") : "reverted";
    return { stage, block, settled, unseen: 0, wasMined: true };
  }
  const unseen = seen.known ? 0 : before.unseen + 1;
  // A receipt can be late by a moment, so neither is believed at first sight.
  const gone = unseen >= PATIENCE;
  const stage = gone ? (seen.nonceUsed ? "replaced" : "lost") : before.wasMined ? "reorganised" : "sent";
  return { stage, block: null, settled: gone && seen.nonceUsed, unseen, wasMined: before.wasMined };
}

const WORDS: Record<Stage, string> = {
  sent: "Sent; waiting for a block.",
  mined: "In a block; not final yet.",
  final: "Final.",
  reverted: "Reverted: it changed nothing but cost gas.",
  reorganised: "The chain was reorganised: its block is gone. Waiting for another one.",
  lost: "Dropped: neither a block nor the node has it any more. Send it again.",
  replaced: "Replaced by another transaction of yours with the same number.",
};

export function progressWords(progress: Progress): string {
  if (progress.block === null) return WORDS[progress.stage];
  return WORDS[progress.stage].replace("a block", `block ${progress.block}`);
}
