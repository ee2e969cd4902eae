import assert from "node:assert/strict";
import { test } from "node:test";
import type { Move } from "../src/api/types";
import { bytes, duration, plural, short, tokens } from "../src/parts/format";
import { ticks } from "../src/parts/scale";
import { arithmeticOf } from "../src/views/dispute/arithmetic";
import { descentOf, segmentsOf } from "../src/views/dispute/levels";
import { vectors } from "./vectors";

test("a contested step is computed as the referee computes it", () => {
  const seen = new Set<string>();
  for (const { step, computed, ...place } of vectors.steps) {
    const found = arithmeticOf(step, { ...place, node: 0, claimed: "0", computed });
    assert.ok(found, "the operands are all there");
    assert.equal(found.result.toString(), computed, `${found.operation}, element ${place.element}`);
    seen.add(`${found.operation} ${found.finish ? "whole" : "part"}`);
  }
  for (const name of ["dense layer", "convolution", "depthwise convolution"]) {
    assert.ok(seen.has(`${name} whole`) && seen.has(`${name} part`), name);
  }
});

test("operands that are not complete compute nothing", () => {
  const [{ step, ...place } = { step: {}, element: 0, from: 0, to: 0, computed: "0" }] = vectors.steps;
  const { operands } = step as { operands: Record<string, unknown> };
  const computed = { ...place, node: 0, claimed: "0" };
  for (const name of ["node", "unit", "weights", "first"]) {
    const rest = { operands: Object.fromEntries(Object.entries(operands).filter(([key]) => key !== name)) };
    assert.equal(arithmeticOf(rest, computed), null, name);
  }
  for (const junk of [null, undefined, 3, "x", [], {}, { operands: { node: { node: { op: "99" } } } }]) {
    assert.equal(arithmeticOf(junk, computed), null);
  }
});

test("ranges are divided as the game divides them", () => {
  for (const length of [1, 2, 31, 32, 33, 359, 1000, 100_000]) {
    const size = Math.ceil(length / 32);
    const count = Math.ceil(length / size);
    const found = segmentsOf(
      7,
      7 + length,
      Array.from({ length: count }, () => "0"),
    );
    assert.equal(found.length, count);
    assert.equal(found[0]?.from, 7);
    assert.equal(found.at(-1)?.to, 7 + length);
    for (const [index, segment] of found.entries()) assert.equal(segment.from, index === 0 ? 7 : found[index - 1]?.to);
  }
});

const move = (kind: string, detail: Record<string, unknown>): Move => ({
  seq: 0,
  at: 0,
  tx: "0x",
  by: null,
  side: null,
  kind,
  text: "",
  gas: null,
  detail,
});

test("a descent through a tensor of many chunks ends at its element and term", () => {
  const hashes = Array.from({ length: 3 }, (_, index) => `0x${index}`);
  const { levels, computed } = descentOf([
    move("SumsPosted", { low: 0, high: 64, sums: Array.from({ length: 32 }, () => "2") }),
    move("SumPicked", { low: 4, high: 6, value: "2" }),
    move("SumsPosted", { low: 4, high: 6, sums: ["1", "1"] }),
    move("SumPicked", { low: 5, high: 6, value: "1" }),
    move("TracePosted", { sample: 5, roots: ["0xa", "0xb", "0xc"] }),
    move("TensorPicked", { node: 1, op: "1", root: "0xb", size: 70_000 }),
    move("HashesPosted", { base: 0, hashes }),
    move("HashPicked", { base: 32, count: 32, hash: "0x1" }),
    move("HashesPosted", { base: 32, hashes: Array.from({ length: 32 }, (_, index) => `0x${index}`) }),
    move("HashPicked", { base: 40, count: 1, hash: "0x8" }),
    move("ChunkPosted", { index: 40, chunk: "0x" }),
    move("ElementPicked", { element: 41_000, claimed: "5" }),
    move("PartsPosted", { from: 0, to: 64, parts: Array.from({ length: 32 }, () => "0") }),
    move("Computed", { node: 1, element: 41_000, from: 2, to: 4, claimed: "0", computed: "9" }),
  ]);
  assert.deepEqual(
    levels.map(({ kind, from, to, picked }) => [kind, from, to, picked?.from, picked?.to]),
    [
      ["samples", 0, 64, 4, 6],
      ["samples", 4, 6, 5, 6],
      ["tensors", 0, 4, 2, 3],
      ["chunks", 0, 69, 32, 64],
      ["chunks", 32, 64, 40, 41],
      ["elements", 40_960, 41_984, 41_000, 41_001],
      ["terms", 0, 64, 2, 4],
    ],
  );
  assert.deepEqual(computed, { node: 1, element: 41_000, from: 2, to: 4, claimed: "0", computed: "9" });
});

test("moves of another form are left out", () => {
  const kinds = ["SumsPosted", "SumPicked", "TensorPicked", "HashesPosted", "HashPicked", "ChunkPosted", "Computed"];
  for (const detail of [{}, { low: "x", high: null, sums: 3 }, { node: {}, size: [], index: -1, base: 1e300 }]) {
    assert.deepEqual(descentOf(kinds.map(kind => move(kind, detail))), { levels: [], computed: null });
  }
});

test("values as people read them", () => {
  assert.equal(tokens("1234567890000000000000"), "1,234.5678");
  assert.equal(tokens("-500000000000000000"), "−0.5");
  assert.equal(tokens("1"), "<0.0001");
  assert.equal(tokens("0"), "0");
  assert.equal(tokens("no number"), "no number");
  assert.equal(duration(0), "0 s");
  assert.equal(duration(86_400 + 3_661), "1 d 1 h");
  assert.equal(duration(3_601), "1 h");
  assert.equal(duration(-5), "0 s");
  assert.equal(bytes(1536), "1.5 KiB");
  assert.equal(plural(1, "order"), "1 order");
  assert.equal(plural(2, "validator has", "validators have"), "2 validators have");
  assert.equal(short("0x1234567890abcdef"), "0x1234…cdef");
});

test("ticks are round and inside", () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(0.913, 0.987, 3), [0.925, 0.95, 0.975]);
  assert.equal(ticks(3, 3, 5).length > 0, true);
});
