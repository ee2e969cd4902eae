// The CID of a file from its bytes: UnixFS in Kubo's classic profile, 256 KiB dag-pb leaves, up to 174 links a branch.
// Twin of `offchain/storage/unixfs.py` and `dagpb.py`.

import { toBase58 } from "./base58";
import { joined, sha256 } from "./bytes";

export interface Profile {
  readonly chunk: number;
  readonly links: number;
}

export const CANONICAL: Profile = { chunk: 256 * 1024, links: 174 };

/** A child of a branch: SHA-256 of its block, file bytes below it, bytes of its block and all blocks below. */
interface Link {
  readonly digest: Uint8Array;
  readonly size: number;
  readonly total: number;
}

const FILE = [0x08, 0x02];
const MULTIHASH = [0x12, 32];

/** The digest of a file's root block. */
export function digestOf(data: Uint8Array, profile: Profile = CANONICAL): Uint8Array {
  let level: Link[] = [];
  for (let at = 0; at < data.length || at === 0; at += profile.chunk) {
    level.push(linkTo(encodeLeaf(data.subarray(at, at + profile.chunk)), Math.min(profile.chunk, data.length - at), 0));
  }
  while (level.length > 1) {
    const parents: Link[] = [];
    for (let at = 0; at < level.length; at += profile.links) parents.push(branch(level.slice(at, at + profile.links)));
    level = parents;
  }
  const [root] = level;
  if (!root) throw new Error("a tree without a root");
  return root.digest;
}

/** The CIDv0 of a file. */
export function cidOf(data: Uint8Array, profile: Profile = CANONICAL): string {
  return toBase58(Uint8Array.from([...MULTIHASH, ...digestOf(data, profile)]));
}

function linkTo(block: Uint8Array, size: number, below: number): Link {
  return { digest: sha256(block), size, total: block.length + below };
}

function branch(links: readonly Link[]): Link {
  const size = sum(links.map(link => link.size));
  return linkTo(encodeBranch(links), size, sum(links.map(link => link.total)));
}

function encodeLeaf(data: Uint8Array): Uint8Array {
  const before = [...FILE, ...(data.length > 0 ? [0x12, ...varint(data.length)] : [])];
  const after = [0x18, ...varint(data.length)];
  const length = varint(before.length + data.length + after.length);
  return joined([Uint8Array.from([0x0a, ...length, ...before]), data, Uint8Array.from(after)]);
}

function encodeBranch(links: readonly Link[]): Uint8Array {
  const parts = links.map(link => {
    const body = [0x0a, 34, ...MULTIHASH, ...link.digest, 0x12, 0x00, 0x18, ...varint(link.total)];
    return Uint8Array.from([0x12, ...varint(body.length), ...body]);
  });
  const sizes = links.flatMap(link => [0x20, ...varint(link.size)]);
  const data = [...FILE, 0x18, ...varint(sum(links.map(link => link.size))), ...sizes];
  return joined([...parts, Uint8Array.from([0x0a, ...varint(data.length), ...data])]);
}

/** Unsigned LEB128; by division, for sizes may be above 2^31. */
function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
