/** All events as they were taken in: what everything else on the page is made of. */

import { useQuery } from "../api/hooks";
import type { EventRow, Events } from "../api/types";
import { grouped, spaced } from "../parts/format";
import { Answer, Empty, Heading, Panel } from "../parts/layout";
import { Pager } from "../parts/pager";
import { type Column, Table } from "../parts/table";
import { Address, Ago, Hash } from "../parts/values";
import { Link, usePlace } from "../route";

const PAGE = 50;
const FILTERS = ["oid", "dispute", "task", "account", "contract", "name", "before"];

const COLUMNS: Column<EventRow>[] = [
  { title: "Event", head: true, cell: event => `${event.contract}: ${spaced(event.name)}` },
  {
    title: "What happened",
    cell: event => (
      <>
        {event.actor ? <Address address={event.actor} /> : null} {event.text}
      </>
    ),
  },
  {
    title: "Order",
    numeric: true,
    cell: event => (event.oid === null ? "–" : <Link href={`/orders/${event.oid}`}>{event.oid}</Link>),
  },
  { title: "Block", numeric: true, cell: event => grouped(event.block) },
  { title: "Transaction", cell: event => <Hash hex={event.tx} what="transaction" head={6} tail={4} /> },
  { title: "When", cell: event => <Ago at={event.at} /> },
];

export function EventsView() {
  const { query } = usePlace();
  const asked = new URLSearchParams({ limit: String(PAGE) });
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const events = useQuery<Events>(`/api/events?${asked}`, { touched: () => !query.has("before") });
  return (
    <>
      <Heading title="Events" />
      <p class="lead">Everything that the contracts have said. All other views are folded from this list.</p>
      <Panel title="Newest first">
        <Answer query={events}>
          {({ events: rows, next }) => (
            <>
              {rows.length > 0 ? (
                <Table caption="Events, the newest first" columns={COLUMNS} rows={rows} rowKey={event => event.seq} />
              ) : (
                <Empty>No such events.</Empty>
              )}
              <Pager path="/events" query={query} next={next} what="events" />
            </>
          )}
        </Answer>
      </Panel>
    </>
  );
}
