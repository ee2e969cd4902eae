import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf } from "../src/flows/verify/bytes";
import { cidDigest, cidText } from "../src/flows/verify/cid";
import { readGraph, readTensors } from "../src/flows/verify/graph";
import { modelRoot } from "../src/flows/verify/model-root";
import { cidOf, digestOf } from "../src/flows/verify/unixfs";
import { fromHex, vectors } from "./vectors";

test("files have the CIDs that Python and Kubo give them", () => {
  assert.ok(vectors.files.length > 8);
  for (const { data, chunk, links, cid } of vectors.files) {
    assert.equal(cidOf(fromHex(data), { chunk, links }), cid);
  }
});

test("a CID's text and digest are one another's", () => {
  const cid = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"; // the empty file, as every IPFS node knows it
  assert.equal(cidText(cidDigest(cid)), cid);
  assert.equal(cidOf(new Uint8Array()), cid);
  assert.equal(hexOf(digestOf(new Uint8Array())), cidDigest(cid));
  assert.throws(() => cidDigest("Qm0OIl"));
  assert.throws(() => cidDigest("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"));
});

test("models of every operation have the roots that Python computes", async () => {
  assert.ok(vectors.models.length > 5);
  for (const { name, graph, weights, root } of vectors.models) {
    assert.equal(await modelRoot(readGraph(fromHex(graph)), readTensors(fromHex(weights))), root, name);
  }
});

test("a model changed by one bit has another root", async () => {
  const [model] = vectors.models;
  assert.ok(model);
  const weights = fromHex(model.weights);
  weights[weights.length - 1] = (weights.at(-1) ?? 0) ^ 1;
  assert.notEqual(await modelRoot(readGraph(fromHex(model.graph)), readTensors(weights)), model.root);
});

test("files that are none are refused", () => {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  assert.throws(() => readGraph(text({ version: 2, nodes: [] })), /version 2/);
  assert.throws(() => readGraph(text([1, 2])), /no object/);
  assert.throws(() => readTensors(Uint8Array.of(1, 2, 3)), /no safetensors/);
  assert.throws(() => readTensors(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0)), /no safetensors/);
  const header = text({ "0.weight": { dtype: "I8", shape: [4, 4], data_offsets: [0, 16] } });
  const file = new Uint8Array([header.length, 0, 0, 0, 0, 0, 0, 0, ...header, 1, 2, 3]);
  assert.throws(() => readTensors(file), /out of bounds/);
});
