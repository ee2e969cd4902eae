/** One account: its bonds, what it earned and lost, and what it does. */

import { useQuery } from "../api/hooks";
import type { Account, Bond, Events, Part, Slash } from "../api/types";
import { EventList, isEcho } from "../parts/event-list";
import { capital, grouped } from "../parts/format";
import { Answer, Empty, Facts, Heading, Panel } from "../parts/layout";
import { OrderLink } from "../parts/order-table";
import { Badge } from "../parts/phase";
import { type Column, Table } from "../parts/table";
import { Address, Ago, Amount, Countdown } from "../parts/values";
import { Link } from "../route";
import { AccountActions } from "../slots";

const BONDS: Column<Bond>[] = [
  { title: "Role", head: true, cell: bond => capital(bond.role) },
  { title: "Bonded", numeric: true, cell: bond => <Amount wei={bond.bonded} /> },
  { title: "Locked", numeric: true, cell: bond => <Amount wei={bond.locked} /> },
  { title: "Leaving", numeric: true, cell: bond => <Amount wei={bond.exiting} /> },
  {
    title: "Free in",
    cell: bond => (bond.exit_at ? <Countdown until={bond.exit_at} over="can be withdrawn" /> : "–"),
  },
];

const ORDERS: Column<Part>[] = [
  { title: "Order", head: true, cell: part => <OrderLink oid={part.oid} title={part.title} /> },
  { title: "As", cell: part => part.roles.join(", ") },
  { title: "Phase", cell: part => (part.phase === null ? "–" : <Badge name={part.phase} />) },
  { title: "Earned", numeric: true, cell: part => <Amount wei={part.earned} /> },
];

const SLASHES: Column<Slash>[] = [
  { title: "As", head: true, cell: slash => capital(slash.role) },
  { title: "Lost", numeric: true, cell: slash => <Amount wei={slash.amount} /> },
  { title: "Burned of it", numeric: true, cell: slash => <Amount wei={slash.burned} /> },
  { title: "About", cell: slash => <Reason slash={slash} /> },
  {
    title: "To",
    cell: slash => (slash.beneficiary && BigInt(slash.paid) > 0n ? <Address address={slash.beneficiary} /> : "nobody"),
  },
  { title: "When", cell: slash => <Ago at={slash.at} /> },
];

function Reason({ slash }: { slash: Slash }) {
  if (slash.oid !== null) return <Link href={`/orders/${slash.oid}`}>order {slash.oid}</Link>;
  if (slash.task !== null) return <Link href={`/tasks/${slash.task}`}>task {slash.task}</Link>;
  return <>the committee</>;
}

export function AccountView({ address }: { address: string }) {
  const same = (account: string) => account.toLowerCase() === address.toLowerCase();
  const query = useQuery<Account>(`/api/accounts/${address}`, { touched: ({ accounts }) => accounts.some(same) });
  const events = useQuery<Events>(`/api/events?account=${address}&limit=30`, {
    touched: ({ accounts }) => accounts.some(same),
  });
  return (
    <>
      <Heading title="Account" />
      <p class="whole-address">
        <Address address={query.data?.address ?? address} whole copy />
      </p>
      <AccountActions address={query.data?.address ?? address} />
      <div class="columns">
        <div class="column-main">
          <Answer query={query}>{account => <Parts account={account} />}</Answer>
        </div>
        <div class="column-side">
          <Panel title="What it did">
            <Answer query={events}>
              {({ events: rows }) =>
                rows.length > 0 ? (
                  <EventList events={rows.filter(event => !isEcho(event))} self={query.data?.address} />
                ) : (
                  <Empty>Nothing yet.</Empty>
                )
              }
            </Answer>
          </Panel>
        </div>
      </div>
    </>
  );
}

function Parts({ account }: { account: Account }) {
  const { earned } = account;
  return (
    <>
      <Panel title="Balance and rewards">
        <Facts
          facts={[
            ["Balance", <Amount wei={account.balance} />],
            ["Earned by orders", <Amount wei={earned.settled} />],
            ["Pulled through roots", <Amount wei={earned.claimed} />],
            ["Credited", BigInt(earned.credited) > 0n ? <Amount wei={earned.credited} /> : null],
            ["Withdrawn", BigInt(earned.withdrawn) > 0n ? <Amount wei={earned.withdrawn} /> : null],
            ["By federated tasks", BigInt(earned.federated) > 0n ? <Amount wei={earned.federated} /> : null],
            ["Committee stake", BigInt(account.candidate_stake) > 0n ? <Amount wei={account.candidate_stake} /> : null],
            ["Gas used", grouped(account.gas)],
            ["Reached at (its own word)", account.endpoint ? <span class="mono">{account.endpoint}</span> : null],
          ]}
        />
      </Panel>
      <Panel title="Bonds">
        {account.bonds.length > 0 ? (
          <Table caption="Bonds by role" columns={BONDS} rows={account.bonds} rowKey={bond => bond.role} />
        ) : (
          <Empty>It has staked nothing.</Empty>
        )}
      </Panel>
      {account.slashes.length > 0 ? (
        <Panel title="Slashes">
          <Table caption="Stake that it lost" columns={SLASHES} rows={account.slashes} rowKey={slash => slash.seq} />
        </Panel>
      ) : null}
      <Panel title="Orders">
        {account.orders.length > 0 ? (
          <Table
            caption="Orders in which it has a part"
            columns={ORDERS}
            rows={account.orders}
            rowKey={part => part.oid}
          />
        ) : (
          <Empty>It has no part in any order.</Empty>
        )}
      </Panel>
      <Numbers title="Disputes" what="dispute" path="/disputes" ids={account.disputes} />
      <Numbers title="Federated tasks" what="task" path="/tasks" ids={account.tasks} />
    </>
  );
}

function Numbers({ title, what, path, ids }: { title: string; what: string; path: string; ids: number[] }) {
  if (ids.length === 0) return null;
  return (
    <Panel title={title}>
      <ul class="inline">
        {ids.map(id => (
          <li key={id}>
            <Link href={`${path}/${id}`}>
              {what} {id}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
