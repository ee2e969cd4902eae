// Bytes and the two hashes, in one place.
import { keccak256, sha256 as sha256Of } from "viem";

export function keccak(data: Uint8Array): Uint8Array {
  return keccak256(data, "bytes");
}

export function sha256(data: Uint8Array): Uint8Array {
  return sha256Of(data, "bytes");
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function hexOf(bytes: Uint8Array): `0x${string}` {
  return `0x${Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Throws when the text is not `0x` and an even number of hexadecimal digits. */
export function bytesOf(hex: string): Uint8Array {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(hex)) throw new Error("not hexadecimal");
  return Uint8Array.from({ length: (hex.length - 2) / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 + 2 * index, 4 + 2 * index), 16),
  );
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
