// Positional Merkle trees and blobs (docs/dispute.md, Trees). Twin of `offchain/model/merkle.py` and `blobs.py`.
import { joined, keccak } from "./bytes";

export const CHUNK = 1024;

/** A parent is keccak256(left ‖ right); an odd last node moves up unchanged. Zero over no leaves. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const pair = level.slice(at, at + 2);
      next.push(pair.length === 2 ? keccak(joined(pair)) : (pair[0] ?? new Uint8Array(32)));
    }
    level = next;
  }
  return level[0] ?? new Uint8Array(32);
}

/** The root of bytes of any length: the tree over the keccak256 of chunks of 1,024 bytes. */
export function blobRoot(data: Uint8Array): Uint8Array {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < data.length || at === 0; at += CHUNK) leaves.push(keccak(data.subarray(at, at + CHUNK)));
  return rootOf(leaves);
}
