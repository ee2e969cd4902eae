import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, encodeErrorResult, hashTypedData } from "viem";
import { Unexplained } from "../src/wallet/abi-book";
import { decodeCall, namesIn } from "../src/wallet/decode";
import { explainRevert } from "../src/wallet/errors";
import { permitTypedData, splitSignature } from "../src/wallet/signing";
import { book, vectors } from "./vectors";

const ME = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const names = namesIn(book, ME);

test("every function of every contract decodes with all its arguments", () => {
  assert.ok(vectors.calls.length > 100);
  for (const { contract, name, data } of vectors.calls) {
    const decoded = decodeCall(book, { to: book.addressOf(contract), data, value: 0n }, ME);
    assert.equal(decoded.name, name);
    assert.ok(decoded.deed.length > 0);
    for (const line of decoded.lines) assert.ok(line.name && line.text, `${contract}.${name}: ${JSON.stringify(line)}`);
  }
});

test("every error of every contract reads as a sentence", () => {
  assert.ok(vectors.errors.length > 200);
  for (const { contract, name, data } of vectors.errors) {
    const words = explainRevert(book, data, contract, names);
    assert.equal(words.name, `${contract}.${name}`);
    assert.match(words.text, /^[A-Z0-9].*[.)]$/s, words.text);
    assert.doesNotMatch(words.text, /undefined|NaN|\[object|null/, `${contract}.${name}`);
  }
});

test("a bond reads in human units", () => {
  const data = book.encode("StakeVault", "bond", [3, 1_000_500_000_000_000_000_000n]);
  const decoded = decodeCall(book, { to: book.addressOf("StakeVault"), data, value: 0n }, ME);
  assert.equal(decoded.deed, "Stake tokens in a role");
  assert.deepEqual(
    decoded.lines.map(line => `${line.name}: ${line.text}`),
    ["role: verifier", "amount: 1,000.5 ASY"],
  );
});

test("an order's terms read in human units", () => {
  const call = vectors.calls.find(one => one.name === "putWithPermit");
  assert.ok(call);
  const { lines } = decodeCall(book, { to: book.addressOf("OrderBook"), data: call.data, value: 0n }, ME);
  const text = Object.fromEntries(lines.map(line => [line.name, line.text]));
  assert.equal(text["terms › reward"], "100 ASY");
  assert.equal(text["terms › time to train"], "1 hour 1 minute");
  assert.equal(text["terms › score function"], "accuracy");
  assert.equal(text["terms › least mean score"], "none");
  assert.match(text["terms › manifest"] ?? "", /^Qm[1-9A-Za-z]{44}$/);
  assert.match(text["terms › max model bytes"] ?? "", /^1 MiB/);
});

test("what cannot be explained to the last byte is not signed", () => {
  const data = book.encode("StakeVault", "bond", [3, 1n]);
  const refuse = (call: Parameters<typeof decodeCall>[1], why: RegExp) =>
    assert.throws(
      () => decodeCall(book, call, ME),
      (error: unknown) => error instanceof Unexplained && why.test(error.message),
    );
  refuse({ to: OTHER, data, value: 0n }, /none of this deployment's contracts/);
  refuse({ to: book.addressOf("StakeVault"), data: concat([data, "0x00"]), value: 0n }, /more bytes/);
  refuse({ to: book.addressOf("StakeVault"), data: "0xdeadbeef", value: 0n }, /none of its functions/);
  refuse({ to: book.addressOf("StakeVault"), data: "0x", value: 0n }, /none of its functions/);
  refuse({ to: book.addressOf("StakeVault"), data, value: 1n }, /coins/);
});

test("frequent errors say what to do, with names and units", () => {
  const explain = (contract: string, errorName: string, args: readonly unknown[]) =>
    explainRevert(book, encodeErrorResult({ abi: book.abiOf(contract), errorName, args }), contract, names).text;
  assert.equal(
    explain("StakeVault", "InsufficientFreeBond", [ME, 1, 5n * 10n ** 18n, 2n * 10n ** 18n]),
    "As provider you have 2 ASY that nothing locks; this takes 5 ASY.",
  );
  assert.match(
    explain("StakeVault", "StillExiting", [1700000100n, 1700000000n]),
    /2023-11-14.* in 1 minute 40 seconds\.$/,
  );
  assert.match(explain("OrderBook", "WrongPhase", [7n, 1, 5]), /Order 7 is in the phase “challenge”.*“training”/);
  assert.match(explain("OrderBook", "NotTheClient", [7n, OTHER, ME]), /order 7, 0x7099.*, may do this, not you\.$/);
  assert.match(
    explain("OrderBook", "WindowOutOfBounds", ["trainSeconds", 1n, 60n, 3600n]),
    /time to train.*1 second;.*1 minute and 1 hour/,
  );
});

test("reverts without a known reason say so", () => {
  assert.match(explainRevert(book, "0x", "OrderBook", names).text, /without giving a reason/);
  assert.match(explainRevert(book, "0xdeadbeef", "OrderBook", names).text, /nobody here knows \(0xdeadbeef\)/);
  assert.match(explainRevert(book, `0x4e487b71${"0".repeat(62)}11`, "OrderBook", names).text, /too large or too small/);
  const reason = encodeErrorResult({
    abi: [{ type: "error", name: "Error", inputs: [{ type: "string" }] }],
    args: ["no <b>"],
  });
  assert.equal(explainRevert(book, reason, "OrderBook", names).text, "The contract refuses: no <b>");
  assert.match(explainRevert(book, "0x08c379a0ff", "OrderBook", names).text, /cannot be read/);
});

test("a permit is hashed as Python and the token hash it", () => {
  const typed = vectors.permit.typedData as Parameters<typeof hashTypedData>[0] & {
    domain: { name: string; version: string; chainId: number; verifyingContract: `0x${string}` };
    message: { owner: `0x${string}`; spender: `0x${string}`; value: number; nonce: number; deadline: number };
  };
  const { owner, spender, value, nonce, deadline } = typed.message;
  const permit = { owner, spender, value: BigInt(value), nonce: BigInt(nonce), deadline: BigInt(deadline) };
  const made = permitTypedData(typed.domain, permit) as typeof typed;
  assert.equal(hashTypedData(made), vectors.permit.digest);
  assert.equal(splitSignature(`0x${"11".repeat(32)}${"22".repeat(32)}01`).v, 28);
  assert.throws(() => splitSignature("0x1234"), /cannot check/);
});
