// Content identifiers: on chain a SHA-256, for people a CIDv0 (`Qm…`). Twin of `offchain/storage/cid.py`.
import { fromBase58, toBase58 } from "./base58";
import { bytesOf, hexOf, joined } from "./bytes";

const MULTIHASH = Uint8Array.of(0x12, 32);

/** CIDv0 of a `0x` digest; what is no digest of 32 bytes is given back as it is. Zero is "none". */
export function cidText(digest: string): string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(digest)) return digest;
  return /^0x0{64}$/.test(digest) ? "none" : toBase58(joined([MULTIHASH, bytesOf(digest)]));
}

/** The `0x` digest in a CIDv0. Throws when it is none. */
export function cidDigest(text: string): `0x${string}` {
  const raw = text.startsWith("Qm") && text.length <= 80 ? fromBase58(text) : new Uint8Array();
  if (raw.length !== 34 || raw[0] !== 0x12 || raw[1] !== 32) throw new Error(`${text.slice(0, 80)} is no CIDv0`);
  return hexOf(raw.subarray(2));
}
