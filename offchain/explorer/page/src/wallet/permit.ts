// Prepares a permit from what the chain says, shows it, has it signed.
import type { Address } from "viem";
import type { AbiBook } from "./abi-book";
import type { Provider } from "./eip1193";
import { Failure } from "./failures";
import type { Target } from "./networks";
import { ask, read, readClock } from "./node";
import {
  type Permit,
  permitLines,
  permitTypedData,
  type SplitSignature,
  splitSignature,
  type TokenDomain,
} from "./signing";
import { tokens } from "./units";
import type { Line } from "./values";

export interface PreparedPermit {
  readonly permit: Permit;
  readonly typedData: Record<string, unknown>;
  readonly lines: readonly Line[];
}

export interface SignedPermit extends SplitSignature {
  readonly signature: `0x${string}`;
  readonly deadline: bigint;
  readonly value: bigint;
}

const GOOD_FOR_SECONDS = 3600n;
const TOKEN = "UtilityToken";

/** Throws Failure when the owner has less than `value`. */
export async function preparePermit(
  provider: Provider,
  book: AbiBook,
  target: Target,
  owner: Address,
  spender: string,
  value: bigint,
): Promise<PreparedPermit> {
  const token = book.addressOf(TOKEN);
  const abi = book.abiOf(TOKEN);
  const [balance, nonce, name, clock] = await Promise.all([
    read<bigint>(provider, token, abi, "balanceOf", [owner]),
    read<bigint>(provider, token, abi, "nonces", [owner]),
    read<string>(provider, token, abi, "name"),
    readClock(provider),
  ]);
  if (balance < value) {
    throw new Failure(`You have ${tokens(balance)}; this takes ${tokens(value)}. Get tokens first.`);
  }
  const domain: TokenDomain = { name, version: "1", chainId: target.chainId, verifyingContract: token };
  const permit: Permit = { owner, spender: book.addressOf(spender), value, nonce, deadline: clock + GOOD_FOR_SECONDS };
  return { permit, typedData: permitTypedData(domain, permit), lines: permitLines(permit, spender) };
}

/** Throws Failure when the wallet declines. */
export async function signPermit(provider: Provider, prepared: PreparedPermit): Promise<SignedPermit> {
  const { owner, deadline, value } = prepared.permit;
  const signature = await ask(provider, "eth_signTypedData_v4", owner, JSON.stringify(prepared.typedData));
  return { ...splitSignature(signature), signature: signature as `0x${string}`, deadline, value };
}
