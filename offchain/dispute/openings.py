"""What moves show of a model, a trace and a test set: the twin of the structs in `contracts/libraries/ModelTree.sol`.

Every field of a leaf is one 32-byte word; `leaf` is keccak256(abi.encode(kind, struct)). Signed values are ints as they
are, hashes 32 bytes.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from eth_utils.crypto import keccak

from offchain.errors import Bug

HEADER, NODE, UNIT, SAMPLE = 1, 2, 3, 4
"""The kinds of leaves."""

ZERO_WORD = bytes(32)

Leaf = TypeVar("Leaf")
Pair = tuple[int, int]
Four = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Header:
    """`Header` of ModelTree.sol."""

    input_shape: Four = (0, 0, 0, 0)
    nodes: int = 0
    output_scale: int = 0
    nodes_root: bytes = ZERO_WORD


@dataclass(frozen=True, slots=True)
class Totals:
    """`Totals` of ModelTree.sol."""

    elements: int = 0
    units: int = 0
    weights: int = 0
    work: int = 0


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`Descriptor` of ModelTree.sol."""

    index: int = 0
    op: int = 0
    inputs: Pair = (0, 0)
    input_shape: Four = (0, 0, 0, 0)
    shape: Four = (0, 0, 0, 0)
    low: int = 0
    high: int = 0
    kernel: Pair = (0, 0)
    stride: Pair = (0, 0)
    padding: Four = (0, 0, 0, 0)
    offset: int = 0
    multipliers: Pair = (0, 0)
    shift: int = 0
    row_bytes: int = 0
    units: int = 0
    units_root: bytes = ZERO_WORD
    totals: Totals = Totals()


@dataclass(frozen=True, slots=True)
class Unit:
    """`Unit` of ModelTree.sol."""

    weight_root: bytes = ZERO_WORD
    bias: int = 0
    multiplier: int = 0
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """`Sample` of ModelTree.sol."""

    input_root: bytes = ZERO_WORD
    label: int = 0


@dataclass(frozen=True, slots=True)
class NodeOpening:
    """A node with its proof up to `header.nodes_root`."""

    header: Header = Header()
    node: Descriptor = Descriptor()
    proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitOpening:
    """A unit with its proof up to the node's `units_root`; all zero where a node has none."""

    index: int = 0
    unit: Unit = Unit()
    proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ChunkOpening:
    """One chunk of a blob with its proof up to the blob's root."""

    index: int
    data: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TensorOpening:
    """The root of one tensor's blob with its proof up to the trace root."""

    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Operands:
    """Everything that one step of an evaluation needs."""

    node: NodeOpening
    unit: UnitOpening
    weights: tuple[ChunkOpening, ...]
    tensors: tuple[TensorOpening, ...]
    first: tuple[ChunkOpening, ...]
    second: tuple[ChunkOpening, ...]


@dataclass(frozen=True, slots=True)
class TracePosting:
    """`TracePosting` of IDisputeCourt.sol: what a defendant shows of the one sample."""

    header: Header
    roots: tuple[bytes, ...]
    output: bytes
    sample: Sample
    sample_proof: tuple[bytes, ...]


def words_of(struct: Any) -> tuple[int | bytes, ...]:
    """The words of a leaf's struct, in order."""
    found: list[int | bytes] = []
    for field in dataclasses.fields(struct):
        value = getattr(struct, field.name)
        if dataclasses.is_dataclass(value):
            found.extend(words_of(value))
        elif isinstance(value, tuple):
            found.extend(value)
        else:
            found.append(value)
    return tuple(found)


def encode_words(words: tuple[int | bytes, ...]) -> bytes:
    """`abi.encode` of words: integers in two's complement, hashes as they are."""
    return b"".join(word if isinstance(word, bytes) else (word % (1 << 256)).to_bytes(32, "big") for word in words)


def leaf_of(kind: int, struct: Any) -> bytes:
    """keccak256(abi.encode(kind, struct)): 32 bytes."""
    return bytes(keccak(encode_words((kind, *words_of(struct)))))


def decode_words(kind: type[Leaf], encoding: bytes) -> Leaf:
    """A leaf's struct from its words (without the kind), integers read as signed."""
    words = [encoding[start : start + 32] for start in range(0, len(encoding), 32)]
    value: Leaf = _take(kind, words)
    if words:
        raise Bug(f"{len(words)} words too many for {kind.__name__}")
    return value


def _take(kind: Any, words: list[bytes]) -> Any:
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(*(_take(hints[field.name], words) for field in dataclasses.fields(kind)))  # type: ignore[operator]
    if get_origin(kind) is tuple:
        return tuple(_take(item, words) for item in get_args(kind))
    word = words.pop(0)
    return word if kind is bytes else int.from_bytes(word, "big", signed=True)
