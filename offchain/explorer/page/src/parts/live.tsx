/** What a screen reader is told while things change: the latest state, not every step, and not too often. */

import { createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";

const PAUSE_MS = 5000;

export class Announcer {
  private element: HTMLElement | null = null;
  private waiting: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  attach(element: HTMLElement | null): void {
    this.element = element;
  }

  /** Of what is said within a pause only the last is heard. */
  say(text: string): void {
    if (this.timer !== undefined) {
      this.waiting = text;
      return;
    }
    if (this.element) this.element.textContent = text;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const next = this.waiting;
      this.waiting = null;
      if (next !== null) this.say(next);
    }, PAUSE_MS);
  }
}

export const AnnouncerContext = createContext(new Announcer());

/** Says the text whenever it changes; what a view begins with is on the page and needs no announcement. */
export function useAnnounce(text: string | null): void {
  const announcer = useContext(AnnouncerContext);
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (text !== null && before.current !== null && before.current !== text) announcer.say(text);
    if (text !== null) before.current = text;
  }, [text, announcer]);
}
