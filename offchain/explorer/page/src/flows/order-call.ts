// What the page checks of the call that puts an order, and how it learns which order it became.
import { type Hex, parseEventLogs, type RpcLog } from "viem";
import { type AbiBook, Unexplained } from "../wallet/abi-book";
import type { Call } from "../wallet/decode";
import { isRecord, type Provider } from "../wallet/eip1193";
import { ask } from "../wallet/node";
import { fieldValues } from "../wallet/values";

/** The call, if it escrows this reward for this test set and does nothing else. Throws Unexplained. */
export function requireOrder(book: AbiBook, call: Call, expected: { reward: bigint; commitment: Hex }): Call {
  const found = book.decodeCall(call.to, call.data);
  const [terms] = found.values;
  const [reward, , commitment] = "components" in (found.inputs[0] ?? {}) ? termsOf(found.inputs[0], terms) : [];
  if (found.contract !== "OrderBook" || found.name !== "putWithPermit")
    throw new Unexplained("The desk's call puts no order.");
  if (reward !== expected.reward || commitment !== expected.commitment.toLowerCase()) {
    throw new Unexplained("The desk's call is about another order than the one you were shown: not signed.");
  }
  return call;
}

function termsOf(input: unknown, value: unknown): readonly unknown[] {
  return isRecord(input) && Array.isArray(input.components) ? fieldValues(input.components, value) : [];
}

/** The number of the order that a transaction has put, or null. */
export async function orderOf(provider: Provider, book: AbiBook, hash: Hex): Promise<string | null> {
  const receipt = await ask(provider, "eth_getTransactionReceipt", hash);
  const logs = isRecord(receipt) && Array.isArray(receipt.logs) ? (receipt.logs as RpcLog[]) : [];
  const ours = logs.filter(log => log.address.toLowerCase() === book.addressOf("OrderBook").toLowerCase());
  const [put] = parseEventLogs({ abi: book.abiOf("OrderBook"), eventName: "OrderPut", logs: ours as never });
  const args: unknown = put && "args" in put ? put.args : null;
  return isRecord(args) && typeof args.oid === "bigint" ? args.oid.toString() : null;
}
