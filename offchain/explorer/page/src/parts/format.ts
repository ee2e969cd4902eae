/** Numbers, times and names as people read them. Pure. */

import type { Seconds, Wei } from "../api/types";

const GROUPS = new Intl.NumberFormat("en-GB");
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** An integer in groups of three. */
export function grouped(value: number | bigint | string): string {
  try {
    return GROUPS.format(BigInt(value));
  } catch {
    return String(value);
  }
}

/** Wei as tokens with at most `places` digits after the point, rounded towards zero; tiny amounts are `<0.0001`. */
export function tokens(wei: Wei | bigint, decimals = 18, places = 4): string {
  let value: bigint;
  try {
    value = BigInt(wei);
  } catch {
    return String(wei);
  }
  const sign = value < 0n ? "−" : "";
  const size = value < 0n ? -value : value;
  const unit = 10n ** BigInt(decimals);
  const fraction = (size % unit).toString().padStart(decimals, "0").slice(0, places).replace(/0+$/, "");
  if (size > 0n && size < unit && fraction === "") return `${sign}<${1 / 10 ** places}`;
  return sign + grouped(size / unit) + (fraction ? `.${fraction}` : "");
}

/** A large amount in few characters: 1.00 bn, 12.3 M. */
export function compact(wei: Wei | bigint, decimals = 18): string {
  const whole = BigInt(wei) / 10n ** BigInt(decimals);
  for (const [unit, name] of [
    [1_000_000_000n, "bn"],
    [1_000_000n, "M"],
  ] as const) {
    if (whole >= unit) return `${(Number((whole * 100n) / unit) / 100).toFixed(2)} ${name}`;
  }
  return tokens(wei, decimals, 2);
}

/** 0x1234…abcd */
export function short(hex: string, head = 6, tail = 4): string {
  return hex.length <= head + tail + 1 ? hex : `${hex.slice(0, head)}…${hex.slice(-tail)}`;
}

/** An enumeration's name in words: score_commit is "score commit". */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** ScoresRevealed is "scores revealed". */
export function spaced(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

/** What transactions that emit this event did. A constructor emits no event of its own but this one. */
export function actionName(event: string): string {
  return event === "OwnershipTransferred" ? "Deployment" : capital(spaced(event));
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function moment(at: Seconds): string {
  return MOMENT.format(at * 1000);
}

/** A duration with its two largest units: 2 d 3 h, 4 min 5 s, 12 s. */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(total / 86400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 ** 2) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / 1024 ** 2).toFixed(1)} MiB`;
}

/** "1 order", "2 orders" */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
