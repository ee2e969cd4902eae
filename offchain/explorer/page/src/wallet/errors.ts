// Why a contract reverted, in words. Pure.
import { decodeAbiParameters, type Hex } from "viem";
import type { AbiBook, FoundError } from "./abi-book";
import { type Arguments, SENTENCES, UNITS } from "./error-sentences";
import { fieldValues, linesOf, type NameOf, rawText } from "./values";
import { own, sentenceOf } from "./words";

/** `text` is a sentence; `name` the error as the contract calls it (`OrderBook.RewardTooSmall`), "" for none of ours. */
export interface RevertWords {
  readonly text: string;
  readonly name: string;
}

const ERROR_STRING = "0x08c379a0";
const PANIC = "0x4e487b71";
const PANICS: Record<string, string> = {
  "1": "an assertion failed",
  "17": "a number became too large or too small",
  "18": "a division by zero",
  "33": "a value outside its enumeration",
  "49": "an empty list",
  "50": "an index out of range",
  "65": "out of memory",
};
const MAX_REASON = 300;

/** Revert data in words. `contract`: the name of who was called; it decides between errors with one selector. */
export function explainRevert(book: AbiBook, data: Hex | null, contract: string | null, nameOf: NameOf): RevertWords {
  if (data === null || data === "0x") {
    return { text: "The contract refuses this without giving a reason.", name: "" };
  }
  if (data.startsWith(ERROR_STRING)) return { text: `The contract refuses: ${reasonOf(data)}`, name: "" };
  if (data.startsWith(PANIC)) return { text: `The contract stopped: ${panicOf(data)}.`, name: "" };
  const error = book.decodeError(data, contract);
  if (error === null)
    return { text: `The contract refuses, with an error nobody here knows (${data.slice(0, 10)}).`, name: "" };
  return { text: sentence(error, nameOf), name: `${error.contract}.${error.name}` };
}

/** An error of the contracts in one sentence: its own if it has one, else its name and its arguments. */
export function sentence(error: FoundError, nameOf: NameOf): string {
  const full = `${error.contract}.${error.name}`;
  const made = own(SENTENCES, full) ?? own(SENTENCES, error.name);
  const said = made?.(argumentsOf(error, nameOf));
  return said ?? generic(error, full, nameOf);
}

function generic(error: FoundError, full: string, nameOf: NameOf): string {
  const unit = own(UNITS, full);
  const lines = linesOf(error.inputs, error.values, nameOf).map((line, index) => {
    const value = error.values[index];
    const counted = /^(expected|actual|minimum|maximum)$/.test(error.inputs[index]?.name ?? "");
    return `${line.name} ${unit && counted && typeof value === "bigint" ? unit(value) : line.text}`;
  });
  return `${sentenceOf(error.name)}${lines.length > 0 ? `: ${lines.join(", ")}` : ""} (${error.contract}).`;
}

function argumentsOf(error: FoundError, nameOf: NameOf): Arguments {
  const values = fieldValues(error.inputs, [...error.values]);
  const value = (name: string) => values[error.inputs.findIndex(input => input.name === name)];
  const text = (name: string) => {
    const found = value(name);
    return typeof found === "string" ? found : rawText(found);
  };
  const who = (name: string) => nameOf(text(name)) ?? text(name);
  return {
    integer: name => integerOf(value(name)),
    text,
    who,
    has: name => `${who(name)} ${who(name) === "you" ? "have" : "has"}`,
  };
}

function integerOf(value: unknown): bigint {
  return typeof value === "bigint" || typeof value === "number" ? BigInt(value) : 0n;
}

function reasonOf(data: Hex): string {
  try {
    return decodeAbiParameters([{ type: "string" }], `0x${data.slice(10)}`)[0].slice(0, MAX_REASON);
  } catch {
    return "it gave a reason that cannot be read";
  }
}

function panicOf(data: Hex): string {
  return PANICS[String(Number.parseInt(data.slice(-4), 16))] ?? `code ${data.slice(-2)}`;
}
