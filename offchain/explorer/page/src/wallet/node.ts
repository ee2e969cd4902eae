// The few questions that the page asks the node behind the wallet, strictly read.
import type { Abi, Address, Hex } from "viem";
import { decodeFunctionResult, encodeFunctionData } from "viem";
import { isRecord, type Provider } from "./eip1193";
import { Failure, readFailure } from "./failures";
import type { Market } from "./fees";
import type { Observation } from "./follow";

/** A transaction to be tried or sent. */
export interface Draft {
  readonly from: Address;
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint;
}

/** Asks; throws Failure, with what a contract reverted with where one did. */
export async function ask(provider: Provider, method: string, ...params: unknown[]): Promise<unknown> {
  try {
    return await provider.request({ method, params });
  } catch (error) {
    throw readFailure(error);
  }
}

export function draftFields(draft: Draft): Record<string, string> {
  return { from: draft.from, to: draft.to, data: draft.data, value: hex(draft.value) };
}

/** Runs it without sending it. Throws Failure with the revert's data. */
export async function simulate(provider: Provider, draft: Draft): Promise<void> {
  await ask(provider, "eth_call", draftFields(draft), "latest");
}

export async function estimateGas(provider: Provider, draft: Draft): Promise<bigint> {
  return quantity(await ask(provider, "eth_estimateGas", draftFields(draft)));
}

export async function readBalance(provider: Provider, account: Address): Promise<bigint> {
  return quantity(await ask(provider, "eth_getBalance", account, "latest"));
}

export async function readMarket(provider: Provider): Promise<Market> {
  const block = await latestBlock(provider);
  const gasPrice = quantity(await ask(provider, "eth_gasPrice"));
  const baseFee = block.baseFeePerGas === undefined ? null : quantity(block.baseFeePerGas);
  const tip = baseFee ? await ask(provider, "eth_maxPriorityFeePerGas").then(quantity, () => null) : null;
  return { baseFee, gasPrice, tip };
}

/** The chain's clock, in seconds. */
export async function readClock(provider: Provider): Promise<bigint> {
  return quantity((await latestBlock(provider)).timestamp);
}

async function latestBlock(provider: Provider): Promise<Record<string, unknown>> {
  const block = await ask(provider, "eth_getBlockByNumber", "latest", false);
  if (!isRecord(block)) throw new Failure("The wallet's node gave no block. Look at its network.");
  return block;
}

/** Calls a view function. Throws Failure. */
export async function read<T>(
  provider: Provider,
  to: Address,
  abi: Abi,
  functionName: string,
  args: readonly unknown[] = [],
): Promise<T> {
  const data = encodeFunctionData({ abi, functionName, args });
  const answer = await ask(provider, "eth_call", { to, data }, "latest");
  if (typeof answer !== "string" || answer === "0x") {
    throw new Failure(`The wallet's node knows no such contract at ${to}. Is the wallet on the right network?`);
  }
  return decodeFunctionResult({ abi, functionName, data: answer as Hex, args }) as T;
}

/** What can be seen of a transaction now; `nonce` is null while nobody knows its number. */
export async function observe(
  provider: Provider,
  hash: Hex,
  account: Address,
  nonce: bigint | null,
  final: bigint | null,
): Promise<Observation & { readonly nonce: bigint | null }> {
  const [receipt, transaction] = await Promise.all([
    ask(provider, "eth_getTransactionReceipt", hash),
    ask(provider, "eth_getTransactionByHash", hash),
  ]);
  const known = isRecord(transaction);
  const number = known && transaction.nonce !== undefined ? quantity(transaction.nonce) : nonce;
  const mined = isRecord(receipt) && typeof receipt.blockNumber === "string";
  const next =
    mined || number === null ? 0n : quantity(await ask(provider, "eth_getTransactionCount", account, "latest"));
  return {
    receipt: mined ? { block: quantity(receipt.blockNumber), succeeded: quantity(receipt.status) === 1n } : null,
    known: known || mined,
    nonceUsed: number !== null && next > number,
    final,
    nonce: number,
  };
}

/** A hexadecimal quantity of JSON-RPC. Throws Failure. */
export function quantity(value: unknown): bigint {
  if (typeof value === "string" && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value);
  throw new Failure("The wallet's node gave an answer that is no number. Look at its network.");
}

export function hex(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
