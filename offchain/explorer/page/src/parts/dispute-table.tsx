/** Disputes in rows. */

import type { DisputeRow } from "../api/types";
import { Link } from "../route";
import { capital, words } from "./format";
import { Badge } from "./phase";
import { type Column, Table } from "./table";
import { Address, Ago, Amount, Countdown } from "./values";

export function verdictWords(dispute: DisputeRow): string {
  const clock = dispute.timed_out ? ", by the clock" : "";
  switch (dispute.verdict) {
    case "false":
      return `Score was false${clock}`;
    case "stands":
      return `Score stands${clock}`;
    case "moot":
      return "Moot";
    default:
      return capital(words(dispute.stage));
  }
}

function Standing({ dispute }: { dispute: DisputeRow }) {
  const open = dispute.stage !== "closed";
  return (
    <span class="stack">
      <Badge name={open ? "open" : dispute.verdict} text={open ? "Under way" : verdictWords(dispute)} />
      {open && dispute.on_turn ? (
        <span class="quiet">
          {dispute.on_turn}: {words(dispute.stage)}
          {dispute.deadline !== null ? (
            <>
              {", "}
              <Countdown until={dispute.deadline} over="late" />
            </>
          ) : null}
        </span>
      ) : null}
    </span>
  );
}

const COLUMNS: Column<DisputeRow>[] = [
  {
    title: "Dispute",
    head: true,
    cell: dispute => <Link href={`/disputes/${dispute.id}`}>Dispute {dispute.id}</Link>,
  },
  {
    title: "About",
    cell: dispute => (
      <>
        <Link href={`/orders/${dispute.oid}`}>order {dispute.oid}</Link>, model {dispute.model}
      </>
    ),
  },
  { title: "Standing", cell: dispute => <Standing dispute={dispute} /> },
  { title: "Defendant", cell: dispute => <Address address={dispute.defendant} /> },
  { title: "Says", numeric: true, cell: dispute => dispute.score ?? "–" },
  { title: "Challenger", cell: dispute => <Address address={dispute.challenger} /> },
  { title: "Says instead", numeric: true, cell: dispute => dispute.counter ?? "–" },
  { title: "Stake", numeric: true, cell: dispute => <Amount wei={dispute.stake} /> },
  { title: "Opened", cell: dispute => <Ago at={dispute.opened_at} /> },
];

/** Left out where there is less room. */
const WIDE = new Set(["Stake", "Says", "Says instead", "Opened"]);
const FEW = COLUMNS.filter(column => !WIDE.has(column.title));

export function DisputeTable({ disputes, caption, few }: { disputes: DisputeRow[]; caption: string; few?: boolean }) {
  return <Table caption={caption} columns={few ? FEW : COLUMNS} rows={disputes} rowKey={dispute => dispute.id} />;
}
