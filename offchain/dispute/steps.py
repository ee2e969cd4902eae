"""One step of an evaluation, checked and computed with plain integers: the twin of `contracts/StepVerifier.sol`.

Slow and obvious on purpose, and independent of the evaluator and of its oracle: the referee of the pure game.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from eth_utils.crypto import keccak

from offchain.dispute.proofs import Refused, leaf_of, root_of
from offchain.dispute.segments import CHUNK_BYTES, chunk_bounds, chunk_count
from offchain.model.graph import Op
from offchain.model.leaves import ChunkOpening, Descriptor, NodeOpening, Operands, Unit, UnitOpening

DIVISIBLE = frozenset({Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D})
"""Operations with a reduction, which can be divided."""

WEIGHTED = frozenset({Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D})
LEAST = -128
"""The largest element of no elements."""


@dataclass(frozen=True, slots=True)
class Question:
    """One output element of one node, in the trace of one sample."""

    model_root: bytes
    trace_root: bytes
    node: int
    element: int


def elements_of(shape: Sequence[int]) -> int:
    """How many elements a shape of words (rank, sides, zeros) has."""
    return prod(shape[1 : 1 + shape[0]])


def open_node(model_root: bytes, node: int, opening: NodeOpening) -> Descriptor:
    """The node, if the opening leads to the model root. Refused: WrongOpening, WrongNode."""
    if leaf_of(opening.header) != model_root:
        raise Refused("WrongOpening", "node")
    if opening.node.index != node:
        raise Refused("WrongNode", node, opening.node.index)
    root = root_of(leaf_of(opening.node), node, opening.header.nodes, opening.proof)
    if root != opening.header.nodes_root:
        raise Refused("WrongOpening", "node")
    if not Op.DENSE <= opening.node.op <= Op.CONCAT:
        raise Refused("UnknownOperation", opening.node.op)
    return opening.node


def terms(model_root: bytes, node: int, opening: NodeOpening) -> int:
    """How many terms the reduction of each output element of the node has; 0 for operations without one."""
    return terms_of(open_node(model_root, node, opening))


def terms_of(node: Descriptor) -> int:
    """Like `terms`, of a node that is known already."""
    match node.op:
        case Op.DENSE:
            return elements_of(node.input_shape)
        case Op.CONV2D:
            return prod(node.kernel) * node.input_shape[3]
        case Op.DEPTHWISE_CONV2D | Op.MAX_POOL2D | Op.AVERAGE_POOL2D:
            return prod(node.kernel)
        case _:
            return 0


def element(question: Question, operands: Operands) -> int:
    """The output element, computed whole. Refused as IStepVerifier says."""
    node = open_node(question.model_root, question.node, operands.node)
    _check_element(question, node)
    if node.op in DIVISIBLE:
        combined = _reduced(question, node, operands, range(terms_of(node)))
        return finished(node, operands.unit.unit, combined)
    return _clamp(node, _whole(question, node, operands))


def part(question: Question, first: int, last: int, operands: Operands) -> int:
    """The combined terms [first, last) of the reduction, before bias and requantisation; refused like `element`."""
    node = _open_divisible(question, operands.node)
    if not first < last <= terms_of(node):
        raise Refused("WrongRange", terms_of(node), first, last)
    return _reduced(question, node, operands, range(first, last))


def finish(question: Question, opening: NodeOpening, unit: UnitOpening, parts: Sequence[int]) -> int:
    """The output element that the parts of a whole reduction make. Refused as IStepVerifier says."""
    node = _open_divisible(question, opening)
    return finished(node, _maybe_unit(question, node, unit), combine(node.op, parts))


def combine(op: int, values: Iterator[int] | Sequence[int]) -> int:
    """Several values of a reduction as one: their sum, or of a max-pool the largest."""
    return max((LEAST, *values)) if op == Op.MAX_POOL2D else sum(values)


def finished(node: Descriptor, unit: Unit, combined: int) -> int:
    """The output element of a reduction's combined terms: bias, requantisation, clamp."""
    if node.op == Op.MAX_POOL2D:
        return _clamp(node, combined)
    if node.op == Op.AVERAGE_POOL2D:
        return _clamp(node, requantise(combined * node.multipliers[0], node.shift))
    return _clamp(node, requantise((combined + unit.bias) * unit.multiplier, unit.shift))


def requantise(scaled: int, shift: int) -> int:
    """(scaled + 2**(shift - 1)) >> shift, arithmetic."""
    return (scaled + (1 << shift >> 1)) >> shift


def unit_of(node: Descriptor, place: int) -> int:
    """The unit that makes the output element at `place`, of an operation with units but EMBEDDING: its channel."""
    return place if node.op == Op.DENSE else place % node.shape[3]


def term_places(node: Descriptor, place: int, index: int) -> tuple[int, int | None]:
    """Where in the weight row and in the input term `index` of the element at `place` is made; None is padding."""
    if node.op == Op.DENSE:
        return index, index
    _, height, width, channels = node.input_shape
    inner = channels if node.op == Op.CONV2D else 1
    position, channel = divmod(place, node.shape[3])
    row, column = divmod(position, node.shape[2])
    tap, within = divmod(index, inner)
    down, across = divmod(tap, node.kernel[1])
    y = row * node.stride[0] + down - node.padding[0]
    x = column * node.stride[1] + across - node.padding[1]
    if not (0 <= y < height and 0 <= x < width):
        return index, None
    return index, (y * width + x) * channels + (within if node.op == Op.CONV2D else channel)


def input_sizes(node: Descriptor) -> tuple[int, ...]:
    """How many bytes each tensor that the node reads has."""
    first = elements_of(node.input_shape)
    if node.op in (Op.ADD, Op.MULTIPLY):
        return first, first
    if node.op == Op.CONCAT:
        return first, elements_of(node.shape) - first
    return (first,)


class _Blob:
    """The chunks of one blob that were shown, each checked against the root."""

    def __init__(self, what: str, root: bytes, size: int, chunks: Sequence[ChunkOpening]) -> None:
        self._what = what
        self._chunks: dict[int, bytes] = {}
        for chunk in chunks:
            if chunk.index >= chunk_count(size):
                raise Refused("IndexOutOfRange", chunk_count(size), chunk.index)
            start, stop = chunk_bounds(size, chunk.index)
            if len(chunk.data) != stop - start:
                raise Refused("WrongLength", stop - start, len(chunk.data))
            if root_of(keccak(chunk.data), chunk.index, chunk_count(size), chunk.proof) != root:
                raise Refused("WrongOpening", what)
            self._chunks[chunk.index] = chunk.data

    def __getitem__(self, place: int) -> int:
        """The int8 at `place`."""
        index, offset = divmod(place, CHUNK_BYTES)
        if index not in self._chunks:
            raise Refused("ChunkMissing", self._what, index)
        byte = self._chunks[index][offset]
        return byte - 256 if byte > 127 else byte


def _check_element(question: Question, node: Descriptor) -> None:
    if question.element >= elements_of(node.shape):
        raise Refused("WrongElement", elements_of(node.shape), question.element)


def _open_divisible(question: Question, opening: NodeOpening) -> Descriptor:
    node = open_node(question.model_root, question.node, opening)
    if node.op not in DIVISIBLE:
        raise Refused("NotDivisible", node.op)
    _check_element(question, node)
    return node


def _open_unit(node: Descriptor, index: int, opening: UnitOpening) -> Unit:
    if opening.index != index:
        raise Refused("WrongUnit", index, opening.index)
    if root_of(leaf_of(opening.unit), index, node.units, opening.proof) != node.units_root:
        raise Refused("WrongOpening", "unit")
    return opening.unit


def _maybe_unit(question: Question, node: Descriptor, opening: UnitOpening) -> Unit:
    """The unit behind an element of a reduction; none (all zero) behind a pool's."""
    return _open_unit(node, unit_of(node, question.element), opening) if node.op in WEIGHTED else Unit()


def _tensor(question: Question, node: Descriptor, operands: Operands, which: int) -> _Blob:
    """The first (0) or second (1) tensor that the node reads."""
    if which >= len(operands.tensors):
        raise Refused("ChunkMissing", "tensor", which)
    shown = operands.tensors[which]
    reached = root_of(shown.root, node.inputs[which], operands.node.header.nodes + 1, shown.proof)
    if reached != question.trace_root:
        raise Refused("WrongOpening", "tensor")
    what, chunks = (("first", operands.first), ("second", operands.second))[which]
    return _Blob(what, shown.root, input_sizes(node)[which], chunks)


def _reduced(question: Question, node: Descriptor, operands: Operands, which: range) -> int:
    """The combined terms of the reduction; padding is 0, and left out of a max-pool."""
    values = _tensor(question, node, operands, 0)
    if node.op not in WEIGHTED:
        return combine(node.op, _terms(question, node, which, values, None))
    unit = _open_unit(node, unit_of(node, question.element), operands.unit)
    weights = _Blob("weights", unit.weight_root, node.row_bytes, operands.weights)
    return combine(node.op, _terms(question, node, which, values, weights))


def _terms(question: Question, node: Descriptor, which: range, values: _Blob, weights: _Blob | None) -> Iterator[int]:
    for index in which:
        row, place = term_places(node, question.element, index)
        if place is not None:
            yield values[place] if weights is None else weights[row] * values[place]
        elif node.op != Op.MAX_POOL2D:
            yield 0


def _whole(question: Question, node: Descriptor, operands: Operands) -> int:
    """An element of an operation without a reduction, before the clamp."""
    place = question.element
    first = _tensor(question, node, operands, 0)
    match node.op:
        case Op.LOOKUP:
            return _row(node, 0, operands)[first[place] + 128]
        case Op.EMBEDDING:
            token, feature = divmod(place, node.row_bytes)
            return _row(node, min(first[token] + 128, node.units - 1), operands)[feature]
        case Op.SLICE:
            return first[node.offset + place]
    second = _tensor(question, node, operands, 1)
    match node.op:
        case Op.CONCAT:
            before = elements_of(node.input_shape)
            return first[place] if place < before else second[place - before]
        case Op.ADD:
            return requantise(first[place] * node.multipliers[0] + second[place] * node.multipliers[1], node.shift)
        case _:
            return requantise(first[place] * second[place] * node.multipliers[0], node.shift)


def _row(node: Descriptor, unit: int, operands: Operands) -> _Blob:
    """The parameters of a unit."""
    found = _open_unit(node, unit, operands.unit)
    return _Blob("weights", found.weight_root, node.row_bytes, operands.weights)


def _clamp(node: Descriptor, value: int) -> int:
    return max(node.low, min(node.high, value))
