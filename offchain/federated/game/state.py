"""What a game is between two moves: the twin of the structs in `contracts/interfaces/IFederatedCourt.sol`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_typing import ChecksumAddress

from offchain.federated.vector_tree import Opening
from offchain.types import Seconds, TaskId, Wei

ZERO = bytes(32)
"""A word that says nothing."""

NOTHING = Opening(b"", ())
"""An opening where none is needed."""


class Subject(IntEnum):
    """What a game is about; the values are those of the contract's enum."""

    NONE = 0
    RESULT = 1
    MEASURES = 2


class Stage(IntEnum):
    """What is to be done next; the values are those of `FederatedStage`."""

    NONE = 0
    DESCEND = 1
    PICK = 2
    LEAF = 3
    NAME = 4
    COLUMN = 5
    FALSIFY = 6
    SEGMENTS = 7
    CHOOSE = 8
    PRODUCT = 9
    CLOSED = 10


class Verdict(IntEnum):
    """How a game ended; the values are those of `FederatedVerdict`."""

    NONE = 0
    LEADER_WRONG = 1
    LEADER_RIGHT = 2
    MOOT = 3


class Side(IntEnum):
    """A player of a game."""

    LEADER = 0
    CHALLENGER = 1


LEADER_STAGES = frozenset({Stage.DESCEND, Stage.LEAF, Stage.COLUMN, Stage.SEGMENTS})
"""Stages in which the leader is on turn; in the others, while the game is open, it is the challenger."""


@dataclass(frozen=True, slots=True)
class Game:
    """The contract's `FederatedGame`, field by field; see there."""

    challenger: ChecksumAddress
    deadline: Seconds
    move_seconds: int
    stage: Stage
    subject: Subject
    verdict: Verdict
    height: int
    leader: ChecksumAddress
    task: TaskId
    posting: int
    stake: Wei
    share_ppm: int
    index: int
    place: int
    low: int
    high: int
    dimension: int
    leaves: int
    words: int
    claimed: int
    word: bytes

    @property
    def on_turn(self) -> Side | None:
        """Whose move it is; None once it is closed."""
        if self.stage in (Stage.NONE, Stage.CLOSED):
            return None
        return Side.LEADER if self.stage in LEADER_STAGES else Side.CHALLENGER

    @property
    def descended(self) -> bool:
        """Whether it came to its leaf by descent; to be asked while that is in play."""
        return self.word != ZERO

    def player(self, side: Side) -> ChecksumAddress:
        """The account that plays this side."""
        return self.leader if side is Side.LEADER else self.challenger


@dataclass(frozen=True, slots=True)
class Shown:
    """What the leader has shown in a game, the last of each kind, as the court's events tell.

    groups: secure mode: the row of the columns' roots. norms: the row of the columns' squared norms.
    """

    nodes: tuple[bytes, ...] = ()
    leaf: bytes = b""
    column: bytes = b""
    norms: Opening = NOTHING
    groups: Opening = NOTHING
    sums: tuple[int, ...] = ()

    def after(self, name: str, arguments: Mapping[str, Any]) -> Shown:
        """What is known after an event of the court about this game; most events say nothing here.

        name, arguments: as in `IFederatedCourt.sol`, arguments by their names there.
        """
        match name:
            case "Descended":
                return dataclasses.replace(self, nodes=tuple(bytes(node) for node in arguments["nodes"]))
            case "LeafOpened":
                leaf, groups = opening_of(arguments["leaf"]), opening_of(arguments["groups"])
                return dataclasses.replace(self, leaf=leaf.content, groups=groups)
            case "ColumnAnswered":
                norms, groups = opening_of(arguments["norms"]), opening_of(arguments["groups"])
                return dataclasses.replace(self, column=bytes(arguments["column"]), norms=norms, groups=groups)
            case "SegmentsPosted":
                return dataclasses.replace(self, sums=tuple(arguments["sums"]))
            case _:
                return self


def opening_of(value: Any) -> Opening:
    """A `LeafOpening` as a decoder gives it: a mapping, or a pair."""
    content, proof = (value["content"], value["proof"]) if isinstance(value, Mapping) else value
    return Opening(bytes(content), tuple(bytes(node) for node in proof))
