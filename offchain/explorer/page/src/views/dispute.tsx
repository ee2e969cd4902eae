/** One dispute, move by move, down to the step that the contract computed. */

import { useQuery } from "../api/hooks";
import type { Dispute, Move } from "../api/types";
import { verdictWords } from "../parts/dispute-table";
import { capital, grouped, moment, plural, words } from "../parts/format";
import { Answer, Facts, Heading, Panel } from "../parts/layout";
import { useAnnounce } from "../parts/live";
import { Badge } from "../parts/phase";
import { Address, Amount, CopyButton, Countdown, Time } from "../parts/values";
import { Link } from "../route";
import { DisputeActions } from "../slots";
import { ArithmeticShown } from "./dispute/arithmetic-shown";
import { type Computed, descentOf } from "./dispute/levels";
import { Numbers } from "./dispute/numbers";
import { Picture } from "./dispute/picture";

export function DisputeView({ id }: { id: string }) {
  const number = Number(id);
  const query = useQuery<Dispute>(`/api/disputes/${number}`, { touched: happening => happening.dispute === number });
  const data = query.data;
  useAnnounce(
    data
      ? `Dispute ${number}: ${plural(data.moves.length, "move")}, ${words(data.stage)}. ${data.moves.at(-1)?.text ?? ""}`
      : null,
  );
  return (
    <>
      <Heading title={`Dispute ${number}`} />
      <Answer query={query}>{dispute => <Shown dispute={dispute} />}</Answer>
    </>
  );
}

function Shown({ dispute }: { dispute: Dispute }) {
  const descent = descentOf(dispute.moves);
  return (
    <>
      <p class="lead">
        Is the score {dispute.score ?? "–"} of model {dispute.model} in{" "}
        <Link href={`/orders/${dispute.oid}`}>order {dispute.oid}</Link> true?
      </p>
      <Standing dispute={dispute} />
      <DisputeActions id={dispute.id} />
      <Panel title="How the disagreement narrows">
        {descent.levels.length > 0 ? (
          <Picture descent={descent} />
        ) : (
          <p class="empty">The defendant has not moved yet.</p>
        )}
        {descent.computed ? (
          <>
            <Verdict dispute={dispute} computed={descent.computed} />
            <ArithmeticShown moves={dispute.moves} computed={descent.computed} />
          </>
        ) : null}
      </Panel>
      <Panel title="Move by move">
        <ol class="moves">
          {dispute.moves.map(move => (
            <MoveShown key={`${move.seq}-${move.kind}`} move={move} />
          ))}
        </ol>
      </Panel>
    </>
  );
}

function Standing({ dispute }: { dispute: Dispute }) {
  const open = dispute.stage !== "closed";
  const gas = dispute.moves.reduce((sum, move) => sum + (move.gas ?? 0), 0);
  const by = open || dispute.verdict === "none" ? "open" : dispute.verdict;
  return (
    <Panel title="Standing" aside={<Badge name={by} text={open ? "Under way" : verdictWords(dispute)} />}>
      <Facts
        facts={[
          ["Defendant", <Address address={dispute.defendant} copy />],
          ["says", dispute.score],
          ["Challenger", <Address address={dispute.challenger} copy />],
          ["says instead", dispute.counter ?? "nothing"],
          ["At stake", <Amount wei={dispute.stake} />],
          ["Opened", <Time at={dispute.opened_at} />],
          ["On turn", open && dispute.on_turn ? `${dispute.on_turn}: ${words(dispute.stage)}` : null],
          ["Time left", open && dispute.deadline !== null ? <Countdown until={dispute.deadline} over="late" /> : null],
          ["Winner", dispute.winner ? <Address address={dispute.winner} copy /> : null],
          ["Paid", open ? null : <Amount wei={dispute.paid} />],
          ["Burned", open ? null : <Amount wei={dispute.burned} />],
          ["Gas", gas > 0 ? grouped(gas) : null],
        ]}
      />
    </Panel>
  );
}

function Verdict({ dispute, computed }: { dispute: Dispute; computed: Computed }) {
  const same = computed.claimed === computed.computed;
  const terms = computed.to > computed.from ? `, terms ${grouped(computed.from)} to ${grouped(computed.to - 1)}` : "";
  return (
    <div class={`computed ${same ? "good" : "bad"}`}>
      <p class="computed-where">
        Node {computed.node}, element {grouped(computed.element)}
        {terms}
      </p>
      <dl>
        <div>
          <dt>Claimed</dt>
          <dd class="number">{computed.claimed}</dd>
        </div>
        <div class={same ? "same" : "differs"}>
          <dt>Computed by the contract</dt>
          <dd class="number">{computed.computed}</dd>
        </div>
      </dl>
      <p>
        {same ? "They are the same: the score stands." : "They differ: the score is false."}{" "}
        {dispute.winner ? (
          <>
            <Address address={dispute.winner} /> wins.
          </>
        ) : null}
      </p>
    </div>
  );
}

function MoveShown({ move }: { move: Move }) {
  const who = move.side ?? (move.kind === "Computed" || move.kind === "Closed" ? "contract" : "anybody");
  return (
    <li class={`move ${who}`}>
      <p class="move-head">
        <strong>{capital(who)}</strong> {move.text}
      </p>
      <p class="event-foot">
        <time dateTime={new Date(move.at * 1000).toISOString()} class="number">
          {moment(move.at)}
        </time>
        {move.gas ? <span class="number">{grouped(move.gas)} gas</span> : null}
        {move.by ? <Address address={move.by} /> : null}
        <span class="nowrap">
          transaction <CopyButton text={move.tx} what="transaction" />
        </span>
      </p>
      <Numbers move={move} />
    </li>
  );
}
