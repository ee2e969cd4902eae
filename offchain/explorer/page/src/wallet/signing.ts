// EIP-2612 permits: what is signed so that a contract may take tokens once, without a transaction of its own. Pure.
import type { Address, Hex } from "viem";
import { time, tokens } from "./units";
import type { Line } from "./values";

/** Who lets whom take what. `deadline` in seconds of the chain's clock, `value` in wei. */
export interface Permit {
  readonly owner: Address;
  readonly spender: Address;
  readonly value: bigint;
  readonly nonce: bigint;
  readonly deadline: bigint;
}

export interface TokenDomain {
  readonly name: string;
  readonly version: string;
  readonly chainId: number;
  readonly verifyingContract: Address;
}

/** For `eth_signTypedData_v4`; integers as decimal text, which all wallets read exactly. */
export function permitTypedData(domain: TokenDomain, permit: Permit): Record<string, unknown> {
  return {
    types: {
      EIP712Domain: fields("name:string version:string chainId:uint256 verifyingContract:address"),
      Permit: fields("owner:address spender:address value:uint256 nonce:uint256 deadline:uint256"),
    },
    primaryType: "Permit",
    domain,
    message: {
      owner: permit.owner,
      spender: permit.spender,
      value: permit.value.toString(),
      nonce: permit.nonce.toString(),
      deadline: permit.deadline.toString(),
    },
  };
}

/** The permit as it is shown before it is signed. */
export function permitLines(permit: Permit, spender: string): readonly Line[] {
  return [
    { name: "spender", text: `${permit.spender} (${spender})`, raw: permit.spender },
    { name: "amount", text: tokens(permit.value), raw: permit.value.toString() },
    { name: "good until", text: time(permit.deadline), raw: permit.deadline.toString() },
  ];
}

export interface SplitSignature {
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

/** r, s and v of 65 bytes. Throws when it is no such signature; v of 0 or 1 is read as 27 or 28. */
export function splitSignature(signature: unknown): SplitSignature {
  if (typeof signature !== "string" || !/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw new Error("The wallet gave a signature that the token cannot check. Use an account with a key of its own.");
  }
  const last = Number.parseInt(signature.slice(130), 16);
  return { r: `0x${signature.slice(2, 66)}`, s: `0x${signature.slice(66, 130)}`, v: last < 27 ? last + 27 : last };
}

function fields(text: string): { name: string; type: string }[] {
  return text.split(" ").map(pair => {
    const [name = "", type = ""] = pair.split(":");
    return { name, type };
  });
}
