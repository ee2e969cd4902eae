/** The contested multiply-accumulate, computed once more from the operands in the transaction's calldata. Pure.
 *
 * The twin of `offchain/dispute/reduction.py` for the operations with weights; null for all others, and for whatever does
 * not have the form that it should have: nothing is guessed. */

import type { Computed } from "./levels";
import { whole } from "./levels";

export interface Term {
  index: number;
  weight: number;
  input: number;
}

export interface Arithmetic {
  operation: string;
  /** the terms that are not padding */
  terms: Term[];
  sum: bigint;
  /** absent for a part of a reduction: its sum is the result */
  finish: { bias: bigint; multiplier: bigint; shift: bigint; low: bigint; high: bigint } | null;
  result: bigint;
}

const OPERATIONS: Record<number, string> = { 1: "dense layer", 2: "convolution", 3: "depthwise convolution" };
const DENSE = 1;
const CONV2D = 2;
const CHUNK_BYTES = 1024;
const MOST_TERMS = 1 << 20;

type Fields = Record<string, unknown>;

function fields(value: unknown, ...path: string[]): Fields {
  let found: unknown = value;
  for (const name of path) found = typeof found === "object" && found !== null ? (found as Fields)[name] : undefined;
  return typeof found === "object" && found !== null ? (found as Fields) : {};
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(item => whole(item) ?? Number.NaN) : [];
}

/** Signed bytes by their place in the whole tensor or weight row. */
function signedBytes(chunks: unknown): (place: number) => number | null {
  const found = new Map<number, string>();
  for (const chunk of Array.isArray(chunks) ? chunks : []) {
    const { index, data } = fields(chunk);
    const number = whole(index);
    if (number !== null && typeof data === "string") found.set(number, data.slice(2));
  }
  return place => {
    const text = found.get(Math.floor(place / CHUNK_BYTES));
    const at = 2 * (place % CHUNK_BYTES);
    if (text === undefined || at + 2 > text.length) return null;
    const byte = Number.parseInt(text.slice(at, at + 2), 16);
    return byte > 127 ? byte - 256 : byte;
  };
}

interface Node {
  op: number;
  inputShape: number[];
  shape: number[];
  kernel: number[];
  stride: number[];
  padding: number[];
}

function nodeOf(found: Fields): Node | null {
  const op = whole(found.op);
  if (op === null || !(op in OPERATIONS)) return null;
  const [inputShape, shape, kernel, stride, padding] = ["inputShape", "shape", "kernel", "stride", "padding"].map(
    name => numbers(found[name]),
  ) as [number[], number[], number[], number[], number[]];
  const all = [...inputShape, ...shape, ...kernel, ...stride, ...padding];
  if (all.length !== 4 + 4 + 2 + 2 + 4 || all.some(Number.isNaN)) return null;
  return { op, inputShape, shape, kernel, stride, padding };
}

type Four = [number, number, number, number];
type Two = [number, number];

function termsOf(node: Node): number {
  const [, rows, columns, channels] = node.inputShape as Four;
  const [rank] = node.inputShape as Four;
  const [height, width] = node.kernel as Two;
  if (node.op === DENSE) return [rows, columns, channels].slice(0, rank).reduce((product, side) => product * side, 1);
  return height * width * (node.op === CONV2D ? channels : 1);
}

/** Where in the input the term `index` of an element reads; null on padding. */
function placeOf(node: Node, element: number, index: number): number | null {
  if (node.op === DENSE) return index;
  const [, height, width, channels] = node.inputShape as Four;
  const [, , columns, units] = node.shape as Four;
  const [, kernelWidth] = node.kernel as Two;
  const [down, right] = node.stride as Two;
  const [top, left] = node.padding as Four;
  const position = Math.floor(element / units);
  const inner = node.op === CONV2D ? channels : 1;
  const tap = Math.floor(index / inner);
  const y = Math.floor(position / columns) * down - top + Math.floor(tap / kernelWidth);
  const x = (position % columns) * right - left + (tap % kernelWidth);
  if (y < 0 || y >= height || x < 0 || x >= width) return null;
  return (y * width + x) * channels + (node.op === CONV2D ? index % inner : element % units);
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low) return low;
  return value > high ? high : value;
}

/** Of a move's `detail.step`, as the server decoded it from calldata. */
export function arithmeticOf(step: unknown, computed: Computed): Arithmetic | null {
  const operands = fields(step, "operands");
  const described = fields(operands, "node", "node");
  const node = nodeOf(described);
  if (!node) return null;
  const part = computed.to > computed.from;
  const [first, last] = part ? [computed.from, computed.to] : [0, termsOf(node)];
  if (last - first > MOST_TERMS) return null;
  const weight = signedBytes(operands.weights);
  const input = signedBytes(operands.first);
  const terms: Term[] = [];
  let sum = 0;
  for (let index = first; index < last; index++) {
    const place = placeOf(node, computed.element, index);
    if (place === null) continue;
    const read = input(place);
    const by = weight(index);
    if (read === null || by === null) return null;
    terms.push({ index, weight: by, input: read });
    sum += by * read;
  }
  const total = BigInt(sum);
  const operation = OPERATIONS[node.op] ?? "";
  if (part) return { operation, terms, sum: total, finish: null, result: total };
  const finish = finishOf(fields(operands, "unit", "unit"), described);
  if (!finish) return null;
  const { bias, multiplier, shift, low, high } = finish;
  const half = shift > 0n ? 1n << (shift - 1n) : 0n;
  const result = clamp(((total + bias) * multiplier + half) >> shift, low, high);
  return { operation, terms, sum: total, finish, result };
}

function finishOf(unit: Fields, node: Fields): Arithmetic["finish"] {
  try {
    const [bias, multiplier, shift, low, high] = [unit.bias, unit.multiplier, unit.shift, node.low, node.high].map(
      value => BigInt(String(value)),
    ) as [bigint, bigint, bigint, bigint, bigint];
    return { bias, multiplier, shift, low, high };
  } catch {
    return null;
  }
}
