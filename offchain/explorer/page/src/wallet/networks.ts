// Networks that a wallet may have to be told about (`wallet_addEthereumChain`).

/** What the explorer's server says of its chain. */
export interface Target {
  readonly chainId: number;
  readonly name: string;
  /** The node that the server talks to, if its address holds no secret; for development chains. */
  readonly endpoint: string;
}

export interface Known {
  readonly name: string;
  readonly coin: string;
  readonly urls: readonly string[];
  readonly explorer: string | null;
}

const KNOWN: Readonly<Record<number, Known>> = {
  56: {
    name: "BNB Smart Chain",
    coin: "BNB",
    urls: ["https://bsc-dataseed.bnbchain.org"],
    explorer: "https://bscscan.com",
  },
  97: {
    name: "BNB Smart Chain Testnet",
    coin: "tBNB",
    urls: ["https://data-seed-prebsc-1-s1.bnbchain.org:8545"],
    explorer: "https://testnet.bscscan.com",
  },
  31337: { name: "Anvil", coin: "ETH", urls: [], explorer: null },
  1337: { name: "Assay development chain", coin: "ETH", urls: [], explorer: null },
};

/** The chain as people call it, and the symbol of its coin. */
export function networkOf(target: Target): Known {
  return (
    KNOWN[target.chainId] ?? { name: target.name || `Chain ${target.chainId}`, coin: "coins", urls: [], explorer: null }
  );
}

/** The parameters of `wallet_addEthereumChain`, or null when no address of a node can be given to a wallet. */
export function addChainParameters(target: Target): Record<string, unknown> | null {
  const known = networkOf(target);
  const urls = local(target.endpoint) ? [target.endpoint] : known.urls;
  if (urls.length === 0) return null;
  return {
    chainId: `0x${target.chainId.toString(16)}`,
    chainName: known.name,
    nativeCurrency: { name: known.coin, symbol: known.coin === "coins" ? "COIN" : known.coin, decimals: 18 },
    rpcUrls: urls,
    ...(known.explorer ? { blockExplorerUrls: [known.explorer] } : {}),
  };
}

/** A node beside this browser: the only one of the server's whose address a wallet can use, too. */
function local(endpoint: string): boolean {
  return /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\/?$/.test(endpoint);
}
