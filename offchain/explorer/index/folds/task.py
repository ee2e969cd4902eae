"""Federated tasks with their rounds and participants, and the games about what leaders post."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.views import decode
from offchain.explorer.index.rows import EventRow, GameRow, ParticipantRow, RoundRow
from offchain.federated.game.state import Stage, Subject, Verdict
from offchain.federated.game.words import line_of
from offchain.federated.terms import FederatedTerms
from offchain.types import CidDigest, Root, Seconds, TaskId, Wei

ZERO = Wei(0)


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task. `refundable`: what the client can take back now; `games`: their numbers."""

    id: TaskId
    client: ChecksumAddress
    terms: FederatedTerms
    created_at: Seconds
    join_ends: Seconds
    model_root: Root
    over: bool = False
    participants: tuple[ParticipantRow, ...] = ()
    rounds: tuple[RoundRow, ...] = ()
    refundable: Wei = ZERO
    withdrawn: Wei = ZERO
    paid: Wei = ZERO
    games: tuple[int, ...] = ()


def fold_task(state: TaskState | None, event: EventRow) -> TaskState | None:
    """The task after an event of FederatedTraining, or the opening of a game about it."""
    said = event.arguments
    if event.name == "TaskCreated":
        terms = decode(FederatedTerms, said["terms"])
        joins = Seconds(said["joinEnds"])
        return TaskState(TaskId(said["task"]), said["client"], terms, event.at, joins, Root(terms.model_root))
    if state is None:
        return None
    if event.contract == "FederatedCourt":
        return replace(state, games=(*state.games, said["id"])) if event.name == "Challenged" else state
    found = FOLDS.get(event.name)
    return state if found is None else found(state, event, said)


Fold = Callable[[TaskState, EventRow, dict[str, Any]], TaskState]


def _joined(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    index, account = said["index"], said["account"]
    mine = ParticipantRow(index, account, Wei(said["stake"]), "active", Wei(0), Wei(0))
    there = [one for one in state.participants if one.index == index]
    if there and there[0].account == account:  # comes back to its place
        mine = replace(there[0], stake=mine.stake, standing="active")
    others = tuple(one for one in state.participants if one.index != index)
    return replace(state, participants=tuple(sorted((*others, mine), key=lambda one: one.index)))


def _left(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return _with_participant(state, said["index"], lambda one: replace(one, stake=Wei(0), standing="left"))


def _excluded(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    def lose(one: ParticipantRow) -> ParticipantRow:
        return replace(one, stake=Wei(0), standing="excluded", lost=Wei(one.lost + said["stake"]))

    return _with_participant(state, said["index"], lose)


def _begun(state: TaskState, event: EventRow, said: dict[str, Any]) -> TaskState:
    fresh = RoundRow(
        round=said["round"],
        state="open",
        begun_at=event.at,
        ended_at=None,
        committed=(),
        revealed=(),
        dropped=(),
        included=(),
        leader=None,
        postings=0,
        objections=0,
        replaced=(),
        result_root=None,
        result_cid=None,
        measures_cid=None,
        paid=Wei(0),
    )
    return replace(state, rounds=(*state.rounds, fresh))


def _adds(field: str) -> Fold:
    def add(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
        return _with_round(state, said["round"], lambda one: _added(one, field, said["index"]))

    return add


def _added(one: RoundRow, field: str, index: int) -> RoundRow:
    change: Any = {field: tuple(sorted({*getattr(one, field), index}))}
    return replace(one, **change)


def _posted(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return _with_round(
        state,
        said["round"],
        lambda one: replace(
            one,
            leader=said["leader"],
            postings=one.postings + 1,
            objections=0,
            result_root=Root(said["resultRoot"]),
            result_cid=CidDigest(said["resultCid"]),
            measures_cid=CidDigest(said["measuresCid"]),
        ),
    )


def _objected(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return _with_round(state, said["round"], lambda one: replace(one, objections=one.objections + 1))


def _replaced(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    index, penalty = said["index"], said["penalty"]
    state = _with_round(state, said["round"], lambda one: _voided(_added(one, "replaced", index)))
    return _with_participant(state, index, _pays(penalty))


def _no_show(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return _with_participant(state, said["index"], _pays(said["penalty"]))


def _pays(penalty: int) -> Callable[[ParticipantRow], ParticipantRow]:
    return lambda one: replace(one, stake=Wei(one.stake - penalty), lost=Wei(one.lost + penalty))


def _wrong(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return _with_round(state, said["round"], lambda one: _voided(_added(one, "replaced", said["index"])))


def _voided(one: RoundRow) -> RoundRow:
    return replace(one, leader=None, objections=0, result_root=None, result_cid=None, measures_cid=None)


def _final(state: TaskState, event: EventRow, said: dict[str, Any]) -> TaskState:
    included = tuple(index for index in range(128) if said["included"] >> index & 1)
    root = Root(said["resultRoot"])
    state = _with_round(
        state,
        said["round"],
        lambda one: replace(
            one, state="final", ended_at=event.at, leader=said["leader"], included=included, result_root=root
        ),
    )
    return replace(state, model_root=root)


def _failed(state: TaskState, event: EventRow, said: dict[str, Any]) -> TaskState:
    return _with_round(state, said["round"], lambda one: replace(one, state="failed", ended_at=event.at))


def _over(state: TaskState, _event: EventRow, _said: dict[str, Any]) -> TaskState:
    return replace(state, over=True)


def _refunded(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return replace(state, refundable=Wei(said["refundable"]))


def _withdrawn(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    return replace(state, refundable=Wei(0), withdrawn=Wei(state.withdrawn + said["amount"]))


def _paid(state: TaskState, _event: EventRow, said: dict[str, Any]) -> TaskState:
    amount = said["amount"]
    state = _with_round(state, said["round"], lambda one: replace(one, paid=Wei(one.paid + amount)))
    state = replace(state, paid=Wei(state.paid + amount))
    return _with_participant(state, said["index"], lambda one: replace(one, earned=Wei(one.earned + amount)))


def _with_participant(state: TaskState, index: int, change: Callable[[ParticipantRow], ParticipantRow]) -> TaskState:
    return replace(state, participants=tuple(change(one) if one.index == index else one for one in state.participants))


def _with_round(state: TaskState, number: int, change: Callable[[RoundRow], RoundRow]) -> TaskState:
    return replace(state, rounds=tuple(change(one) if one.round == number else one for one in state.rounds))


FOLDS: dict[str, Fold] = {
    "Joined": _joined,
    "Left": _left,
    "Excluded": _excluded,
    "RoundBegun": _begun,
    "KeysPosted": _adds("committed"),
    "Committed": _adds("committed"),
    "Revealed": _adds("revealed"),
    "MaskedPosted": _adds("revealed"),
    "Dropped": _adds("dropped"),
    "ResultPosted": _posted,
    "Objected": _objected,
    "NoShowPenalised": _no_show,
    "LeaderReplaced": _replaced,
    "LeaderWrong": _wrong,
    "RoundFinal": _final,
    "RoundFailed": _failed,
    "TaskOver": _over,
    "Refunded": _refunded,
    "Withdrawn": _withdrawn,
    "RewardPaid": _paid,
}
"""By the name of FederatedTraining's event."""


def fold_game(state: GameRow | None, event: EventRow) -> GameRow | None:
    """The game after an event of FederatedCourt."""
    said = event.arguments
    if event.name == "Challenged":
        subject = Subject(said["subject"])
        line = line_of(event.name, said, subject)
        return GameRow(
            id=said["id"],
            task=TaskId(said["task"]),
            posting=said["posting"],
            subject=subject.name.lower(),
            challenger=said["challenger"],
            leader=said["leader"],
            stake=Wei(said["stake"]),
            stage=Stage.NONE.name.lower(),
            deadline=Seconds(0),
            verdict=Verdict.NONE.name.lower(),
            timed_out=False,
            winner=None,
            paid=Wei(0),
            burned=Wei(0),
            opened_at=event.at,
            closed_at=None,
            moves=() if line is None else (line.text,),
        )
    if state is None:
        return None
    line = line_of(event.name, said, Subject[state.subject.upper()])
    if line is not None:
        state = replace(state, moves=(*state.moves, line.text))
    match event.name:
        case "Moved":
            stage = Stage(said["next"]).name.lower()
            return replace(state, stage=stage, deadline=Seconds(said["deadline"]))
        case "Turned":
            return replace(state, subject=Subject.RESULT.name.lower())
        case "Closed":
            verdict = Verdict(said["verdict"])
            decided = verdict in (Verdict.LEADER_WRONG, Verdict.LEADER_RIGHT)
            return replace(
                state,
                stage=Stage.CLOSED.name.lower(),
                verdict=verdict.name.lower(),
                timed_out=said["timedOut"],
                winner=said["winner"] if decided else None,
                paid=Wei(said["paid"]),
                burned=Wei(said["burned"]),
                closed_at=event.at,
            )
        case _:
            return state
