// The transactions that were sent from this page, followed until they are final; remembered between visits.
import { type Address, type Hex, isAddress, isHash } from "viem";
import type { AbiBook } from "./abi-book";
import { namesIn } from "./decode";
import { isRecord, type Provider } from "./eip1193";
import { explainRevert } from "./errors";
import { readFailure } from "./failures";
import { follow, type Progress, SENT } from "./follow";
import { ask, observe } from "./node";
import { Store } from "./store";

export interface Sent {
  readonly hash: Hex;
  readonly account: Address;
  readonly deed: string;
  readonly nonce: bigint | null;
  readonly progress: Progress;
  /** Why it reverted, where that could be found out. */
  readonly reason: string | null;
}

interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const POLL_MS = 1000;
const MOST = 20;

export class Ledger {
  readonly store = new Store<readonly Sent[]>([]);
  /** The last final block, as the explorer's server tells it. */
  final: bigint | null = null;
  readonly #memory: Memory;
  readonly #key: string;
  readonly #book: AbiBook;
  readonly #provider: () => Provider | null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(memory: Memory, key: string, book: AbiBook, provider: () => Provider | null) {
    this.#memory = memory;
    this.#key = key;
    this.#book = book;
    this.#provider = provider;
    this.store.set(readSent(memory.getItem(key)));
  }

  add(hash: Hex, account: Address, deed: string): void {
    const sent: Sent = { hash, account, deed, nonce: null, progress: SENT, reason: null };
    this.#keep([sent, ...this.store.value.filter(other => other.hash !== hash)].slice(0, MOST));
    this.wake();
  }

  /** No longer shown, nor followed. */
  dismiss(hash: Hex): void {
    this.#keep(this.store.value.filter(sent => sent.hash !== hash));
  }

  /** Resolves once a block holds the transaction, or once it is certain or likely that none will. */
  async mined(hash: Hex): Promise<Progress> {
    return new Promise(resolve => {
      const look = () => {
        const progress = this.store.value.find(sent => sent.hash === hash)?.progress;
        if (progress && progress.block === null && !["lost", "replaced"].includes(progress.stage)) return;
        stop();
        resolve(progress ?? { ...SENT, stage: "lost" });
      };
      const stop = this.store.watch(look);
      look();
    });
  }

  /** Looks at all that is not settled, now and every second from now on until all is. */
  wake(): void {
    clearTimeout(this.#timer);
    void this.#look().finally(() => {
      clearTimeout(this.#timer);
      if (this.store.value.some(sent => !sent.progress.settled)) this.#timer = setTimeout(() => this.wake(), POLL_MS);
    });
  }

  async #look(): Promise<void> {
    const provider = this.#provider();
    if (provider === null) return;
    for (const sent of this.store.value.filter(one => !one.progress.settled)) {
      try {
        await this.#lookAt(provider, sent);
      } catch {
        return; // the wallet's node is away for a moment; the next look tells
      }
    }
  }

  async #lookAt(provider: Provider, sent: Sent): Promise<void> {
    const seen = await observe(provider, sent.hash, sent.account, sent.nonce, this.final);
    const progress = follow(sent.progress, seen);
    const asked = progress.stage === "reverted" && sent.reason === null;
    const reason = asked ? await this.#reasonOf(provider, sent.hash, progress.block) : sent.reason;
    const next: Sent = { ...sent, progress, reason, nonce: seen.nonce };
    if (plain(next) === plain(sent)) return;
    this.#keep(this.store.value.map(one => (one.hash === sent.hash ? next : one)));
  }

  /** Plays a reverted transaction once more, on the state before its block. */
  async #reasonOf(provider: Provider, hash: Hex, block: bigint | null): Promise<string | null> {
    const transaction = await ask(provider, "eth_getTransactionByHash", hash);
    if (!isRecord(transaction) || block === null) return null;
    const { from, to, input, value, gas } = transaction;
    try {
      await ask(provider, "eth_call", { from, to, data: input, value, gas }, `0x${(block - 1n).toString(16)}`);
      return null;
    } catch (error) {
      const { data } = readFailure(error);
      const contract = typeof to === "string" && isAddress(to) ? this.#book.contractAt(to) : null;
      return data === null ? null : explainRevert(this.#book, data, contract, namesIn(this.#book, null)).text;
    }
  }

  /** What is settled is shown as long as the page is open, and not remembered. */
  #keep(list: readonly Sent[]): void {
    this.store.set(list);
    const open = list.filter(sent => !sent.progress.settled);
    this.#memory.setItem(this.#key, JSON.stringify(open.map(({ hash, account, deed }) => ({ hash, account, deed }))));
  }
}

function plain(sent: Sent): string {
  return JSON.stringify(sent, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

/** What was remembered; anything odd is left out. */
function readSent(text: string | null): readonly Sent[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return (Array.isArray(list) ? list : []).slice(0, MOST).flatMap(one => {
      if (!isRecord(one) || typeof one.hash !== "string" || !isHash(one.hash)) return [];
      if (typeof one.account !== "string" || !isAddress(one.account) || typeof one.deed !== "string") return [];
      return [{ hash: one.hash, account: one.account, deed: one.deed, nonce: null, progress: SENT, reason: null }];
    });
  } catch {
    return [];
  }
}
