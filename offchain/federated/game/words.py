"""What happened in a game, in words, from the court's events. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.federated.game.state import Side, Subject, Verdict

_WORDS = ("aggregate", "w", "m", "v")
"""Of a coordinate, in the order of a leaf."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event in words. `side`: whose doing it was; None for what anybody may do."""

    side: Side | None
    text: str


def line_of(name: str, arguments: Mapping[str, Any], subject: Subject) -> Line | None:
    """An event of a game in words, None for one that says nothing new.

    name, arguments: as in `IFederatedCourt.sol`, arguments by their names there. subject: what the game is about by
    then.
    """
    get = arguments.__getitem__
    match name:
        case "Computed":
            result = subject is Subject.RESULT
            return _computed(get("index"), get("place"), get("claimed"), get("computed"), result=result)
        case "Closed":
            return _closed(get("verdict"), late=bool(get("timedOut")))
        case _:
            text = _of_leader(name, arguments, subject)
            if text is not None:
                return Line(Side.LEADER, f"the leader {text}")
            text = _of_challenger(name, arguments, subject)
            return None if text is None else Line(Side.CHALLENGER, f"the challenger {text}")


def _of_leader(name: str, arguments: Mapping[str, Any], subject: Subject) -> str | None:
    get = arguments.__getitem__
    match name:
        case "Descended":
            return f"shows {len(get('nodes'))} nodes at height {get('height')} from {get('index')} on"
        case "LeafOpened":
            return f"opens {'chunk' if subject is Subject.RESULT else 'row'} {get('index')}"
        case "ColumnAnswered":
            return f"shows what the updates hold at coordinate {get('coordinate')}"
        case "SegmentsPosted":
            return f"divides it into {len(get('sums'))} sums over chunks {get('low')} to {get('high') - 1}"
        case _:
            return None


def _of_challenger(name: str, arguments: Mapping[str, Any], subject: Subject) -> str | None:
    get = arguments.__getitem__
    match name:
        case "Challenged":
            return f"challenges {_place(get('subject'), get('index'), get('place'))}"
        case "Picked":
            what = "leaf" if get("height") == 0 else f"the node at height {get('height')},"
            return f"finds {what} {get('index')} wrong"
        case "Turned":
            return "finds the evidence right, and turns to the result"
        case "Named" if subject is Subject.RESULT:
            return f"names coordinate {get('place')}"
        case "Named":
            return f"names {_entry(get('index'), get('place'))}, which the leader says is {get('claimed')}"
        case "SegmentChosen":
            return f"disputes {get('claimed')} for chunks {get('low')} to {get('high') - 1}"
        case "Falsified":
            return f"shows that update {get('column')} says {get('actual')}, not {get('claimed')}"
        case "WeightFalsified":
            return f"shows that update {get('column')} weighs {get('actual')}, not {get('claimed')}"
        case "SelectionWrong":
            scores = f"score {get('chosenScore')} against {get('betterScore')}"
            return f"proves that update {get('better')} had to be selected before {get('chosen')}: {scores}"
        case _:
            return None


def _computed(index: int, place: int, claimed: Sequence[int], computed: Sequence[int], *, result: bool) -> Line | None:
    """Nothing where both say the same: the game goes on."""
    wrong = [at for at, pair in enumerate(zip(claimed, computed, strict=True)) if pair[0] != pair[1]]
    if not wrong:
        return None
    at = wrong[0]
    where = f"coordinate {place}" + (f" ({_WORDS[at]})" if at else "") if result else _entry(index, place)
    return Line(None, f"{where}: leader says {claimed[at]}, contract computed {computed[at]}")


def _closed(verdict: int, *, late: bool) -> Line:
    match Verdict(verdict):
        case Verdict.LEADER_WRONG:
            return Line(None, "the leader let its time pass: it has lost" if late else "the leader was wrong")
        case Verdict.LEADER_RIGHT:
            return Line(None, "the challenger let its time pass: the leader was right")
        case _:
            return Line(None, "moot: the posting is no longer in force")


def _place(subject: int, index: int, place: int) -> str:
    if Subject(subject) is Subject.RESULT:
        return f"the result, coordinate {place}" if place or index else "the result"
    return f"the measures, {_entry(index, place)}" if place or index else "the measures"


def _entry(row: int, place: int) -> str:
    return f"entry {place} of row {row}"
