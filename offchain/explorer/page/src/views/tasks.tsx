import { useQuery } from "../api/hooks";
import type { TaskRow, Tasks } from "../api/types";
import { capital, words } from "../parts/format";
import { Answer, Empty, Heading, Panel } from "../parts/layout";
import { Pager } from "../parts/pager";
import { type Column, Table } from "../parts/table";
import { Address, Ago, Amount, Countdown } from "../parts/values";
import { Link, usePlace } from "../route";

const COLUMNS: Column<TaskRow>[] = [
  {
    title: "Task",
    head: true,
    cell: task => (
      <Link href={`/tasks/${task.id}`} class="order-link">
        <span class="number">#{task.id}</span>
        {task.title ? <span class="order-title">{task.title}</span> : null}
      </Link>
    ),
  },
  {
    title: "Phase",
    cell: task => (
      <span class="stack">
        <span class={`badge ${task.phase === "over" ? "done" : "active"}`}>{capital(words(task.phase))}</span>
        {task.phase === "joining" ? (
          <span class="quiet">
            <Countdown until={task.join_ends} />
          </span>
        ) : null}
      </span>
    ),
  },
  { title: "Round", numeric: true, cell: task => `${task.round} of ${task.rounds}` },
  { title: "Participants", numeric: true, cell: task => `${task.active} of ${task.participants}` },
  { title: "Reward of a round", numeric: true, cell: task => <Amount wei={task.reward} /> },
  { title: "Paid", numeric: true, cell: task => <Amount wei={task.paid} /> },
  { title: "Games", numeric: true, cell: task => task.games },
  { title: "Client", cell: task => <Address address={task.client} /> },
  { title: "Created", cell: task => <Ago at={task.created_at} /> },
];

export function TasksView() {
  const { query } = usePlace();
  const asked = new URLSearchParams({ limit: "40" });
  const before = query.get("before");
  if (before) asked.set("before", before);
  const tasks = useQuery<Tasks>(`/api/tasks?${asked}`, { touched: happening => happening.task !== null });
  return (
    <>
      <Heading title="Federated tasks" />
      <p class="lead">
        Participants train one model together on data that never leaves them; any of them can have the contract check a
        leader's aggregate.
      </p>
      <Panel title="Newest first">
        <Answer query={tasks}>
          {({ tasks: rows, next }) => (
            <>
              {rows.length > 0 ? (
                <Table
                  caption="Federated tasks, the newest first"
                  columns={COLUMNS}
                  rows={rows}
                  rowKey={task => task.id}
                />
              ) : (
                <Empty>There is no federated task yet.</Empty>
              )}
              <Pager path="/tasks" query={query} next={next} what="tasks" />
            </>
          )}
        </Answer>
      </Panel>
    </>
  );
}
