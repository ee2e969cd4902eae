/** The feed and the server's answers as state of a view. */

import { createContext } from "preact";
import { useContext, useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Feed, FeedState } from "./feed";
import type { ApiError } from "./fetch";
import { type Answer, Asking, type Rules } from "./query";
import type { Seconds } from "./types";

export const FeedContext = createContext<Feed | null>(null);

export function useFeed(): Feed {
  const feed = useContext(FeedContext);
  if (!feed) throw new Error("there is no feed around this view");
  return feed;
}

/** The feed's state; renders anew whenever it changes. */
export function useFeedState(): FeedState {
  const feed = useFeed();
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => feed.watch(() => again(undefined)), [feed]);
  return feed.state;
}

/** The chain's clock, every second. */
export function useNow(): Seconds {
  const feed = useFeed();
  const [now, set] = useState(() => feed.now());
  useEffect(() => {
    const tick = () => set(feed.now());
    const timer = setInterval(tick, 1000);
    const stop = feed.watch(tick);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [feed]);
  return now;
}

export interface Query<T> {
  /** the last answer, also while a newer one is on its way */
  data: T | null;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
}

/** The answer to a path, and again whenever it may have changed. `null`: nothing to ask. */
export function useQuery<T>(path: string | null, rules: Rules<T> = {}): Query<T> {
  const feed = useFeed();
  const [answer, setAnswer] = useState<{ path: string | null } & Answer<T>>({ path: null, data: null, error: null });
  const latest = useRef(rules);
  latest.current = rules;
  const asking = useRef<Asking<T> | null>(null);
  useEffect(() => {
    if (path === null) return;
    const started = new Asking<T>(
      path,
      feed,
      () => latest.current,
      part =>
        setAnswer(before => ({ ...(before.path === path ? before : { data: null, error: null }), ...part, path })),
    );
    asking.current = started;
    return () => started.stop();
  }, [path, feed]);
  const current = answer.path === path;
  return {
    data: current ? answer.data : null,
    error: current ? answer.error : null,
    loading: !current || (answer.data === null && answer.error === null),
    reload: () => asking.current?.change(),
  };
}
