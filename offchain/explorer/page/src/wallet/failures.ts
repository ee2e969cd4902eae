// What a wallet, or the node behind it, says when it does not do what it was asked, in words.
import { CODE, isRecord } from "./eip1193";

/** A failure that people are shown. `code` is the wallet's; `data` what a contract reverted with, if it did. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly code: number | null = null,
    readonly data: `0x${string}` | null = null,
  ) {
    super(message);
  }

  get isRejection(): boolean {
    return this.code === CODE.rejected;
  }
}

const WORDS: Record<number, string> = {
  [CODE.rejected]: "You declined in the wallet. Nothing was sent.",
  [CODE.unauthorised]: "The wallet does not let this page use that account. Connect again and choose it.",
  [CODE.unsupported]: "The wallet cannot do this. Try another one.",
  [CODE.disconnected]: "The wallet is not connected to any network. Open it and look.",
  [CODE.chainDisconnected]: "The wallet has no connection to this network. Open it and look.",
  [CODE.unknownChain]: "The wallet does not know this network.",
  [CODE.busy]: "The wallet is waiting for you already: open it and answer there.",
};
const MAX_TEXT = 300;
const MAX_DEPTH = 5;

/** Anything that a wallet threw, as a Failure. */
export function readFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const layers = [...unwrap(thrown)];
  const data = layers.map(layer => layer.data).find(isHex) ?? null;
  const codes = layers.map(layer => layer.code).filter(code => typeof code === "number");
  const code = codes.find(found => found in WORDS) ?? codes[0] ?? null;
  const said = layers.map(layer => layer.message).find(message => typeof message === "string" && message !== "");
  const words = code === null ? undefined : WORDS[code];
  return new Failure(words ?? `The wallet said: ${bounded(typeof said === "string" ? said : "nothing")}`, code, data);
}

/** The error and what it wraps: wallets put the node's error into `data`, `data.originalError`, `error` or `cause`. */
function* unwrap(value: unknown, depth = 0): Generator<Record<string, unknown>> {
  if (!isRecord(value) || depth > MAX_DEPTH) return;
  yield value;
  for (const key of ["data", "originalError", "error", "cause"]) yield* unwrap(value[key], depth + 1);
}

function isHex(value: unknown): value is `0x${string}` {
  return typeof value === "string" && /^0x([0-9a-fA-F]{2})*$/.test(value);
}

function bounded(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
