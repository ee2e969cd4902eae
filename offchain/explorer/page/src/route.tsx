/** Addresses of views: the browser's history, without a library. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const MOVED = "assay:moved";

/** Goes to a view of this page. */
export function navigate(href: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  dispatchEvent(new Event(MOVED));
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname.replace(/\/+$/, "") || "/", query: new URLSearchParams(location.search) };
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const moved = () => set(here());
    addEventListener("popstate", moved);
    addEventListener(MOVED, moved);
    return () => {
      removeEventListener("popstate", moved);
      removeEventListener(MOVED, moved);
    };
  }, []);
  return place;
}

interface LinkProps {
  href: string;
  children: ComponentChildren;
  class?: string | undefined;
  title?: string | undefined;
  label?: string | undefined;
  current?: boolean;
}

/** A link within the page; new tabs and the like stay the browser's. */
export function Link({ href, children, title, label, current, class: name }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return (
    <a
      href={href}
      class={name}
      title={title}
      aria-label={label}
      aria-current={current ? "page" : undefined}
      onClick={follow}
    >
      {children}
    </a>
  );
}
