/** Orders in rows, as several views list them. */

import type { OrderRow } from "../api/types";
import { Link } from "../route";
import { words } from "./format";
import { Badge } from "./phase";
import { type Column, Table } from "./table";
import { Address, Ago, Amount, Countdown } from "./values";

export function OrderLink({ oid, title }: { oid: number; title: string | null }) {
  return (
    <Link href={`/orders/${oid}`} class="order-link">
      <span class="number">#{oid}</span>
      {title ? <span class="order-title">{title}</span> : null}
    </Link>
  );
}

function Ending({ order }: { order: OrderRow }) {
  if (order.phase === "sealed" && order.outcome !== "none") {
    return (
      <span class="stack">
        <Badge name={order.outcome} />
        {order.winning_score ? <span class="quiet number">{order.winning_score.text}</span> : null}
      </span>
    );
  }
  return (
    <span class="stack">
      <Badge name={order.phase} />
      {order.phase_ends_at !== null && order.phase !== "cancelled" ? (
        <span class="quiet">
          <Countdown until={order.phase_ends_at} />
        </span>
      ) : null}
    </span>
  );
}

const COLUMNS: Column<OrderRow>[] = [
  { title: "Order", head: true, cell: order => <OrderLink oid={order.oid} title={order.title} /> },
  { title: "Standing", cell: order => <Ending order={order} /> },
  { title: "Reward", numeric: true, cell: order => <Amount wei={order.reward} /> },
  { title: "Claims", numeric: true, cell: order => order.claims },
  { title: "Models", numeric: true, cell: order => order.models },
  { title: "Validators", numeric: true, cell: order => order.validations },
  {
    title: "Open disputes",
    numeric: true,
    cell: order => (order.open_disputes > 0 ? <strong class="bad-text">{order.open_disputes}</strong> : 0),
  },
  { title: "Score", cell: order => words(order.score_function) },
  { title: "Client", cell: order => <Address address={order.client} /> },
  { title: "Put", cell: order => <Ago at={order.put_at} /> },
];

/** Left out where there is less room. */
const WIDE = new Set(["Score", "Client", "Open disputes"]);
const FEW = COLUMNS.filter(column => !WIDE.has(column.title));

export function OrderTable({ orders, caption, few }: { orders: OrderRow[]; caption: string; few?: boolean }) {
  return <Table caption={caption} columns={few ? FEW : COLUMNS} rows={orders} rowKey={order => order.oid} />;
}
