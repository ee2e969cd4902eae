/** A parameter as people read it: its unit follows from its name. */

import type { ComponentChildren } from "preact";
import { bytes, duration, grouped, words } from "../parts/format";
import { Amount, Hash } from "../parts/values";

const SECONDS = /_(seconds|delay)$|^(minimum|maximum)_window$/;
const AMOUNT = /_(minimum|bond|stake|penalty)$|^(minimum_reward|reward|bond)$/;
const HASH = /^(0x[0-9a-f]{64}|Qm[1-9A-HJ-NP-Za-km-z]{44})$/;
const WHOLE = /^-?\d+$/;

export function parameterValue(name: string, value: string | number): ComponentChildren {
  if (name.endsWith("_ppm")) return <span title={`${grouped(value)} millionths`}>{Number(value) / 10_000} %</span>;
  if (SECONDS.test(name)) return <span title={`${grouped(value)} s`}>{duration(Number(value))}</span>;
  if (name.endsWith("_bytes")) return bytes(Number(value));
  if (AMOUNT.test(name)) return <Amount wei={String(value)} />;
  if (HASH.test(String(value))) return <Hash hex={String(value)} what={words(name)} head={8} tail={4} />;
  return WHOLE.test(String(value)) ? grouped(value) : words(String(value).slice(0, LONGEST));
}

const LONGEST = 100;
