// Reads `graph.json` and `weights.safetensors` of an integer network, from anyone: bounded, and typed before it is used.
// As `offchain/model/graph_file.py` and `weights_file.py`; canonical form needs no check here, for the CIDs fix the bytes.
import { isRecord } from "../../wallet/eip1193";

export const OPS: Readonly<Record<string, number>> = {
  dense: 1,
  conv2d: 2,
  depthwise_conv2d: 3,
  max_pool2d: 4,
  average_pool2d: 5,
  add: 6,
  multiply: 7,
  lookup: 8,
  embedding: 9,
  slice: 10,
  concat: 11,
};

export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly offset: number;
}

export interface Graph {
  readonly inputShape: readonly number[];
  readonly outputScale: number;
  readonly nodes: readonly GraphNode[];
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type Tensors = ReadonlyMap<string, Tensor>;

const MAX_NODES = 65_536;
const MAX_GRAPH_BYTES = 4 * 2 ** 20;
const MAX_HEADER_BYTES = 4 * 2 ** 20;
const SIZES: Readonly<Record<string, number>> = { I8: 1, U8: 1, I32: 4 };

/** Throws with what is wrong. */
export function readGraph(bytes: Uint8Array): Graph {
  if (bytes.length > MAX_GRAPH_BYTES) throw new Error(`graph.json has ${bytes.length} bytes: too many`);
  const fields = record(parseJson(bytes), "graph.json");
  const nodes = fields.nodes;
  if (fields.version !== 2 || !Array.isArray(nodes) || nodes.length === 0 || nodes.length > MAX_NODES) {
    throw new Error("graph.json is no graph of version 2");
  }
  if (typeof fields.output_scale !== "number") throw new Error("graph.json has no output scale");
  return {
    inputShape: words(fields.input_shape, 1, 3),
    outputScale: fields.output_scale,
    nodes: nodes.map((node: unknown) => readNode(record(node, "a node of graph.json"))),
  };
}

function readNode(fields: Record<string, unknown>): GraphNode {
  if (typeof fields.op !== "string" || !Object.hasOwn(OPS, fields.op)) throw new Error("a node's operation is unknown");
  return {
    op: fields.op,
    inputs: words(fields.inputs, 1, 2),
    shape: words(fields.output_shape, 1, 3),
    low: integer(fields.low),
    high: integer(fields.high),
    kernel: words(fields.kernel, 2, 2),
    stride: words(fields.stride, 2, 2),
    padding: words(fields.padding, 4, 4),
    offset: integer(fields.offset),
  };
}

/** The tensors of a safetensors file, by name. Throws with what is wrong. */
export function readTensors(bytes: Uint8Array): Tensors {
  const length = bytes.length < 8 ? -1n : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length < 0n || length > BigInt(Math.min(MAX_HEADER_BYTES, bytes.length - 8))) {
    throw new Error("weights.safetensors is no safetensors file");
  }
  const start = 8 + Number(length);
  const header = record(parseJson(bytes.subarray(8, start)), "the header of weights.safetensors");
  return new Map(
    Object.entries(header).map(([name, entry]) => [name, tensor(name, record(entry, name), bytes, start)]),
  );
}

function tensor(name: string, entry: Record<string, unknown>, bytes: Uint8Array, start: number): Tensor {
  const size = typeof entry.dtype === "string" ? SIZES[entry.dtype] : undefined;
  const shape = words(entry.shape, 1, 2);
  const [begin, end] = words(entry.data_offsets, 2, 2);
  const count = shape.reduce((product, side) => product * side, 1);
  if (size === undefined || begin === undefined || end === undefined) throw new Error(`tensor ${name} is malformed`);
  if (end - begin !== count * size || start + end > bytes.length) throw new Error(`tensor ${name} is out of bounds`);
  return { shape, bytes: bytes.subarray(start + begin, start + end) };
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (!isRecord(value) || Array.isArray(value)) throw new Error(`${what} is no object`);
  return value;
}

function words(value: unknown, least: number, most: number): readonly number[] {
  if (!Array.isArray(value) || value.length < least || value.length > most)
    throw new Error("a list has the wrong length");
  return value.map((item: unknown) => {
    const found = integer(item);
    if (found < 0) throw new Error("a number is negative");
    return found;
  });
}

function integer(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Error("a number is no integer");
  return value;
}
