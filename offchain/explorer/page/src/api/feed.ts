/** What the page knows of the chain as it goes: the head, the clock, whether the stream lives, and what happened. */

import type { Address, Seconds } from "./types";

export type Connection = "connecting" | "live" | "lost";

/** An event of the chain, as the stream tells it. */
export interface Happening {
  contract: string;
  name: string;
  oid: number | null;
  dispute: number | null;
  task: number | null;
  accounts: Address[];
}

/** `null`: anything may have changed (a reorganisation, a stream that begins anew). */
export type OnHappening = (happening: Happening | null) => void;

export interface FeedState {
  connection: Connection;
  number: number;
  final: number | null;
  /** of the chain's clock at the head, and when this machine heard of it (its own clock, milliseconds) */
  timestamp: Seconds;
  heardAt: number;
  /** the block from which on the chain was last reorganised */
  rollback: number | null;
  /** how many times; two rollbacks to one block are two notices */
  rollbacks: number;
}

const START: FeedState = {
  connection: "connecting",
  number: 0,
  final: null,
  timestamp: 0,
  heardAt: 0,
  rollback: null,
  rollbacks: 0,
};

function record(data: unknown): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(String(data));
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

export class Feed {
  state: FeedState = START;
  private readonly watchers = new Set<() => void>();
  private readonly listeners = new Set<OnHappening>();
  private source: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly url: string) {}

  open(): void {
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("open", () => {
      const again = this.state.connection === "lost";
      this.change({ connection: "live" });
      if (again) this.tell(null);
    });
    source.addEventListener("error", () => {
      this.change({ connection: "lost" });
      // The browser tries again by itself unless the server refused.
      if (source.readyState === EventSource.CLOSED) this.retry = setTimeout(() => this.open(), 3000);
    });
    source.addEventListener("head", event => this.onHead(record(event.data)));
    source.addEventListener("event", event => this.onEvent(record(event.data)));
    source.addEventListener("rollback", event => {
      const block = number(record(event.data).block);
      this.change({ rollback: block, rollbacks: this.state.rollbacks + 1 });
      this.tell(null);
    });
    source.addEventListener("reset", () => this.tell(null));
  }

  close(): void {
    clearTimeout(this.retry);
    this.source?.close();
  }

  /** The head as an answer of the server showed it, before the stream has said anything. */
  seed(head: { number: number; timestamp: Seconds }, final: number | null): void {
    if (this.state.number === 0) this.change({ ...head, final, heardAt: Date.now() });
  }

  /** The chain's clock by now: its head's time and what went by here since. */
  now(): Seconds {
    const { timestamp, heardAt } = this.state;
    return timestamp === 0 ? Math.floor(Date.now() / 1000) : timestamp + Math.floor((Date.now() - heardAt) / 1000);
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  listen(listener: OnHappening): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dismissRollback(): void {
    this.change({ rollback: null });
  }

  private onHead(head: Record<string, unknown>): void {
    const block = number(head.number);
    const timestamp = number(head.timestamp);
    if (block === null || timestamp === null) return;
    this.change({ number: block, timestamp, heardAt: Date.now(), final: number(head.final), connection: "live" });
  }

  private onEvent(event: Record<string, unknown>): void {
    this.tell({
      contract: String(event.contract ?? ""),
      name: String(event.name ?? ""),
      oid: number(event.oid),
      dispute: number(event.dispute),
      task: number(event.task),
      accounts: Array.isArray(event.accounts) ? event.accounts.map(String) : [],
    });
  }

  private change(part: Partial<FeedState>): void {
    this.state = { ...this.state, ...part };
    for (const watcher of this.watchers) watcher();
  }

  private tell(happening: Happening | null): void {
    for (const listener of this.listeners) listener(happening);
  }
}
