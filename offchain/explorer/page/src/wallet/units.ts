// Numbers as people read and write them, and back. All amounts are exact: bigint in, bigint out.

import { grouped } from "../parts/format";

export const TOKEN_DECIMALS = 18;
const SYMBOL = "ASY";
const UNITS: readonly (readonly [string, number])[] = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const LETTERS: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600, d: 86400 };

/** A fixed-point number without trailing zeros; `places` cuts off what is behind them (marked by ≈). */
export function decimal(value: bigint, decimals: number, places = decimals): string {
  const size = value < 0n ? -value : value;
  const base = 10n ** BigInt(decimals);
  const rest = (size % base).toString().padStart(decimals, "0");
  const shown = rest.slice(0, places).replace(/0+$/, "");
  const cut = /[1-9]/.test(rest.slice(places));
  const whole = grouped(size / base);
  return `${cut ? "≈ " : ""}${value < 0n ? "−" : ""}${whole}${shown && `.${shown}`}`;
}

/** Wei of the utility token: 1,000.5 ASY. */
export function tokens(wei: bigint): string {
  return `${decimal(wei, TOKEN_DECIMALS)} ${SYMBOL}`;
}

/** Wei of the chain's coin, to six places. */
export function coins(wei: bigint, symbol: string): string {
  return `${decimal(wei, TOKEN_DECIMALS, 6)} ${symbol}`;
}

/** Tokens that somebody typed, in wei. Throws with what to write instead. */
export function parseTokens(text: string): bigint {
  // Commas only as separators of thousands: 1,5 must not become 15.
  const found = /^(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,18}))?$/.exec(text.trim());
  const whole = (found?.[1] ?? "").replaceAll(",", "");
  const wei = found ? BigInt(whole + (found[2] ?? "").padEnd(TOKEN_DECIMALS, "0")) : 0n;
  if (wei === 0n) throw new Error("Write a positive amount with at most 18 decimals, such as 100 or 0.5.");
  return wei;
}

/** Seconds that somebody typed as 90, 90s, 10m, 2h or 3d. Throws with what to write instead. */
export function parseDuration(text: string): number {
  const found = /^(\d{1,9})\s*([smhd]?)$/.exec(text.trim());
  const seconds = found ? Number(found[1]) * (LETTERS[found[2] ?? ""] ?? 1) : 0;
  if (seconds === 0) throw new Error("Write a duration such as 90s, 10m, 2h or 3d.");
  return seconds;
}

/** Seconds in words, exactly: 3,900 is "1 hour 5 minutes". */
export function duration(seconds: bigint | number): string {
  let rest = BigInt(seconds);
  const parts: string[] = [];
  for (const [name, size] of UNITS) {
    const count = rest / BigInt(size);
    rest %= BigInt(size);
    if (count > 0n) parts.push(`${grouped(count)} ${name}${count === 1n ? "" : "s"}`);
  }
  return parts.join(" ") || "0 seconds";
}

/** A time of the chain's clock, UTC. Numbers that are no such time are shown as they are. */
export function time(seconds: bigint): string {
  if (seconds === 0n) return "never";
  if (seconds > 253402300799n) return grouped(seconds);
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Bytes: 33554432 is "32 MiB (33,554,432 bytes)". */
export function bytesSize(size: bigint): string {
  const exact = `${grouped(size)} byte${size === 1n ? "" : "s"}`;
  for (const [name, power] of [
    ["GiB", 30n],
    ["MiB", 20n],
    ["KiB", 10n],
  ] as const) {
    const unit = 1n << power;
    if (size >= unit) return `${decimal((size * 100n) / unit, 2)} ${name} (${exact})`;
  }
  return exact;
}

/** Parts per million as a percentage. */
export function ppm(value: bigint): string {
  return `${decimal(value, 4)} %`;
}
