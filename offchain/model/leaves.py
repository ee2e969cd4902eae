"""The structs that leaves are made of and openings show: the twin of `ModelTree.sol`, field by field.

`dataclasses.astuple` of each is what eth_abi encodes as the Solidity struct of the same name. In the structs that are
hashed every field is one 32-byte word, so a leaf is keccak256 of the kind's word and the struct's words.
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

from eth_utils.crypto import keccak

from offchain.model.graph import Shape

KIND_HEADER = 1
KIND_NODE = 2
KIND_UNIT = 3
KIND_SAMPLE = 4

ZERO = bytes(32)

Words4 = tuple[int, int, int, int]
Words2 = tuple[int, int]
Proof = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """The model as a whole. input_shape: see `shape_words`; output_scale: bits of an IEEE 754 binary64."""

    input_shape: Words4
    nodes: int
    output_scale: int
    nodes_root: bytes


@dataclass(frozen=True, slots=True)
class Totals:
    """What a network costs up to and including a node: elements of input and outputs, units, int8 parameters, terms."""

    elements: int = 0
    units: int = 0
    weights: int = 0
    work: int = 0


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One node; words that its operation does not use are 0, but for kernel and stride, which are 1.

    inputs: tensor ids; input_shape: of the first input; row_bytes: int8 parameters of one unit.
    """

    index: int
    op: int
    inputs: Words2
    input_shape: Words4
    shape: Words4
    low: int
    high: int
    kernel: Words2
    stride: Words2
    padding: Words4
    offset: int
    multipliers: Words2
    shift: int
    row_bytes: int
    units: int
    units_root: bytes
    totals: Totals


@dataclass(frozen=True, slots=True)
class Unit:
    """The parameters of one output unit (of LOOKUP: the table; of EMBEDDING: one row)."""

    weight_root: bytes = ZERO
    bias: int = 0
    multiplier: int = 0
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a test set."""

    input_root: bytes
    label: int


@dataclass(frozen=True, slots=True)
class NodeOpening:
    """A node; `proof` leads from its leaf to `header.nodes_root`."""

    header: Header
    node: Descriptor
    proof: Proof


@dataclass(frozen=True, slots=True)
class UnitOpening:
    """A unit; `proof` leads from its leaf to `units_root` of its node. All zero where there is none."""

    index: int = 0
    unit: Unit = field(default_factory=Unit)
    proof: Proof = ()


@dataclass(frozen=True, slots=True)
class ChunkOpening:
    """One chunk of a blob; `proof` leads from its hash to the blob's root."""

    index: int
    data: bytes
    proof: Proof


@dataclass(frozen=True, slots=True)
class TensorOpening:
    """The blob's root of one tensor of a trace; `proof` leads from it to the trace root."""

    root: bytes
    proof: Proof


@dataclass(frozen=True, slots=True)
class Operands:
    """Everything that one step of an evaluation needs; see `ModelTree.sol`."""

    node: NodeOpening
    unit: UnitOpening
    weights: tuple[ChunkOpening, ...]
    tensors: tuple[TensorOpening, ...]
    first: tuple[ChunkOpening, ...]
    second: tuple[ChunkOpening, ...]


HEADER_ABI = "(uint256[4],uint256,uint256,bytes32)"
DESCRIPTOR_ABI = (
    "(uint256,uint256,uint256[2],uint256[4],uint256[4],int256,int256,uint256[2],uint256[2],uint256[4],uint256,"
    "uint256[2],uint256,uint256,uint256,bytes32,(uint256,uint256,uint256,uint256))"
)
UNIT_ABI = "(bytes32,int256,uint256,uint256)"
SAMPLE_ABI = "(bytes32,int256)"
NODE_OPENING_ABI = f"({HEADER_ABI},{DESCRIPTOR_ABI},bytes32[])"
UNIT_OPENING_ABI = f"(uint256,{UNIT_ABI},bytes32[])"
CHUNK_OPENING_ABI = "(uint256,bytes,bytes32[])"
TENSOR_OPENING_ABI = "(bytes32,bytes32[])"
OPERANDS_ABI = (
    f"({NODE_OPENING_ABI},{UNIT_OPENING_ABI},{CHUNK_OPENING_ABI}[],{TENSOR_OPENING_ABI}[],"
    f"{CHUNK_OPENING_ABI}[],{CHUNK_OPENING_ABI}[])"
)


def shape_words(shape: Shape) -> Words4:
    """(rank, sides…, zeros) of a shape of at most three sides."""
    first, second, third = (*shape, 0, 0, 0)[:3]
    return len(shape), first, second, third


def header_leaf(header: Header) -> bytes:
    """keccak256(abi.encode(1, header)): the model root."""
    return _leaf(KIND_HEADER, header)


def node_leaf(node: Descriptor) -> bytes:
    """keccak256(abi.encode(2, node))."""
    return _leaf(KIND_NODE, node)


def unit_leaf(unit: Unit) -> bytes:
    """keccak256(abi.encode(3, unit))."""
    return _leaf(KIND_UNIT, unit)


def sample_leaf(sample: Sample) -> bytes:
    """keccak256(abi.encode(4, sample))."""
    return _leaf(KIND_SAMPLE, sample)


def _leaf(kind: int, struct: Header | Descriptor | Unit | Sample) -> bytes:
    return keccak(b"".join(_word(value) for value in _flat((kind, astuple(struct)))))


def _flat(value: object) -> Iterable[int | bytes]:
    if isinstance(value, tuple):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, int | bytes):
        yield value


def _word(value: int | bytes) -> bytes:
    """32 bytes big-endian, negative numbers in two's complement."""
    return value if isinstance(value, bytes) else (value % (1 << 256)).to_bytes(32, "big")
