/** Requests for data: who asked for which leaf, and whether anybody could show it. */

import type { OrderPage, Request } from "../../api/types";
import { words } from "../../parts/format";
import { Panel } from "../../parts/layout";
import { type Column, Table } from "../../parts/table";
import { Address, Ago, Amount, Countdown } from "../../parts/values";

function leaf(request: Request): string {
  switch (request.item) {
    case "sample":
      return `test sample ${request.unit}`;
    case "header":
      return `header of model ${request.model}`;
    case "node":
      return `node ${request.node} of model ${request.model}`;
    case "unit":
      return `unit ${request.unit} of node ${request.node}, model ${request.model}`;
    default:
      return `weights of node ${request.node}, unit ${request.unit}, chunk ${request.chunk}, model ${request.model}`;
  }
}

const TONES: Record<string, string> = { answered: "good", expired: "bad", open: "watch" };

const COLUMNS: Column<Request>[] = [
  { title: "Request", head: true, numeric: true, cell: request => request.id },
  { title: "For", cell: leaf },
  { title: "By", cell: request => <Address address={request.asker} /> },
  { title: "Bond", numeric: true, cell: request => <Amount wei={request.bond} /> },
  { title: "Asked", cell: request => <Ago at={request.at} /> },
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
