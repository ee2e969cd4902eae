/** Requests for data: who asked for which leaf, and whether anybody could show it. */

import type { OrderPage, Request } from "../../api/types";
import { words } from "../../parts/format";
import { Panel } from "../../parts/layout";
import { type Column, Table } from "../../parts/table";
import { Address, Ago, Amount, Countdown } from "../../parts/values";

const TONES: Record<string, string> = { answered: "good", expired: "bad", open: "watch" };

const COLUMNS: Column<Request>[] = [
  { title: "Request", head: true, numeric: true, cell: request => request.id },
  { title: "For", cell: request => request.text },
  { title: "By", cell: request => <Address address={request.asker} /> },
  { title: "Bond", numeric: true, cell: request => <Amount wei={request.bond} /> },
  { title: "Asked", cell: request => <Ago at={request.asked_at} /> },
  {
    title: "Standing",
    cell: request => (
      <span class="stack">
        <span class={`badge ${TONES[request.status] ?? "off"}`}>{words(request.status)}</span>
        {request.status === "open" ? <Countdown until={request.deadline} over="can be expired" /> : null}
        {request.answered_by ? <Address address={request.answered_by} /> : null}
      </span>
    ),
  },
];

export function RequestsPanel({ order }: { order: OrderPage }) {
  if (order.requests.length === 0) return null;
  return (
    <Panel title="Requests for data">
      <Table caption="Requests for data" columns={COLUMNS} rows={order.requests} rowKey={request => request.id} />
    </Panel>
  );
}
