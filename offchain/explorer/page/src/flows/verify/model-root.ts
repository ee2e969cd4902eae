// The model root from graph and weights: what a provider's claim commits to, computed here, in the browser.
// Twin of `offchain/model/leaves.py`, `descriptors.py` and `roots.py`; the leaves are `contracts/libraries/ModelTree.sol`.
import { hexOf, joined, keccak } from "./bytes";
import { type Graph, type GraphNode, OPS, type Tensor, type Tensors } from "./graph";
import { blobRoot, rootOf } from "./merkle";

const HEADER = 1;
const NODE = 2;
const UNIT = 3;
const WEIGHTED = ["dense", "conv2d", "depthwise_conv2d"];
const POOLED = ["max_pool2d", "average_pool2d"];
const BATCH = 64;
const MASK = (1n << 256n) - 1n;

interface Totals {
  readonly elements: bigint;
  readonly units: bigint;
  readonly weights: bigint;
  readonly work: bigint;
}

/** Given hashed units and all units, now and then; may wait, so that the page stays alive. */
export type OnProgress = (done: number, total: number) => void | Promise<void>;

/** The root, `0x…`. Throws when a tensor that the graph calls for is missing. */
export async function modelRoot(
  graph: Graph,
  tensors: Tensors,
  progress: OnProgress = () => undefined,
): Promise<string> {
  const total = [...tensors].reduce(
    (sum, [name, { shape }]) => sum + (name.endsWith(".weight") ? (shape[0] ?? 0) : 0),
    0,
  );
  let done = 0;
  let totals: Totals = { elements: product(graph.inputShape), units: 0n, weights: 0n, work: 0n };
  const leaves: Uint8Array[] = [];
  for (const [index, node] of graph.nodes.entries()) {
    const weight = tensors.get(`${index}.weight`);
    const units: Uint8Array[] = [];
    for (const leaf of weight ? unitLeaves(index, weight, tensors) : []) {
      units.push(leaf);
      done += 1;
      if (done % BATCH === 0) await progress(done, total);
    }
    const [count = 0, rowBytes = 0] = weight?.shape ?? [];
    totals = grown(totals, node, count, rowBytes);
    const described = descriptor(
      graph,
      index,
      node,
      sharedScale(index, tensors),
      [rowBytes, count],
      rootOf(units),
      totals,
    );
    leaves.push(leafOf(NODE, described));
  }
  const header = [...shapeWords(graph.inputShape), graph.nodes.length, doubleBits(graph.outputScale), rootOf(leaves)];
  return hexOf(leafOf(HEADER, header));
}

type Word = number | bigint | Uint8Array;

function* unitLeaves(index: number, weight: Tensor, tensors: Tensors): Generator<Uint8Array> {
  const [units = 0, rowBytes = 0] = weight.shape;
  const bias = integers(tensors.get(`${index}.bias`));
  const multiplier = integers(tensors.get(`${index}.multiplier`));
  const shift = tensors.get(`${index}.shift`)?.bytes;
  for (let unit = 0; unit < units; unit += 1) {
    const row = weight.bytes.subarray(unit * rowBytes, (unit + 1) * rowBytes);
    yield leafOf(UNIT, [blobRoot(row), bias(unit), multiplier(unit), shift?.[unit] ?? 0]);
  }
}

function descriptor(
  graph: Graph,
  index: number,
  node: GraphNode,
  scale: readonly [number, number, number],
  [rowBytes, units]: readonly [number, number],
  unitsRoot: Uint8Array,
  totals: Totals,
): readonly Word[] {
  const [first = 0, second = 0] = node.inputs;
  const source = first === 0 ? graph.inputShape : graph.nodes[first - 1]?.shape;
  const sourceWords = first <= index && source ? shapeWords(source) : [0, 0, 0, 0];
  const where = [index, OPS[node.op] ?? 0, first, second, ...sourceWords, ...shapeWords(node.shape)];
  const window = [node.low, node.high, ...node.kernel, ...node.stride, ...node.padding, node.offset];
  const sums = [totals.elements, totals.units, totals.weights, totals.work];
  return [...where, ...window, ...scale, rowBytes, units, unitsRoot, ...sums];
}

/** Multipliers and shift of the operations that have them without having units. */
function sharedScale(index: number, tensors: Tensors): readonly [number, number, number] {
  if (tensors.has(`${index}.weight`)) return [0, 0, 0];
  const multiplier = integers(tensors.get(`${index}.multiplier`));
  return [multiplier(0), multiplier(1), tensors.get(`${index}.shift`)?.bytes[0] ?? 0];
}

function grown(totals: Totals, node: GraphNode, units: number, rowBytes: number): Totals {
  const elements = product(node.shape);
  const pooled = POOLED.includes(node.op) ? product(node.kernel) : 1n;
  const terms = WEIGHTED.includes(node.op) ? BigInt(rowBytes) : pooled;
  return {
    elements: totals.elements + elements,
    units: totals.units + BigInt(units),
    weights: totals.weights + BigInt(units) * BigInt(rowBytes),
    work: totals.work + elements * terms,
  };
}

/** keccak256 of the kind's word and the struct's words. */
function leafOf(kind: number, struct: readonly Word[]): Uint8Array {
  return keccak(joined([kind, ...struct].map(word)));
}

/** 32 bytes big-endian, negative numbers in two's complement. */
function word(value: Word): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const bytes = new Uint8Array(32);
  let rest = BigInt(value) & MASK;
  for (let at = 31; rest > 0n; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 255n);
  return bytes;
}

/** (rank, sides…, zeros) */
function shapeWords(shape: readonly number[]): readonly number[] {
  const [first = 0, second = 0, third = 0] = shape;
  return [shape.length, first, second, third];
}

function doubleBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

/** Reads a tensor of little-endian int32; all zero where there is none. */
function integers(tensor: Tensor | undefined): (index: number) => number {
  if (!tensor) return () => 0;
  const view = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
  return index => (4 * index + 4 <= view.byteLength ? view.getInt32(4 * index, true) : 0);
}

function product(sides: readonly number[]): bigint {
  return sides.reduce((total, side) => total * BigInt(side), 1n);
}
