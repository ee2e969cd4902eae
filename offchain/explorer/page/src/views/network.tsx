/** The front page: what goes on now. Its totals and open orders are the first content that the page is measured by. */

import { useContext, useEffect } from "preact/hooks";
import { useQuery } from "../api/hooks";
import type { Disputes, Events, Network, Orders } from "../api/types";
import { DisputeTable } from "../parts/dispute-table";
import { EventList, isEcho } from "../parts/event-list";
import { actionName, capital, compact, grouped, plural } from "../parts/format";
import { Answer, Empty, Figure, Heading, Panel } from "../parts/layout";
import { useAnnounce } from "../parts/live";
import { OrderTable } from "../parts/order-table";
import { Amount, TokenContext } from "../parts/values";
import { Link } from "../route";
import { RaceCard } from "./race-card";

const CARDS = 4;
const OPEN_ROWS = 12;
const ENDED_ROWS = 6;
/** Most transactions emit several; echoes are left out. */
const EVENTS_READ = 60;
const EVENTS_SHOWN = 12;

export function NetworkView() {
  const network = useQuery<Network>("/api/network", { touched: () => true });
  const open = useQuery<Orders>(`/api/orders?state=open&limit=${OPEN_ROWS}`, {
    touched: happening => happening.oid !== null,
    expires: nextEnd,
    waits: ({ orders }) => orders.some(order => order.title === null),
  });
  const ended = useQuery<Orders>(`/api/orders?state=ended&limit=${ENDED_ROWS}`, {
    touched: ({ name }) => name === "OrderSealed" || name === "OrderCancelled",
  });
  const disputes = useQuery<Disputes>("/api/disputes?state=open&limit=8", {
    touched: happening => happening.dispute !== null,
  });
  const events = useQuery<Events>(`/api/events?limit=${EVENTS_READ}`, { touched: () => true });
  useAnnounce(network.data ? summary(network.data) : null);
  const shown = network.data !== null && open.data !== null;
  useEffect(() => {
    if (shown) performance.mark("assay:first-content");
  }, [shown]);
  const running = open.data?.orders ?? [];
  return (
    <>
      <Heading title="Network" />
      <Answer query={network}>{data => <Totals network={data} />}</Answer>
      {running.length > 0 ? (
        <section class="races" aria-labelledby="races">
          <h2 id="races">Races under way</h2>
          <div class="race-grid">
            {running.slice(0, CARDS).map(order => (
              <RaceCard key={order.oid} oid={order.oid} />
            ))}
          </div>
        </section>
      ) : null}
      <div class="columns">
        <div class="column-main">
          <Panel title="Open orders" aside={<Link href="/orders">All orders</Link>}>
            <Answer query={open}>
              {({ orders }) =>
                orders.length > 0 ? (
                  <OrderTable orders={orders} caption="Open orders" few />
                ) : (
                  <Empty>
                    No order is open. <Link href="/put">Put one</Link>, and watch providers race for it.
                  </Empty>
                )
              }
            </Answer>
          </Panel>
          <Panel title="Disputes under way" aside={<Link href="/disputes">All disputes</Link>}>
            <Answer query={disputes}>
              {({ disputes: rows }) =>
                rows.length > 0 ? (
                  <DisputeTable disputes={rows} caption="Disputes under way" few />
                ) : (
                  <Empty>Nobody disputes a score right now.</Empty>
                )
              }
            </Answer>
          </Panel>
          <Panel title="Ended lately">
            <Answer query={ended}>
              {({ orders }) =>
                orders.length > 0 ? (
                  <OrderTable orders={orders} caption="Orders that ended lately" few />
                ) : (
                  <Empty>No order has ended yet.</Empty>
                )
              }
            </Answer>
          </Panel>
        </div>
        <div class="column-side">
          <Panel title="What happens" aside={<Link href="/events">All events</Link>}>
            <Answer query={events}>
              {({ events: rows }) => <EventList events={rows.filter(event => !isEcho(event)).slice(0, EVENTS_SHOWN)} />}
            </Answer>
          </Panel>
          <Answer query={network}>{data => <Stakes network={data} />}</Answer>
          <Answer query={network}>{data => <Gas network={data} />}</Answer>
        </div>
      </div>
    </>
  );
}

function nextEnd({ orders }: Orders): number | null {
  const ends = orders.map(order => order.phase_ends_at).filter(end => end !== null);
  return ends.length > 0 ? Math.min(...ends) : null;
}

function openOrders(network: Network): number {
  const { sealed = 0, cancelled = 0 } = network.orders.by_phase;
  return network.orders.total - sealed - cancelled;
}

function summary(network: Network): string {
  const open = plural(openOrders(network), "open order");
  return `${open}, ${plural(network.disputes.open, "dispute")} under way, ${grouped(network.orders.total)} orders in all.`;
}

function Totals({ network }: { network: Network }) {
  const { symbol, decimals } = useContext(TokenContext);
  const open = openOrders(network);
  const staked = Object.values(network.stakes).reduce((sum, stake) => sum + BigInt(stake.bonded), 0n);
  const { won = 0, shared = 0, refunded = 0 } = network.orders.by_outcome;
  const unit = <span class="unit"> {symbol}</span>;
  const amount = (wei: string | bigint) => (
    <span title={`${grouped(wei)} wei`}>
      {compact(wei, decimals)}
      {unit}
    </span>
  );
  return (
    <dl class="figures">
      <Figure
        name="Orders"
        note={`${grouped(open)} open · ${grouped(won)} won, ${grouped(shared)} shared, ${grouped(refunded)} refunded`}
      >
        {grouped(network.orders.total)}
      </Figure>
      <Figure name="In escrow" note="rewards of open orders and tasks">
        {amount(network.escrow)}
      </Figure>
      <Figure
        name="Staked"
        note={BigInt(network.supply) > 0n ? `of ${compact(network.supply, decimals)} ${symbol}` : "in all roles"}
      >
        {amount(staked)}
      </Figure>
      <Figure name="Paid out" note="rewards that were pulled">
        {amount(network.paid)}
      </Figure>
      <Figure name="Slashed" note={`${compact(network.burned, decimals)} ${symbol} burned`}>
        {amount(network.slashed)}
      </Figure>
      <Figure
        name="Disputes"
        note={`${grouped(network.disputes.open)} under way · ${grouped(network.disputes.by_verdict.false ?? 0)} scores proven false`}
      >
        {grouped(network.disputes.total)}
      </Figure>
    </dl>
  );
}

function Stakes({ network }: { network: Network }) {
  const rows = Object.entries(network.stakes);
  const largest = rows.reduce((most, [, stake]) => (BigInt(stake.bonded) > most ? BigInt(stake.bonded) : most), 1n);
  if (rows.length === 0) return null;
  return (
    <Panel title="Stakes by role" aside={<Link href="/stake">Stake</Link>}>
      <ul class="bars">
        {rows.map(([role, stake]) => (
          <li key={role}>
            <span class="bars-name">
              {capital(role)} <span class="quiet">({grouped(stake.accounts)})</span>
            </span>
            <span class="bars-value">
              <Amount wei={stake.bonded} />
            </span>
            <meter
              class="bar"
              aria-label={`${capital(role)}: share of the largest role`}
              min={0}
              max={1000}
              value={Number((BigInt(stake.bonded) * 1000n) / largest)}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const GAS_ROWS = 6;

function Gas({ network }: { network: Network }) {
  const { gas } = network;
  if (network.transactions === 0) return null;
  const rows = [...gas.by_action].sort((a, b) => (BigInt(a.gas) < BigInt(b.gas) ? 1 : -1)).slice(0, GAS_ROWS);
  return (
    <Panel title="Gas">
      <p class="quiet">
        {grouped(gas.total)} in {plural(network.transactions, "transaction")}
        {gas.missing > 0 ? `; ${grouped(gas.missing)} receipts are still to be read` : ""}
      </p>
      <ul class="bars">
        {rows.map(row => (
          <li key={row.action}>
            <span class="bars-name">
              {actionName(row.action)} <span class="quiet">× {grouped(row.count)}</span>
            </span>
            <span class="bars-value number">{grouped(row.gas)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
