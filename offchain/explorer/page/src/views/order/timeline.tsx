/** Everything that happened, in order; the newest first on request. */

import { useState } from "preact/hooks";
import type { OrderPage, TimelineEntry } from "../../api/types";
import { grouped, moment, short } from "../../parts/format";
import { Panel } from "../../parts/layout";
import { Address, CopyButton } from "../../parts/values";

const FOLD = 14;

export function Timeline({ entries, label }: { entries: TimelineEntry[]; label: string }) {
  const [newest, setNewest] = useState(true);
  const [all, setAll] = useState(false);
  const sorted = [...entries].sort((a, b) => (newest ? b.seq - a.seq : a.seq - b.seq));
  const shown = all ? sorted : sorted.slice(0, FOLD);
  return (
    <>
      <p>
        <button type="button" class="button small" aria-pressed={newest} onClick={() => setNewest(!newest)}>
          Newest first
        </button>
      </p>
      <ol class="timeline" aria-label={label}>
        {shown.map(entry => (
          <li key={entry.seq}>
            <span class="event-text">
              {entry.actor ? <Address address={entry.actor} /> : null} {entry.text}
            </span>
            <span class="event-foot">
              <time dateTime={new Date(entry.at * 1000).toISOString()} title={moment(entry.at)} class="number">
                {moment(entry.at)}
              </time>
              <span class="number">block {grouped(entry.block)}</span>
              {entry.gas !== null ? <span class="number">{grouped(entry.gas)} gas</span> : null}
              <span class="mono" title={entry.tx}>
                {short(entry.tx, 6, 4)}
              </span>
              <CopyButton text={entry.tx} what="transaction" />
            </span>
          </li>
        ))}
      </ol>
      {sorted.length > FOLD && !all ? (
        <button type="button" class="button small" onClick={() => setAll(true)}>
          Show all {sorted.length}
        </button>
      ) : null}
    </>
  );
}

export function TimelinePanel({ order }: { order: OrderPage }) {
  return (
    <Panel title="Timeline">
      <Timeline entries={order.timeline} label={`What happened in order ${order.oid}`} />
    </Panel>
  );
}
