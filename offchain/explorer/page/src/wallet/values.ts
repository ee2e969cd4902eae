// An argument of a call or an error in human units, by its name and type. Pure.
import type { AbiParameter } from "viem";
import { cidText } from "../flows/verify/cid";
import { grouped } from "../parts/format";
import { bytesSize, decimal, duration, ppm, time, tokens } from "./units";
import { enumWord, humanised } from "./words";

/** One line of a decoded call: `name` is a path ("terms › reward"), `text` for people, `raw` as the chain has it. */
export interface Line {
  readonly name: string;
  readonly text: string;
  readonly raw: string;
}

/** Whose an address is: "you", a contract's name, or null. */
export type NameOf = (address: string) => string | null;

const INT64_MIN = -(2n ** 63n);
const MAX_ITEMS = 8;
const MAX_BYTES = 32;
const MAX_STRING = 200;
const TOKENS =
  /^(amount|reward|stake|vStake|value|tax|claimBond|minimumVStake|challengeStake|requestBond|minimumReward|(provider|validator|verifier|aggregator)Minimum|stateTotal|total|balance|allowance|needed|lowestVStake)$/;
const CIDS = /^(cid|.*Cid)$/;

/** All lines of some arguments, structs field by field. `prefix` names what they are part of. */
export function linesOf(
  inputs: readonly AbiParameter[],
  values: readonly unknown[],
  nameOf: NameOf,
  prefix = "",
): readonly Line[] {
  return inputs.flatMap((input, index) => {
    const label = input.name ? humanised(input.name) : `argument ${index + 1}`;
    return lineOf(input, values[index], nameOf, prefix ? `${prefix} › ${label}` : label);
  });
}

function lineOf(input: AbiParameter, value: unknown, nameOf: NameOf, name: string): readonly Line[] {
  if (Array.isArray(value) && input.type.endsWith("]")) return arrayLines(input, value, nameOf, name);
  const fields = "components" in input ? input.components : undefined;
  if (input.type === "tuple" && fields) return linesOf(fields, fieldValues(fields, value), nameOf, name);
  return [{ name, text: valueText(input, value, nameOf), raw: rawText(value) }];
}

function arrayLines(input: AbiParameter, values: readonly unknown[], nameOf: NameOf, name: string): readonly Line[] {
  const inner: AbiParameter = {
    ...input,
    type: input.type.slice(0, input.type.lastIndexOf("[")),
    internalType: input.internalType?.replace(/\[\d*\]$/, ""),
  };
  const lines = values
    .slice(0, MAX_ITEMS)
    .flatMap((value, index) => lineOf(inner, value, nameOf, `${name} ${index + 1}`));
  if (values.length === 0) return [{ name, text: "none", raw: "[]" }];
  if (values.length <= MAX_ITEMS) return lines;
  return [...lines, { name, text: `and ${values.length - MAX_ITEMS} more`, raw: rawText(values) }];
}

/** A struct's values in the order of its fields; viem gives an object, or an array when a field has no name. */
export function fieldValues(fields: readonly AbiParameter[], value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return fields.map(field => (field.name ? Reflect.get(Object(value), field.name) : undefined));
}

/** One value that is no struct and no list. */
export function valueText(input: AbiParameter, value: unknown, nameOf: NameOf): string {
  const name = input.name ?? "";
  if (typeof value === "bigint" || typeof value === "number") return integerText(input, name, BigInt(value));
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "string") return rawText(value);
  if (input.type === "address") return addressText(value, nameOf);
  if (input.type === "string") return `“${value.slice(0, MAX_STRING)}${value.length > MAX_STRING ? "…" : ""}”`;
  if (input.type === "bytes32" && CIDS.test(name)) return cidText(value);
  if (input.type === "bytes") return bytesText(value);
  return value;
}

/** How integers are shown, by the argument's name; the first rule that fits. */
const INTEGERS: readonly (readonly [RegExp, (value: bigint) => string])[] = [
  [/^minimumScorePpm$/, value => (value === INT64_MIN ? "none" : decimal(value, 6))],
  [/^scores?$/, value => (value === INT64_MIN ? "abstains" : grouped(value))],
  [/Seconds$|^(exit|stall)Delay$/, duration],
  [/Ppm$/, ppm],
  [/^(deadline|exitAt|effectiveAt|directAt|sealedAt|since|challengeUntil|challengeEnds|nextDripAt)$/, time],
  [/^max.*Bytes$/, bytesSize],
  [/^(oid|id|task|cycle|epoch|modelIndex)$/, value => `#${value}`],
];

function integerText(input: AbiParameter, name: string, value: bigint): string {
  const word = input.internalType ? enumWord(input.internalType, value) : null;
  if (word !== null) return word;
  if (input.type === "uint256" && TOKENS.test(name)) return tokens(value);
  const show = INTEGERS.find(([names]) => names.test(name))?.[1] ?? grouped;
  return show(value);
}

function addressText(value: string, nameOf: NameOf): string {
  const name = /^0x0{40}$/.test(value) ? "nobody" : nameOf(value);
  return name === null ? value : `${value} (${name})`;
}

function bytesText(value: string): string {
  const size = (value.length - 2) / 2;
  const shown = value.slice(0, 2 + 2 * MAX_BYTES);
  return `${grouped(BigInt(size))} bytes: ${shown}${size > MAX_BYTES ? "…" : ""}`;
}

/** The value as the chain has it, for whoever wants to compare. */
export function rawText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item)) ?? "";
}
