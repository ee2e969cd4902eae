// What waits for the connected account's signature, asked of the desk now and then, for the badge and the inbox.
import { useEffect } from "preact/hooks";
import type { Address } from "viem";
import { useFeed } from "../api/hooks";
import { Store, useStore } from "../wallet/store";
import { desk, type Outbox } from "./desk";

const POLL_MS = 3000;

const store = new Store<Outbox | null>(null);
let wake: () => void = () => undefined;

export function useInbox(): Outbox | null {
  return useStore(store);
}

/** Asks at once. */
export function refreshInbox(): void {
  wake();
}

/** Keeps the inbox of `account` up to date while it is mounted; null: there is none to keep. */
export function useInboxPolling(account: Address | null): void {
  const feed = useFeed();
  useEffect(() => {
    store.set(null);
    if (account === null) return;
    const control = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      clearTimeout(timer);
      try {
        const outbox = await desk.outbox(account, control.signal);
        if (!control.signal.aborted) store.set(outbox);
      } catch {
        // The desk is away for a moment; what it said last stays.
      }
      clearTimeout(timer);
      if (!control.signal.aborted) timer = setTimeout(() => void ask(), POLL_MS);
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), 200);
    };
    wake = soon;
    const stop = feed.listen(soon);
    void ask();
    return () => {
      control.abort();
      clearTimeout(timer);
      stop();
    };
  }, [account, feed]);
}
