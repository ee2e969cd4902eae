// The wallet and the deployment as state of a view, and deeds that can fail.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConnectionState } from "./connection";
import type { Provider } from "./eip1193";
import type { Sent } from "./ledger";
import { connection, type Deployment, loadDeployment } from "./session";
import { Store, useStore } from "./store";

export function useConnection(): ConnectionState {
  return useStore(connection.store);
}

/** The deployment once it is here. */
export function useDeployment(): Deployment | null {
  const [deployment, set] = useState<Deployment | null>(null);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = () =>
      loadDeployment().then(
        found => !gone && set(found),
        () => {
          if (!gone) timer = setTimeout(load, 3000);
        },
      );
    void load();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  return deployment;
}

export interface Deed {
  readonly busy: boolean;
  /** What went wrong last time, in words. */
  readonly problem: string | null;
  /** Whether it was done: neither failed nor, as it resolved to null, given up. */
  run(action: () => Promise<unknown>): Promise<boolean>;
  fail(problem: string | null): void;
}

/** Runs one thing at a time and keeps what went wrong. */
export function useDeed(): Deed {
  const [busy, setBusy] = useState(false);
  const [problem, fail] = useState<string | null>(null);
  const running = useRef(false);
  const run = async (action: () => Promise<unknown>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    fail(null);
    try {
      return (await action()) !== null;
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, problem, run, fail };
}

/** A value from the wallet's node, read anew whenever `key` changes; null while it is not known, or cannot be. */
export function useRead<T>(key: string | null, read: () => Promise<T>): T | null {
  const [found, set] = useState<{ readonly key: string; readonly value: T } | null>(null);
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    if (key === null) return;
    let gone = false;
    latest.current().then(
      value => !gone && set({ key, value }),
      () => !gone && set(null),
    );
    return () => {
      gone = true;
    };
  }, [key]);
  // The last value stays until the next one is here, unless there is none to be had.
  return key === null ? null : (found?.value ?? null);
}

/** The provider to read through, while the wallet is on the right network; and a key that changes with its standing. */
export function useReader(deployment: Deployment | null): { readonly key: string; readonly provider: Provider } | null {
  const { wallet, account, chainId } = useConnection();
  const stages = useStore(deployment?.ledger.store ?? NONE).map(sent => sent.progress.stage);
  if (deployment === null || wallet === null || chainId !== deployment.target.chainId) return null;
  return { key: [wallet.id, account, chainId, ...stages].join(" "), provider: wallet.provider };
}

const NONE = new Store<readonly Sent[]>([]);

/** Whether the view was left: for what goes on in the background. */
export function useGone(): () => boolean {
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  return () => gone.current;
}
