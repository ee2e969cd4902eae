"""What a dispute is between two moves: the twin of the structs in `contracts/interfaces/IDisputeCourt.sol`."""

import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.protocol.scores import ABSTAIN, ScoreFunction
from offchain.types import OrderId, Root, Seconds, Wei

NOBODY = to_checksum_address("0x" + "00" * 20)
"""No account."""

ZERO = bytes(32)
"""A word that says nothing."""


class Stage(IntEnum):
    """What is to be done next; the values are those of the contract's enum."""

    NONE = 0
    SUMS = 1
    PICK_SUM = 2
    TRACE = 3
    PICK_TENSOR = 4
    HASHES = 5
    PICK_HASH = 6
    CHUNK = 7
    PICK_ELEMENT = 8
    PARTS = 9
    PICK_PART = 10
    CLOSED = 11


class Verdict(IntEnum):
    """How a dispute ended; the values are those of the contract's enum."""

    NONE = 0
    FALSE = 1
    STANDS = 2
    MOOT = 3


class Side(IntEnum):
    """A player of a dispute."""

    DEFENDANT = 0
    CHALLENGER = 1

    @property
    def other(self) -> "Side":
        """The opponent."""
        return Side(1 - self)


DEFENDANT_STAGES = frozenset({Stage.SUMS, Stage.TRACE, Stage.HASHES, Stage.CHUNK, Stage.PARTS})
"""Stages in which the defendant is on turn; in the others, while the dispute is open, it is the challenger."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """The contract's `Dispute`, field by field; see there."""

    challenger: ChecksumAddress
    deadline: Seconds
    stage: Stage
    verdict: Verdict
    model_index: int
    defendant: ChecksumAddress
    low: int
    high: int
    move_seconds: int
    oid: OrderId
    value: int
    stake: Wei
    posted: bytes = ZERO
    trace_root: bytes = ZERO
    blob: bytes = ZERO
    nodes: int = 0
    node: int = 0
    base: int = 0
    count: int = 0
    size: int = 0
    element: int = 0
    from_: int = 0
    to: int = 0
    op: int = 0
    seat: ChecksumAddress = NOBODY
    counter: int = ABSTAIN
    version: int = 0

    @property
    def on_turn(self) -> Side | None:
        """Whose move it is; None once it is closed."""
        if self.stage in (Stage.NONE, Stage.CLOSED):
            return None
        return Side.DEFENDANT if self.stage in DEFENDANT_STAGES else Side.CHALLENGER

    @property
    def element_bytes(self) -> int:
        """Bytes of an element of the tensor in play: the last node's are int32."""
        return 4 if self.node + 1 == self.nodes else 1

    def player(self, side: Side) -> ChecksumAddress:
        """The account that plays this side."""
        return self.defendant if side is Side.DEFENDANT else self.challenger


@dataclass(frozen=True, slots=True)
class Setting:
    """What a dispute refers to and never changes: from the order, the model and the test set.

    sample_count: of the test set. output_size: elements of a model's output.
    """

    model_root: Root
    test_root: Root
    sample_count: int
    score_function: ScoreFunction
    output_size: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What the defendant posted last of each kind, as the events tell.

    roots: of all tensors of the sample's trace, the input's first (`nodes` + 1 of them).
    output: the last tensor, int32 big-endian.
    """

    sums: tuple[int, ...] = ()
    roots: tuple[bytes, ...] = ()
    output: bytes = b""
    hashes: tuple[bytes, ...] = ()
    chunk: bytes = b""
    parts: tuple[int, ...] = ()

    def after(self, name: str, arguments: dict[str, Any]) -> "Posted":
        """What is known after an event of the court about this dispute; most events say nothing here.

        name, arguments: as in `IDisputeCourt.sol`, arguments by their names there.
        """
        match name:
            case "SumsPosted":
                return dataclasses.replace(self, sums=tuple(arguments["sums"]))
            case "TracePosted":
                roots = (bytes(arguments["inputRoot"]), *(bytes(root) for root in arguments["roots"]))
                return dataclasses.replace(self, roots=roots, output=bytes(arguments["output"]))
            case "HashesPosted":
                return dataclasses.replace(self, hashes=tuple(bytes(item) for item in arguments["hashes"]))
            case "ChunkPosted":
                return dataclasses.replace(self, chunk=bytes(arguments["chunk"]))
            case "PartsPosted":
                return dataclasses.replace(self, parts=tuple(arguments["parts"]))
            case _:
                return self
