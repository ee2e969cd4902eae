/** Where the money went, and what it cost to move it. */

import type { Money, OrderPage } from "../../api/types";
import { actionName, capital, grouped, plural } from "../../parts/format";
import { Empty, Panel } from "../../parts/layout";
import { type Column, Table } from "../../parts/table";
import { Address, Amount } from "../../parts/values";

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

function End({ name }: { name: string }) {
  return ADDRESS.test(name) ? <Address address={name} /> : name;
}

interface Numbered extends Money {
  index: number;
}

function columns(largest: bigint): Column<Numbered>[] {
  return [
    { title: "What", head: true, cell: row => capital(row.what) },
    { title: "From", cell: row => <End name={row.from} /> },
    { title: "To", cell: row => <End name={row.to} /> },
    { title: "Amount", numeric: true, cell: row => <Amount wei={row.amount} /> },
    {
      title: "Share",
      cell: row => (
        <meter
          class={`bar ${row.to === "burned" ? "burned" : ""}`}
          min={0}
          max={1000}
          value={Number((BigInt(row.amount) * 1000n) / largest)}
          aria-label="Of the largest amount"
        />
      ),
    },
  ];
}

/** What of the order's escrow is still held: what went in less what came out. */
export function heldOf(money: Money[]): bigint {
  return money.reduce((sum, row) => {
    const amount = BigInt(row.amount);
    return sum + (row.to === "escrow" ? amount : 0n) - (row.from === "escrow" ? amount : 0n);
  }, 0n);
}

export function MoneyPanel({ order }: { order: OrderPage }) {
  const rows = order.money.map((row, index) => ({ ...row, index }));
  const largest = rows.reduce((most, row) => (BigInt(row.amount) > most ? BigInt(row.amount) : most), 1n);
  const held = heldOf(order.money);
  return (
    <Panel title="Money">
      {rows.length > 0 ? (
        <>
          <Table caption="Money that moved" columns={columns(largest)} rows={rows} rowKey={row => row.index} />
          <p class="quiet">
            {held === 0n ? (
              "What went into escrow has come out of it, to the wei."
            ) : (
              <>
                <Amount wei={held} /> are still in escrow.
              </>
            )}
          </p>
        </>
      ) : (
        <Empty>Nothing has moved.</Empty>
      )}
    </Panel>
  );
}

export function GasPanel({ order }: { order: OrderPage }) {
  const { gas } = order;
  if (gas.by_action.length === 0) return null;
  return (
    <Panel title="Gas">
      <p class="quiet">{grouped(gas.total)} in all</p>
      <ul class="bars">
        {gas.by_action.map(row => (
          <li key={row.action}>
            <span class="bars-name">
              {actionName(row.action)} <span class="quiet">× {grouped(row.count)}</span>
            </span>
            <span class="bars-value number" title={plural(row.count, "transaction")}>
              {grouped(row.gas)}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
