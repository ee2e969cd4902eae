// What the wallet's views share: one connection, one deployment, one list of transactions for the page.
import type { Abi, Address } from "viem";
import { get } from "../api/fetch";
import type { About } from "../api/types";
import { AbiBook } from "./abi-book";
import { Connection } from "./connection";
import { Ledger } from "./ledger";
import type { Target } from "./networks";
import { Transactor } from "./transactor";

/** The deployment that this page is about, and what can be done with it. */
export interface Deployment {
  readonly about: About;
  readonly target: Target;
  readonly book: AbiBook;
  readonly ledger: Ledger;
  readonly transactor: Transactor;
}

export const connection = new Connection(localStorage);

let loading: Promise<Deployment> | null = null;

/** Fetched once; a failure is not remembered. Throws ApiError. */
export async function loadDeployment(): Promise<Deployment> {
  loading ??= load().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load(): Promise<Deployment> {
  const [about, abis] = await Promise.all([get<About>("/api/about"), get<Record<string, Abi>>("/api/abi")]);
  const book = new AbiBook(abis, about.contracts as Record<string, Address>);
  const target = { chainId: about.chain_id, name: about.network, endpoint: about.endpoint };
  const key = `assay.transactions.${about.chain_id}.${about.genesis.slice(0, 18)}`;
  const provider = () => {
    const { wallet, chainId } = connection.store.value;
    return wallet !== null && chainId === target.chainId ? wallet.provider : null;
  };
  const ledger = new Ledger(localStorage, key, book, provider);
  return { about, target, book, ledger, transactor: new Transactor(book, connection, ledger, target) };
}
