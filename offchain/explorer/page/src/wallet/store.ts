// A value that views watch.
import { useEffect, useReducer } from "preact/hooks";

export class Store<T> {
  readonly #watchers = new Set<() => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  update(change: Partial<T>): void {
    this.set({ ...this.#value, ...change });
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** The store's value; renders anew whenever it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.watch(() => again(undefined)), [store]);
  return store.value;
}
