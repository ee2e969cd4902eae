/** One order with everything that happened in it. */

import { useQuery } from "../api/hooks";
import type { OrderPage } from "../api/types";
import { DisputeTable } from "../parts/dispute-table";
import { capital, grouped, moment, plural, words } from "../parts/format";
import { Answer, Facts, Heading, Panel } from "../parts/layout";
import { useAnnounce } from "../parts/live";
import { Badge, PhaseBar } from "../parts/phase";
import { Address, Amount, Countdown, Time } from "../parts/values";
import { OrderActions } from "../slots";
import { CurvesPanel } from "./order/curves";
import { FilesPanel } from "./order/files";
import { GasPanel, MoneyPanel } from "./order/money";
import { RacePanel } from "./order/race";
import { RequestsPanel } from "./order/requests";
import { ScoresPanel } from "./order/scores";
import { TermsPanel } from "./order/terms";
import { TimelinePanel } from "./order/timeline";

export function OrderView({ oid }: { oid: string }) {
  const number = Number(oid);
  const query = useQuery<OrderPage>(`/api/orders/${number}`, {
    touched: happening => happening.oid === number,
    expires: order => order.phase_ends_at,
    waits: ({ manifest, models }) =>
      (!manifest.verified && manifest.problem === null) ||
      models.some(model => model.files.length === 0 && model.problem === null),
  });
  useAnnounce(query.data ? summary(query.data) : null);
  const title = query.data?.title;
  return (
    <>
      <Heading title={title ? `Order ${number}: ${title}` : `Order ${number}`} />
      <Answer query={query}>{order => <Order order={order} />}</Answer>
    </>
  );
}

function summary(order: OrderPage): string {
  const parts = [
    `Order ${order.oid}: ${words(order.outcome === "none" ? order.phase : order.outcome)}`,
    plural(order.claims.length, "claim"),
    plural(order.models.length, "model"),
    `${plural(order.sheets.filter(sheet => sheet.revealed_at !== null).length, "validator has", "validators have")} shown scores`,
    plural(order.disputes.filter(dispute => dispute.stage !== "closed").length, "open dispute"),
  ];
  return `${parts.join(", ")}.`;
}

function Order({ order }: { order: OrderPage }) {
  return (
    <>
      <Standing order={order} />
      <OrderActions oid={order.oid} />
      <div class="columns">
        <div class="column-main">
          <RacePanel order={order} />
          <ScoresPanel order={order} />
          <CurvesPanel oid={order.oid} models={order.models.length} />
          {order.disputes.length > 0 ? (
            <Panel title="Disputes">
              <DisputeTable disputes={order.disputes} caption={`Disputes about order ${order.oid}`} few />
            </Panel>
          ) : null}
          <RequestsPanel order={order} />
          <MoneyPanel order={order} />
          <FilesPanel order={order} />
        </div>
        <div class="column-side">
          <TermsPanel order={order} />
          <GasPanel order={order} />
          <TimelinePanel order={order} />
        </div>
      </div>
    </>
  );
}

function Standing({ order }: { order: OrderPage }) {
  const { settlement, windows } = order;
  const ends: [string, number][] = [
    ["Training", windows.train_end],
    ["Reveal", windows.reveal_end],
    ["Score commit", windows.score_commit_end],
    ["Score reveal", windows.score_reveal_end],
    ["Challenge", Math.max(windows.challenge_end, windows.challenge_until)],
  ];
  return (
    <Panel title="Standing" aside={<Badge name={order.outcome === "none" ? order.phase : order.outcome} />}>
      <PhaseBar order={order} />
      <ol class="windows">
        {ends.map(([name, end]) => (
          <li key={name} class={order.phase === name.toLowerCase().replace(" ", "_") ? "current" : undefined}>
            <span>{name}</span> <span class="quiet number">until {moment(end)}</span>
          </li>
        ))}
      </ol>
      <Facts
        facts={[
          ["Phase", capital(words(order.phase))],
          ["Ends in", order.phase_ends_at !== null ? <Countdown until={order.phase_ends_at} /> : null],
          ["Reward", <Amount wei={order.reward} />],
          ["Client", <Address address={order.client} copy />],
          ["Put", <Time at={order.put_at} />],
          ["Test samples", order.test.samples > 0 ? grouped(order.test.samples) : null],
          ["Winner", order.winner ? <Address address={order.winner} copy /> : null],
          ["Winning score", order.winning_score ? <strong>{order.winning_score.text}</strong> : null],
          ["Sealed", settlement ? <Time at={settlement.sealed_at} /> : null],
          ["Rewards", settlement ? paidWords(order) : null],
        ]}
      />
    </Panel>
  );
}

function paidWords(order: OrderPage): string {
  const { settlement } = order;
  if (!settlement) return "";
  if (settlement.outcome === "refunded") return "returned to the client";
  const root = settlement.root_cycle !== null ? `, in root ${settlement.root_cycle}` : "";
  return settlement.paid ? `can be claimed${root}` : `not yet to be claimed${root}`;
}
