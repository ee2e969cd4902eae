"""What happened in a dispute, in words, from the court's events. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from offchain.dispute.state import Side, Verdict
from offchain.model.graph import Op, Shape


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the evaluation a dispute has got to: a node, what it computes, and the shape of its output if known."""

    node: int
    op: str
    shape: Shape | None = None

    def element(self, index: int) -> str:
        """An element by its coordinates, or by its number when the shape is not known."""
        if self.shape is None or index >= prod(self.shape):
            return f"element {index}"
        found: list[int] = []
        for side in reversed(self.shape):
            index, rest = divmod(index, side)
            found.insert(0, rest)
        return f"element [{','.join(map(str, found))}]"

    def __str__(self) -> str:
        return f"node {self.node} {self.op}"


@dataclass(frozen=True, slots=True)
class Line:
    """One event in words. `side`: whose doing it was; None for what anybody may do."""

    side: Side | None
    text: str


NOWHERE = Place(0, "?")


def place_after(place: Place, name: str, arguments: Mapping[str, Any], shape: Shape | None) -> Place:
    """Where the dispute is after an event. `shape`: of the node's output, for a TensorPicked."""
    if name != "TensorPicked":
        return place
    number = int(arguments["op"])
    op = Op(number).name.lower() if number in set(Op) else f"operation {number}"
    return replace(place, node=int(arguments["node"]), op=op, shape=shape)


def line_of(name: str, arguments: Mapping[str, Any], place: Place) -> Line | None:
    """An event in words, None for one that says nothing new. `place`: where the dispute is by then."""
    get = arguments.__getitem__
    match name:
        case "Opened":
            return _challenger(f"challenges the score {get('score')} of model {get('modelIndex')}")
        case "Countered":
            return _challenger(f"puts {get('score')} in its place")
        case "SumsPosted":
            return _defendant(f"gives {len(get('sums'))} sums of {_samples(get('low'), get('high'))}")
        case "SumPicked":
            return _challenger(f"picks {_samples(get('low'), get('high'))}, said to score {get('value')}")
        case "TracePosted":
            return _defendant(f"shows sample {get('sample')}: {len(get('roots')) + 1} tensors")
        case "TensorPicked":
            return _challenger(f"picks {place}")
        case "HashesPosted":
            return _defendant(f"gives {len(get('hashes'))} hashes of {place}")
        case "HashPicked":
            return _challenger(f"picks chunks {_range(get('base'), get('base') + get('count'))} of {place}")
        case "ChunkPosted":
            return _defendant(f"shows chunk {get('index')} of {place}: {len(get('chunk')):,} bytes")
        case _:
            return _step(name, arguments, place)


def _step(name: str, arguments: Mapping[str, Any], place: Place) -> Line | None:
    get = arguments.__getitem__
    match name:
        case "ElementPicked":
            return _challenger(f"picks {place}, {place.element(get('element'))}, said to be {get('claimed')}")
        case "PartsPosted":
            return _defendant(f"gives {len(get('parts'))} parts of terms {_range(get('from'), get('to'))}")
        case "PartPicked":
            return _challenger(f"picks terms {_range(get('from'), get('to'))}, said to be {get('claimed')}")
        case "Computed":
            terms = f", terms {_range(get('from'), get('to'))}" if get("to") else ""
            said = f"defendant says {get('claimed')}, contract computed {get('computed')}"
            return Line(None, f"{place}, {place.element(get('element'))}{terms}: {said}")
        case "Closed":
            return Line(None, _verdict(Verdict(int(get("verdict"))), bool(get("timedOut"))))
        case _:
            return None


def _verdict(verdict: Verdict, timed_out: bool) -> str:
    match verdict:
        case Verdict.FALSE:
            return "the defendant was too late: the score counts as false" if timed_out else "the score is false"
        case Verdict.STANDS:
            return "the challenger was too late: the score stands" if timed_out else "the score stands"
        case _:
            return "there is nothing left to decide"


def _defendant(text: str) -> Line:
    return Line(Side.DEFENDANT, text)


def _challenger(text: str) -> Line:
    return Line(Side.CHALLENGER, text)


def _samples(low: int, high: int) -> str:
    return f"sample{'s' if high - low > 1 else ''} {_range(low, high)}"


def _range(low: int, high: int) -> str:
    return f"{low}" if high == low + 1 else f"{low} to {high - 1}"
