/** What views are made of: headings, panels, facts, and what to say when there is nothing to show. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Query } from "../api/hooks";

let visited = false;

/** The view's one h1. Names the document, and takes the focus when one comes from another view. */
export function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Assay`;
  }, [title]);
  useEffect(() => {
    if (visited) {
      scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    visited = true;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}

interface PanelProps {
  title: string;
  children: ComponentChildren;
  class?: string;
  aside?: ComponentChildren;
  id?: string;
}

export function Panel({ title, children, aside, class: name = "", id }: PanelProps) {
  const label = useId();
  return (
    <section class={`panel ${name}`} aria-labelledby={label} id={id}>
      <header class="panel-head">
        <h2 id={label}>{title}</h2>
        {aside ? <div class="aside">{aside}</div> : null}
      </header>
      {children}
    </section>
  );
}

/** `rows`: name and value beside each other, for narrow places. */
export function Facts({ facts, rows }: { facts: [string, ComponentChildren][]; rows?: boolean }) {
  return (
    <dl class={rows ? "facts rows" : "facts"}>
      {facts
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** One large number with its name. */
export function Figure({
  name,
  children,
  note,
}: {
  name: string;
  children: ComponentChildren;
  note?: ComponentChildren;
}) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        <span class="figure-value">{children}</span>
        {note ? <span class="figure-note">{note}</span> : null}
      </dd>
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Waiting, failed, or the answer. What is there stays while a newer answer fails to come. */
export function Answer<T>({ query, children }: { query: Query<T>; children: (data: T) => ComponentChildren }) {
  if (query.data !== null) return <>{children(query.data)}</>;
  if (query.error) {
    return (
      <p class="notice bad" role="alert">
        {query.error.message}
      </p>
    );
  }
  return (
    <p class="waiting" aria-busy="true">
      Reading…
    </p>
  );
}
