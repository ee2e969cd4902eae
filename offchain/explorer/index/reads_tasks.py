"""Federated tasks."""

from offchain.explorer.index.folds.task import TaskState
from offchain.explorer.index.reads import ALL, Reads
from offchain.explorer.index.rows import Page, TaskPage, TaskRow
from offchain.explorer.index.things import GAME, TASK


def read_tasks(reads: Reads, before: int | None, limit: int) -> Page[TaskRow]:
    """Tasks, the newest first."""
    found = reads.states(TASK, "key < ?", (ALL if before is None else before,), limit=limit + 1, newest_first=True)
    rows = tuple(_row(state) for _, state in found[:limit])
    return Page(rows, rows[-1].id if len(found) > limit else None)


def read_task(reads: Reads, number: int) -> TaskPage | None:
    """A task with its rounds, participants and games."""
    state: TaskState | None = reads.state(TASK, number)
    if state is None:
        return None
    return TaskPage(
        row=_row(state),
        terms=state.terms,
        model_root=state.model_root,
        refundable=state.refundable,
        withdrawn=state.withdrawn,
        participants=state.participants,
        rounds=state.rounds,
        games=tuple(game for _, game in reads.states(GAME, "parent = ?", (number,))),
    )


def _row(state: TaskState) -> TaskRow:
    running = "running" if state.rounds else "joining"
    return TaskRow(
        id=state.id,
        client=state.client,
        manifest=state.terms.spec_cid,
        phase="over" if state.over else running,
        created_at=state.created_at,
        join_ends=state.join_ends,
        round=state.rounds[-1].round if state.rounds else 0,
        rounds=state.terms.rounds,
        final=sum(one.state == "final" for one in state.rounds),
        failed=sum(one.state == "failed" for one in state.rounds),
        participants=len(state.participants),
        active=sum(one.standing == "active" for one in state.participants),
        reward=state.terms.reward,
        paid=state.paid,
        excluded=sum(one.standing == "excluded" for one in state.participants),
        games=len(state.games),
    )
