/** Asks for one path, and again when its answer may have grown old: after events, at a time, or until a server is back. */

import type { Feed, Happening } from "./feed";
import { ApiError, get } from "./fetch";
import type { Seconds } from "./types";

export interface Answer<T> {
  data: T | null;
  error: ApiError | null;
}

export interface Rules<T> {
  /** whether this event of the chain can have changed the answer; without it, none can but a reorganisation */
  touched?: (happening: Happening) => boolean;
  /** when (chain's clock) the answer grows old by itself, as a phase does */
  expires?: (data: T) => Seconds | null;
  /** whether a part of it is still on its way from the store: no event tells when it has come */
  waits?: (data: T) => boolean;
}

/** Changes come in bursts: a block's events are one reason to ask again, not twenty. */
const SETTLE_MS = 150;
const RETRY_MS = 4000;
/** An unchanged answer costs the server a comparison. */
const WAIT_MS = 2000;
const LEAST_MS = 1000;
/** Past the end of a phase: its block may take a moment. */
const GRACE_MS = 300;
/** Beyond this a timer of the browser overflows and fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

export class Asking<T> {
  private readonly control = new AbortController();
  private readonly unlisten: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy = false;
  private dirty = false;

  constructor(
    private readonly path: string,
    private readonly feed: Feed,
    private readonly rules: () => Rules<T>,
    private readonly show: (part: Partial<Answer<T>>) => void,
  ) {
    this.unlisten = feed.listen(happening => {
      if (happening === null || rules().touched?.(happening)) this.change();
    });
    void this.ask();
  }

  stop(): void {
    this.control.abort();
    clearTimeout(this.timer);
    this.unlisten();
  }

  /** The answer may have changed. */
  change(): void {
    this.dirty = true;
    if (!this.busy) this.soon(SETTLE_MS);
  }

  private soon(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), delay);
  }

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    this.busy = true;
    this.dirty = false;
    try {
      const data = await get<T>(this.path, this.control.signal);
      this.show({ data, error: null });
      this.expire(data);
    } catch (error) {
      this.fail(error);
    }
    this.busy = false;
    if (this.dirty && !this.control.signal.aborted) this.soon(SETTLE_MS);
  }

  private expire(data: T): void {
    const at = this.rules().expires?.(data) ?? null;
    const old = at === null ? Infinity : Math.max(LEAST_MS, (at - this.feed.now()) * 1000 + GRACE_MS);
    const delay = this.rules().waits?.(data) ? Math.min(WAIT_MS, old) : old;
    if (delay < Infinity) this.soon(Math.min(LONGEST_MS, delay));
  }

  /** What was there stays on the page beside the error. */
  private fail(error: unknown): void {
    if (this.control.signal.aborted) return;
    const failure = error instanceof ApiError ? error : new ApiError(-1, String(error));
    this.show({ error: failure });
    if (failure.status === 0 || failure.status === 503) this.soon(RETRY_MS);
  }
}
