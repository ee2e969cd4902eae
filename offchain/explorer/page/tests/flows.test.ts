import assert from "node:assert/strict";
import { test } from "node:test";
import { callFrom } from "../src/flows/desk";
import { requireOrder } from "../src/flows/order-call";
import { bodyOf, EMPTY, type Files, fieldOf, isReadied, readForm } from "../src/flows/put-form";
import { Unexplained } from "../src/wallet/abi-book";
import { book, vectors } from "./vectors";

const ME = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const NO_FILES: Files = { train: null, test: null, spec: null, trainLabels: null, testLabels: null };
const DATA = new File(["a,b\n1,2\n"], "points.csv", { type: "text/csv" });

test("a form says what is wrong, field by field", () => {
  const faults = readForm(
    { ...EMPTY, reward: "much", train: "soon", validators: "0", minimum: "x", model: " " },
    NO_FILES,
    ME,
  );
  assert.ok(!isReadied(faults));
  assert.deepEqual(Object.keys(faults).sort(), ["minimum", "model", "reward", "train", "trainFile", "validators"]);
  const spec = readForm({ ...EMPTY, describe: "spec" }, { ...NO_FILES, train: DATA }, ME);
  assert.deepEqual(spec, { specFile: "Choose the file that describes the model." });
});

test("a form becomes what the desk asks for", async () => {
  const form = { ...EMPTY, title: " clouds ", label: "kind", reward: "1.5", train: "2h", minimum: "0.9" };
  const read = readForm(form, { ...NO_FILES, train: DATA }, ME);
  assert.ok(isReadied(read));
  assert.equal(read.reward, 1_500_000_000_000_000_000n);
  assert.deepEqual(read.request, {
    account: ME,
    reward: "1500000000000000000",
    title: "clouds",
    label: "kind",
    model: "mlp:64",
    min_validators: 2,
    minimum_score: 0.9,
    train_seconds: 7200,
    reveal_seconds: 120,
    validate_seconds: 240,
    challenge_seconds: 120,
  });
  const body = bodyOf(read.request, form, { ...NO_FILES, train: DATA, spec: DATA });
  assert.deepEqual([...body.keys()], ["request", "train"], "a file that the choice leaves out is not sent");
  const builtin = readForm({ ...form, data: "builtin" }, NO_FILES, ME);
  assert.ok(isReadied(builtin));
  assert.equal(builtin.request.train, "digits");
  assert.equal("label" in builtin.request, false);
});

test("the desk's field names are the form's, and nothing else is", () => {
  assert.equal(fieldOf("train_seconds"), "train");
  assert.equal(fieldOf("train"), "trainFile");
  for (const name of [null, "constructor", "__proto__", "nothing"]) assert.equal(fieldOf(name), null);
});

test("only the order that was shown is put", () => {
  const put = vectors.calls.find(call => call.name === "putWithPermit");
  const other = vectors.calls.find(call => call.contract === "OrderBook" && call.name === "cancel");
  assert.ok(put && other);
  const to = book.addressOf("OrderBook");
  const call = callFrom({ to, data: put.data, value: "0", label: "" });
  const { values } = book.decodeCall(to, put.data);
  const { reward, testCommitment } = values[0] as { reward: bigint; testCommitment: `0x${string}` };
  const shown = { reward, commitment: testCommitment };
  assert.equal(requireOrder(book, call, shown), call);
  const refused = (wrong: typeof call, expected: typeof shown) =>
    assert.throws(() => requireOrder(book, wrong, expected), Unexplained);
  refused(call, { ...shown, reward: reward + 1n });
  refused(call, { ...shown, commitment: `0x${"00".repeat(32)}` });
  refused({ ...call, data: other.data }, shown);
  refused({ ...call, to: book.addressOf("StakeVault") }, shown);
});
