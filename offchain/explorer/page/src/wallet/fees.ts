// What a transaction costs, and how to bid for it. Pure.

/** In wei per gas. A legacy bid has no tip of its own. */
export type Bid =
  | { readonly kind: "legacy"; readonly price: bigint }
  | { readonly kind: "eip1559"; readonly maximum: bigint; readonly tip: bigint };

export interface Market {
  /** Of the latest block; null or 0 where there is no such market (BSC). */
  readonly baseFee: bigint | null;
  readonly gasPrice: bigint;
  /** What the node suggests as a tip; null when it does not say. */
  readonly tip: bigint | null;
}

/** `gas` with headroom: what a call takes can change until it is in a block. */
export function gasLimit(estimate: bigint): bigint {
  return (estimate * 125n) / 100n;
}

/** Twice the base fee and a tip: six full blocks in a row can double it. */
export function bidFor(market: Market): Bid {
  if (!market.baseFee) return { kind: "legacy", price: market.gasPrice };
  const tip = market.tip ?? (market.gasPrice > market.baseFee ? market.gasPrice - market.baseFee : 1n);
  return { kind: "eip1559", maximum: 2n * market.baseFee + tip, tip };
}

/** Wei: what is likely to be paid, and the most that can be. */
export function costOf(estimate: bigint, market: Market): { readonly likely: bigint; readonly most: bigint } {
  const bid = bidFor(market);
  const most = gasLimit(estimate) * (bid.kind === "legacy" ? bid.price : bid.maximum);
  const price = bid.kind === "legacy" ? bid.price : (market.baseFee ?? 0n) + bid.tip;
  return { likely: estimate * price, most };
}
