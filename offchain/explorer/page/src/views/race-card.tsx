/** One open order as a card: its windows, who has claimed, and the scores as they are revealed. */

import { useQuery } from "../api/hooks";
import type { Claim, OrderPage } from "../api/types";
import { duration, plural } from "../parts/format";
import { Answer } from "../parts/layout";
import { Badge, PhaseBar } from "../parts/phase";
import { Address, Amount, Countdown } from "../parts/values";
import { Link } from "../route";

const LANES = 5;

export function RaceCard({ oid }: { oid: number }) {
  const query = useQuery<OrderPage>(`/api/orders/${oid}`, {
    touched: happening => happening.oid === oid,
    expires: order => order.phase_ends_at,
  });
  return (
    <article class="race" aria-label={`Order ${oid}`}>
      <Answer query={query}>{order => <Card order={order} />}</Answer>
    </article>
  );
}

function Card({ order }: { order: OrderPage }) {
  const lanes = lanesOf(order);
  return (
    <>
      <header>
        <h3>
          <Link href={`/orders/${order.oid}`}>
            <span class="number">#{order.oid}</span> {order.title ?? ""}
          </Link>
        </h3>
        <Amount wei={order.reward} />
      </header>
      <PhaseBar order={order} small />
      <p class="race-phase">
        <Badge name={order.phase} />
        {order.phase_ends_at !== null ? (
          <span>
            <Countdown until={order.phase_ends_at} before="ends in " over="may end any moment" />
          </span>
        ) : null}
        {order.open_disputes > 0 ? <span class="bad-text">{plural(order.open_disputes, "open dispute")}</span> : null}
      </p>
      {lanes.length > 0 ? (
        <ol class="lanes">
          {lanes.slice(0, LANES).map(lane => (
            <li key={lane.provider}>
              <Address address={lane.provider} />
              <span class={`lane-state ${lane.tone}`}>{lane.state}</span>
            </li>
          ))}
        </ol>
      ) : (
        <p class="quiet">Nobody has claimed yet.</p>
      )}
      {lanes.length > LANES ? <p class="quiet">and {lanes.length - LANES} more</p> : null}
    </>
  );
}

interface Lane {
  provider: string;
  state: string;
  tone: string;
  /** standing, and within it: the higher the further ahead */
  rank: [number, number];
}

/** Who leads: by score once there are any, by the order of the claims before. */
export function lanesOf(order: OrderPage): Lane[] {
  return order.claims.map(claim => laneOf(order, claim)).sort((a, b) => b.rank[0] - a.rank[0] || b.rank[1] - a.rank[1]);
}

function laneOf(order: OrderPage, claim: Claim): Lane {
  const { provider } = claim;
  const early = -claim.sequence;
  const model = order.models.find(item => item.provider === provider);
  if (claim.slashed) return { provider, state: "slashed", tone: "bad", rank: [0, early] };
  if (!model) {
    return { provider, state: `claimed after ${duration(claim.at - order.put_at)}`, tone: "", rank: [2, early] };
  }
  if (model.voided) return { provider, state: "void", tone: "bad", rank: [1, early] };
  if (model.score) {
    return { provider, state: model.score.text, tone: "good", rank: [5, Number(model.score.sum ?? early)] };
  }
  const said = saidOf(order, model.index);
  if (said.length > 0) return { provider, state: `${said.join(" or ")}?`, tone: "watch", rank: [4, early] };
  return { provider, state: "revealed", tone: "active", rank: [3, early] };
}

/** The different scores that live validations give a model. */
function saidOf(order: OrderPage, model: number): string[] {
  const scores = order.sheets.flatMap(sheet => sheet.scores);
  const texts = scores.filter(item => item.model === model && item.live && item.score !== null).map(item => item.text);
  return [...new Set(texts)];
}
