/** Axes of charts. Pure. */

const STEPS = [1, 2, 2.5, 5, 10];

/** Round numbers that span a range, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find(item => item * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const found: number[] = [];
  for (let index = first; index * step <= high + step * 1e-9; index++)
    found.push(Number((index * step).toPrecision(12)));
  return found;
}

/** From a range of values to a range of pixels. */
export function scale(from: [number, number], to: [number, number]): (value: number) => number {
  const span = from[1] - from[0] || 1;
  return value => to[0] + ((value - from[0]) / span) * (to[1] - to[0]);
}

/** A value with as many digits as a reader needs. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 1) return value.toFixed(2);
  return value.toPrecision(3);
}
