"""The moves of the game: one for each function of `IDisputeCourt.sol` that a player on turn may call.

`call_of` gives a move's function and arguments in the order of the ABI, after the dispute's id.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from offchain.model.leaves import Header, NodeOpening, Operands, Sample, UnitOpening


@dataclass(frozen=True, slots=True)
class TracePosting:
    """What a defendant shows of the one sample; `roots` are the blobs of the outputs of all nodes, in order."""

    header: Header
    roots: tuple[bytes, ...]
    output: bytes
    sample: Sample
    sample_proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PostSums:
    """One sum for each segment of the samples in play."""

    function: ClassVar[str] = "postSums"
    sums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PickSum:
    """The segment of samples that is false."""

    function: ClassVar[str] = "pickSum"
    sums: tuple[int, ...]
    index: int


@dataclass(frozen=True, slots=True)
class PostTrace:
    """The roots of all tensors of the one sample left, and its output."""

    function: ClassVar[str] = "postTrace"
    posting: TracePosting


@dataclass(frozen=True, slots=True)
class PickTensor:
    """The first tensor that is false: the output of `opening.node`."""

    function: ClassVar[str] = "pickTensor"
    opening: NodeOpening
    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PostHashes:
    """The hashes below the root of the part of the tensor in play."""

    function: ClassVar[str] = "postHashes"
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PickHash:
    """The hash that is false."""

    function: ClassVar[str] = "pickHash"
    hashes: tuple[bytes, ...]
    index: int


@dataclass(frozen=True, slots=True)
class PostChunk:
    """The bytes of the chunk in play."""

    function: ClassVar[str] = "postChunk"
    chunk: bytes


@dataclass(frozen=True, slots=True)
class Compute:
    """Has one element of the chunk computed."""

    function: ClassVar[str] = "compute"
    element: int
    chunk: bytes
    operands: Operands


@dataclass(frozen=True, slots=True)
class Contest:
    """Asks for the parts of one element of the chunk, whose operands do not fit a move."""

    function: ClassVar[str] = "contest"
    element: int
    chunk: bytes
    opening: NodeOpening


@dataclass(frozen=True, slots=True)
class PostParts:
    """One value for each segment of the terms in play; node and unit are read the first time only."""

    function: ClassVar[str] = "postParts"
    parts: tuple[int, ...]
    opening: NodeOpening
    unit: UnitOpening


@dataclass(frozen=True, slots=True)
class ComputePart:
    """Has one part computed."""

    function: ClassVar[str] = "computePart"
    parts: tuple[int, ...]
    index: int
    operands: Operands


@dataclass(frozen=True, slots=True)
class ContestPart:
    """Asks for the parts of a part."""

    function: ClassVar[str] = "contestPart"
    parts: tuple[int, ...]
    index: int


Move = (
    PostSums
    | PickSum
    | PostTrace
    | PickTensor
    | PostHashes
    | PickHash
    | PostChunk
    | Compute
    | Contest
    | PostParts
    | ComputePart
    | ContestPart
)


def call_of(move: Move) -> tuple[str, tuple[Any, ...]]:
    """The court's function and its arguments after the dispute's id, structs as tuples."""
    values = tuple(_plain(getattr(move, field.name)) for field in dataclasses.fields(move))
    return move.function, values


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return tuple(_plain(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value
