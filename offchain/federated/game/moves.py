"""The moves of the game: one for each function of `IFederatedCourt.sol` that a player may call.

`call_of` gives a move's function and its arguments in the order of the ABI, after the game's id; for what begins a game
(`Begin`), or needs none, after the task's.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from offchain.dispute.proofs import proof_of
from offchain.federated.game.state import NOTHING, Subject
from offchain.federated.vector_tree import Opening


@dataclass(frozen=True, slots=True)
class Challenge:
    """Begins a game at the root."""

    function: ClassVar[str] = "challenge"
    subject: Subject


@dataclass(frozen=True, slots=True)
class ChallengeCoordinate:
    """Begins a game at a coordinate of the result."""

    function: ClassVar[str] = "challengeCoordinate"
    coordinate: int


@dataclass(frozen=True, slots=True)
class ChallengeMeasure:
    """Begins a game at an entry of a row of the measures."""

    function: ClassVar[str] = "challengeMeasure"
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class ProveSelection:
    """Shows that `left_out` comes before `selected` by Krum's scores, from the leader's own measures."""

    function: ClassVar[str] = "proveSelection"
    selected: int
    left_out: int
    selected_row: Opening
    left_out_row: Opening


@dataclass(frozen=True, slots=True)
class Descend:
    """The nodes below the one in play."""

    function: ClassVar[str] = "descend"
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """The node that is another, with its proof up to the one in play; `index` among those that were shown."""

    function: ClassVar[str] = "pick"
    index: int
    node: bytes
    proof: tuple[bytes, ...]

    @classmethod
    def of(cls, nodes: tuple[bytes, ...], index: int) -> Pick:
        """One of the nodes that were shown."""
        return cls(index, nodes[index], proof_of(nodes, index))


@dataclass(frozen=True, slots=True)
class TurnToResult:
    """Goes on about the result instead of the measures."""

    function: ClassVar[str] = "turnToResult"


@dataclass(frozen=True, slots=True)
class OpenLeaf:
    """The leaf in play."""

    function: ClassVar[str] = "openLeaf"
    leaf: Opening
    groups: Opening = NOTHING


@dataclass(frozen=True, slots=True)
class Name:
    """The coordinate of the vector, or the row's entry, that is another; `content` of a row, empty for a result."""

    function: ClassVar[str] = "name"
    content: bytes
    place: int


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """Everything that a coordinate is made of; the fields of the contract's `ColumnAnswer`."""

    function: ClassVar[str] = "answerColumn"
    new_leaf: Opening
    old_leaf: Opening
    column: bytes
    norms: Opening = NOTHING
    groups: Opening = NOTHING


@dataclass(frozen=True, slots=True)
class Falsify:
    """The update in a column, which has another value at the coordinate."""

    function: ClassVar[str] = "falsify"
    column: bytes
    index: int
    chunk: Opening
    groups: Opening = NOTHING


@dataclass(frozen=True, slots=True)
class FalsifyWeight:
    """The column that has another weight."""

    function: ClassVar[str] = "falsifyWeight"
    column: bytes
    index: int


@dataclass(frozen=True, slots=True)
class DisputeNorm:
    """The column whose norm is another."""

    function: ClassVar[str] = "disputeNorm"
    index: int
    norms: Opening


@dataclass(frozen=True, slots=True)
class Segments:
    """One sum for each segment of the chunks in play."""

    function: ClassVar[str] = "segments"
    sums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choose:
    """The segment whose sum is another."""

    function: ClassVar[str] = "choose"
    sums: tuple[int, ...]
    index: int


@dataclass(frozen=True, slots=True)
class Product:
    """Has the sum over the one chunk in play computed."""

    function: ClassVar[str] = "product"
    left: Opening
    right: Opening = NOTHING
    groups: Opening = NOTHING


Begin = Challenge | ChallengeCoordinate | ChallengeMeasure
LeaderMove = Descend | OpenLeaf | AnswerColumn | Segments
ChallengerMove = Pick | TurnToResult | Name | Falsify | FalsifyWeight | DisputeNorm | Choose | Product
Move = LeaderMove | ChallengerMove


def call_of(move: Begin | ProveSelection | Move) -> tuple[str, tuple[Any, ...]]:
    """The court's function and its arguments after the first, structs as tuples."""
    values = tuple(_plain(getattr(move, field.name)) for field in dataclasses.fields(move))
    return move.function, ((values,) if isinstance(move, AnswerColumn) else values)


def _plain(value: Any) -> Any:
    if isinstance(value, Opening):
        return (value.content, value.proof)
    return value
