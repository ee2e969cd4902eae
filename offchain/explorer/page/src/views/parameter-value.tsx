/** A parameter as people read it: its unit follows from its name. */

import type { ComponentChildren } from "preact";
import { bytes, duration, grouped } from "../parts/format";
import { Amount } from "../parts/values";

const SECONDS = /_(seconds|delay)$|^(minimum|maximum)_window$/;
const AMOUNT = /_(minimum|bond|stake)$|^minimum_reward$/;

export function parameterValue(name: string, value: string | number): ComponentChildren {
  if (name.endsWith("_ppm")) return <span title={`${grouped(value)} millionths`}>{Number(value) / 10_000} %</span>;
  if (SECONDS.test(name)) return <span title={`${grouped(value)} s`}>{duration(Number(value))}</span>;
  if (name.endsWith("_bytes")) return bytes(Number(value));
  if (AMOUNT.test(name)) return <Amount wei={String(value)} />;
  return grouped(value);
}
