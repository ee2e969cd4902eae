import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnnouncement } from "../src/wallet/discovery";
import { readFailure } from "../src/wallet/failures";
import { bidFor, costOf } from "../src/wallet/fees";
import { follow, type Observation, type Progress, SENT } from "../src/wallet/follow";
import { addChainParameters } from "../src/wallet/networks";
import { bytesSize, decimal, duration, parseDuration, parseTokens, ppm, time, tokens } from "../src/wallet/units";

test("amounts are exact in both directions", () => {
  for (const text of ["1", "0.5", "1,000,000.000000000000000001", "123456789.987654321"]) {
    assert.equal(tokens(parseTokens(text)), `${text.includes(",") ? text : grouped(text)} ASY`);
  }
  for (const text of ["", "0", "-1", "1e3", "1,5", "1,0000", "1 000", "1.0000000000000000001", "abc", "."])
    assert.throws(() => parseTokens(text), text);
  assert.equal(decimal(123_456n, 4, 2), "≈ 12.34");
  assert.equal(decimal(-5n, 1), "−0.5");
  assert.equal(ppm(150_000n), "15 %");
});

function grouped(text: string): string {
  const [whole = "", rest] = text.split(".");
  return `${Number(whole).toLocaleString("en-GB")}${rest ? `.${rest}` : ""}`;
}

test("times and sizes", () => {
  assert.equal(duration(3900), "1 hour 5 minutes");
  assert.equal(duration(0n), "0 seconds");
  assert.equal(parseDuration("2h"), 7200);
  for (const text of ["", "0", "2w", "-1s", "1.5h"]) assert.throws(() => parseDuration(text), text);
  assert.equal(time(0n), "never");
  assert.equal(time(1_700_000_000n), "2023-11-14 22:13:20 UTC");
  assert.equal(time(2n ** 64n - 1n), "18,446,744,073,709,551,615");
  assert.equal(bytesSize(33_554_432n), "32 MiB (33,554,432 bytes)");
});

test("gas is priced by the market there is", () => {
  assert.deepEqual(bidFor({ baseFee: 0n, gasPrice: 5n, tip: 1n }), { kind: "legacy", price: 5n });
  assert.deepEqual(bidFor({ baseFee: null, gasPrice: 5n, tip: null }), { kind: "legacy", price: 5n });
  assert.deepEqual(bidFor({ baseFee: 10n, gasPrice: 12n, tip: null }), { kind: "eip1559", maximum: 22n, tip: 2n });
  assert.deepEqual(costOf(100n, { baseFee: 10n, gasPrice: 12n, tip: 3n }), { likely: 1300n, most: 125n * 23n });
});

const NOTHING: Observation = { receipt: null, known: true, nonceUsed: false, final: null };
const stages = (...seen: Partial<Observation>[]) => {
  let progress: Progress = SENT;
  return seen.map(one => {
    progress = follow(progress, { ...NOTHING, ...one });
    return progress.stage;
  });
};

test("a transaction is followed to its end", () => {
  const receipt = { block: 7n, succeeded: true };
  assert.deepEqual(stages({}, { receipt, final: 6n }, { receipt, final: 7n }), ["sent", "mined", "final"]);
  assert.deepEqual(stages({ receipt: { block: 7n, succeeded: false } }), ["reverted"]);
});

test("a reorganisation shows, and so does what comes of it", () => {
  const receipt = { block: 7n, succeeded: true };
  assert.deepEqual(stages({ receipt }, {}, { receipt, final: 9n }), ["mined", "reorganised", "final"]);
  const gone = { known: false };
  assert.deepEqual(stages({ receipt }, gone, gone, gone), ["mined", "reorganised", "reorganised", "lost"]);
  assert.deepEqual(stages(gone, gone, gone, { receipt }), ["sent", "sent", "lost", "mined"]);
  const replaced = { known: false, nonceUsed: true };
  assert.deepEqual(stages({}, replaced, replaced, replaced), ["sent", "sent", "sent", "replaced"]);
});

test("wallets' errors are found in whatever they are wrapped", () => {
  assert.equal(
    readFailure({ code: 4001, message: "User rejected" }).message,
    "You declined in the wallet. Nothing was sent.",
  );
  assert.equal(readFailure({ code: -32603, data: { originalError: { code: 4902 } } }).code, 4902);
  assert.equal(readFailure({ code: 3, message: "execution reverted", data: "0x1234" }).data, "0x1234");
  assert.equal(readFailure({ code: -32000, message: "x", data: { data: "0xab" } }).data, "0xab");
  assert.match(readFailure({ message: "y".repeat(1000) }).message, /^The wallet said: y{300}…$/);
  assert.match(readFailure("boom").message, /nothing/);
  const circular: Record<string, unknown> = { message: "round" };
  circular.cause = circular;
  assert.equal(readFailure(circular).message, "The wallet said: round");
});

test("announcements are believed no further than they must be", () => {
  const provider = { request: async () => null };
  const read = (info: unknown, by: unknown = provider) => readAnnouncement({ info, provider: by });
  assert.equal(read({ rdns: "org.example", name: "Example", uuid: "1" })?.name, "Example");
  assert.equal(read({ rdns: "org.example", name: "x".repeat(500) })?.name.length, 40);
  assert.equal(read({ rdns: "a", name: "b", icon: "https://elsewhere.example/icon.png" })?.icon, null);
  assert.equal(read({ rdns: "a", name: "b", icon: "data:image/png;base64,AA==" })?.icon, "data:image/png;base64,AA==");
  for (const bad of [null, "text", {}, { name: 1 }]) assert.equal(read(bad), null);
  assert.equal(read({ rdns: "a", name: "b" }, {}), null);
});

test("a wallet is told about networks that it can reach", () => {
  const anvil = addChainParameters({ chainId: 31337, name: "anvil", endpoint: "http://127.0.0.1:8545" });
  assert.deepEqual([anvil?.chainId, anvil?.rpcUrls], ["0x7a69", ["http://127.0.0.1:8545"]]);
  const testnet = addChainParameters({ chainId: 97, name: "bsc-testnet", endpoint: "https://node.example/…" });
  assert.equal(testnet?.chainId, "0x61");
  assert.doesNotMatch(JSON.stringify(testnet), /node\.example/);
  assert.equal(addChainParameters({ chainId: 5, name: "x", endpoint: "https://node.example/…" }), null);
});
