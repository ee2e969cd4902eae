// A call as it is shown before it is signed: from its own bytes, by the ABI, never from what a server says of it. Pure.
import type { Address, Hex } from "viem";
import { type AbiBook, Unexplained } from "./abi-book";
import { type Line, linesOf, type NameOf } from "./values";
import { deedOf } from "./words";

/** A transaction before it is signed. `label` is somebody's words about it, shown as such or not at all. */
export interface Call {
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint;
}

export interface DecodedCall {
  readonly contract: string;
  readonly address: Address;
  readonly name: string;
  readonly deed: string;
  readonly lines: readonly Line[];
  readonly value: bigint;
}

/** What a call does. Throws Unexplained when that cannot be said to the last byte, or when it would send coins. */
export function decodeCall(book: AbiBook, call: Call, account: Address): DecodedCall {
  const found = book.decodeCall(call.to, call.data);
  if (call.value !== 0n)
    throw new Unexplained(`This would send coins to ${found.contract}, which takes none: not signed.`);
  return {
    contract: found.contract,
    address: call.to,
    name: found.name,
    deed: deedOf(found.contract, found.name),
    lines: linesOf(found.inputs, found.values, namesIn(book, account)),
    value: call.value,
  };
}

/** Names of addresses as `account` sees them. */
export function namesIn(book: AbiBook, account: Address | null): NameOf {
  return address => {
    if (account !== null && address.toLowerCase() === account.toLowerCase()) return "you";
    return /^0x[0-9a-fA-F]{40}$/.test(address) ? book.contractAt(address as Address) : null;
  };
}
