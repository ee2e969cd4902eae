import type { ComponentChildren } from "preact";
import { useQuery } from "../api/hooks";
import type { Game, Member, Round, Task } from "../api/types";
import { capital, duration, words } from "../parts/format";
import { Answer, Empty, Facts, Heading, Panel } from "../parts/layout";
import { type Column, Table } from "../parts/table";
import { Address, Amount, Countdown, Hash, Time } from "../parts/values";
import { parameterValue } from "./parameter-value";

const ROUND_TONES: Record<Round["state"], string> = { open: "active", final: "done", failed: "bad" };

function Participant({ task, index }: { task: Task; index: number }) {
  const account = task.members.find(member => member.index === index)?.account;
  return account ? <Address address={account} /> : <>participant {index}</>;
}

const rounds = (task: Task): Column<Round>[] => [
  { title: "Round", head: true, numeric: true, cell: round => round.round },
  {
    title: "Standing",
    cell: round => (
      <span class={`badge ${ROUND_TONES[round.state]}`}>
        {round.state === "open" ? "Under way" : capital(round.state)}
      </span>
    ),
  },
  {
    title: "Committed, revealed, included",
    cell: round => (
      <span class="nowrap">
        {round.committed.length} → {round.revealed.length} → {round.included.length}
      </span>
    ),
  },
  { title: "Leader", cell: round => (round.leader !== null ? <Participant task={task} index={round.leader} /> : "–") },
  { title: "Paid", numeric: true, cell: round => <Amount wei={round.paid} /> },
  {
    title: "Result",
    cell: round => (round.result_root ? <Hash hex={round.result_root} what="root" head={8} tail={4} /> : "–"),
  },
];

const STANDINGS: Record<Member["standing"], [tone: string, text: string]> = {
  active: ["active", "Takes part"],
  left: ["off", "Left"],
  excluded: ["bad", "Excluded"],
};

const MEMBERS: Column<Member>[] = [
  { title: "Place", numeric: true, cell: member => member.index },
  { title: "Participant", head: true, cell: member => <Address address={member.account} /> },
  {
    title: "Standing",
    cell: member => {
      const [tone, text] = STANDINGS[member.standing];
      return <span class={`badge ${tone}`}>{text}</span>;
    },
  },
  { title: "Stake", numeric: true, cell: member => <Amount wei={member.stake} /> },
  { title: "Earned", numeric: true, cell: member => <Amount wei={member.earned} /> },
  { title: "Lost", numeric: true, cell: member => <Amount wei={member.lost} /> },
];

/** Nested terms (rule, optimiser, windows) have their names before theirs; lists say nothing here. */
function termRows(terms: Record<string, unknown>, prefix = ""): [string, ComponentChildren][] {
  return Object.entries(terms).flatMap(([name, value]): [string, ComponentChildren][] => {
    if (Array.isArray(value) || value === null) return [];
    if (typeof value === "object") return termRows(value as Record<string, unknown>, `${prefix}${name}: `);
    const shown = prefix.startsWith("windows") ? duration(Number(value)) : parameterValue(name, String(value));
    return [[capital(words(prefix + name)), shown]];
  });
}

export function TaskView({ id }: { id: string }) {
  const number = Number(id);
  const query = useQuery<Task>(`/api/tasks/${number}`, {
    touched: happening => happening.task === number,
    expires: task => (task.phase === "joining" ? task.join_ends : null),
  });
  const title = query.data?.title;
  return (
    <>
      <Heading title={title ? `Task ${number}: ${title}` : `Task ${number}`} />
      <Answer query={query}>{task => <Shown task={task} />}</Answer>
    </>
  );
}

function Shown({ task }: { task: Task }) {
  return (
    <div class="columns">
      <div class="column-main">
        <Panel title="Standing" aside={<span class="badge active">{capital(words(task.phase))}</span>}>
          <Facts
            facts={[
              ["Round", `${task.round} of ${task.rounds}`],
              ["Joining ends in", task.phase === "joining" ? <Countdown until={task.join_ends} /> : null],
              ["Rounds", `${task.final} final, ${task.failed} failed`],
              ["Reward of a round", <Amount wei={task.reward} />],
              ["Paid", <Amount wei={task.paid} />],
              ["Client", <Address address={task.client} copy />],
              ["Created", <Time at={task.created_at} />],
            ]}
          />
        </Panel>
        <Panel title="Rounds">
          {task.rounds_list.length > 0 ? (
            <Table caption="Rounds" columns={rounds(task)} rows={task.rounds_list} rowKey={round => round.round} />
          ) : (
            <Empty>No round has begun.</Empty>
          )}
        </Panel>
        <Panel title="Participants">
          {task.members.length > 0 ? (
            <Table caption="Participants" columns={MEMBERS} rows={task.members} rowKey={member => member.index} />
          ) : (
            <Empty>Nobody has joined.</Empty>
          )}
        </Panel>
        {task.games_list.length > 0 ? (
          <Panel title="Games about aggregates">
            {task.games_list.map(game => (
              <GameShown key={game.id} game={game} />
            ))}
          </Panel>
        ) : null}
      </div>
      <div class="column-side">
        <Panel title="Terms">
          <Facts rows facts={termRows(task.terms)} />
        </Panel>
      </div>
    </div>
  );
}

function GameShown({ game }: { game: Game }) {
  return (
    <article class="model">
      <h3>
        Game {game.id}: {words(game.subject)} of posting {game.posting}
      </h3>
      <p>
        <Address address={game.challenger} /> against the leader <Address address={game.leader} />, stake{" "}
        <Amount wei={game.stake} />: {words(game.verdict === "none" ? game.stage : game.verdict)}
      </p>
      <ol class="moves-plain">
        {game.moves.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a game's moves are only ever added to
          <li key={index}>{text}</li>
        ))}
      </ol>
    </article>
  );
}
