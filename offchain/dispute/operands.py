"""What a step reads, and what the move costs that shows it.

The size follows from the plan alone, by the rules of the ABI, and so does a bound of the gas; operands are put together
only if they fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.dispute.evidence import Evidence
from offchain.dispute.proofs import proof_length, proof_of
from offchain.dispute.reduction import all_terms, real_terms
from offchain.dispute.segments import CHUNK_BYTES, chunk_bounds, chunk_count
from offchain.dispute.steps import DIVISIBLE, WEIGHTED, elements_of, input_sizes, unit_of
from offchain.model.graph import Int64Array, Op
from offchain.model.leaves import Descriptor, Operands, TensorOpening, UnitOpening

MOST_CALLDATA = 48 * 1024
"""Bytes of calldata that a move may need."""
MOST_GAS = 1_000_000
"""Gas that a step may need, by `gas_bound`; a reduction that needs more is contested, not computed."""

_GAS_OF_MOVE = 250_000
_GAS_OF_BYTE = 16
_GAS_OF_CHUNK = 4_500
_GAS_OF_ROW = 2_600
_GAS_OF_PRODUCT = 13
_GAS_OF_TERM = 300
"""Rounded up from measurements: what a move costs whatever it shows, and what is added."""

_WORD = 32
_NODE_WORDS = 7 + 33 + 1
"""Header, descriptor, and where the proof begins."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which unit and which chunks a step reads; unit None where it reads no parameters.

    rows, terms: of the kernel that the step goes through; 0 for operations without a reduction.
    """

    unit: int | None
    weights: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]
    rows: int = 0
    terms: int = 0


def plan_element(node: Descriptor, element: int, first_input: bytes) -> Plan:
    """What computing a whole element reads; `first_input` is the bytes of the first tensor that the node reads."""
    if node.op in DIVISIBLE:
        return plan_part(node, element, *all_terms(node))
    here = (element // CHUNK_BYTES,)
    match node.op:
        case Op.ADD | Op.MULTIPLY:
            return Plan(None, (), (here, here))
        case Op.LOOKUP:
            return Plan(0, (0,), (here,))
        case Op.EMBEDDING:
            token, feature = divmod(element, node.row_bytes)
            value = int.from_bytes(first_input[token : token + 1], "big", signed=True)
            row = min(value + 128, node.units - 1)
            return Plan(row, (feature // CHUNK_BYTES,), ((token // CHUNK_BYTES,),))
        case Op.SLICE:
            return Plan(None, (), (((element + node.offset) // CHUNK_BYTES,),))
        case _:
            before = elements_of(node.input_shape)
            return Plan(None, (), (here, ()) if element < before else ((), ((element - before) // CHUNK_BYTES,)))


def plan_part(node: Descriptor, element: int, first: int, last: int) -> Plan:
    """What computing terms [first, last) of an element's reduction reads."""
    found = real_terms(node, element, first, last)
    weighted = node.op in WEIGHTED
    return Plan(
        unit=unit_of(node, element) if weighted else None,
        weights=_chunks(found.index) if weighted else (),
        inputs=(_chunks(found.place),),
        rows=len(np.unique(found.index // _row_terms(node))),
        terms=len(found.index),
    )


def fits(node: Descriptor, nodes: int, plan: Plan, listed_words: int) -> bool:
    """Whether `compute` or `computePart` is a move that anyone can pay; arguments as in `calldata_size`."""
    size = calldata_size(node, nodes, plan, listed_words)
    return size <= MOST_CALLDATA and gas_bound(node, plan, size) <= MOST_GAS


def gas_bound(node: Descriptor, plan: Plan, size: int) -> int:
    """At least the gas of `compute` or `computePart` with `size` bytes of calldata.

    `tests/contracts/arithmetic/test_costs.py` holds the contract to it.
    """
    chunks = len(plan.weights) + sum(map(len, plan.inputs))
    term = _GAS_OF_PRODUCT if node.op in (Op.DENSE, Op.CONV2D) else _GAS_OF_TERM
    computing = chunks * _GAS_OF_CHUNK + plan.rows * _GAS_OF_ROW + plan.terms * term
    return _GAS_OF_MOVE + size * _GAS_OF_BYTE + computing


def calldata_size(node: Descriptor, nodes: int, plan: Plan, listed_words: int) -> int:
    """Bytes of calldata of `compute` or `computePart`.

    nodes: of the model. listed_words: words that the move's own list takes, its length not counted.
    """
    head = 4 + 1 + listed_words
    opening = 1 + _NODE_WORDS + 1 + proof_length(node.index, nodes)
    unit = 1 + 1 + 4 + 1 + 1 + (0 if plan.unit is None else proof_length(plan.unit, node.units))
    tensors = sum(1 + 2 + 1 + proof_length(tensor, nodes + 1) for tensor in node.inputs[: len(plan.inputs)])
    weights = _chunk_words(plan.weights, node.row_bytes)
    inputs = sum(_chunk_words(chunks, size) for chunks, size in zip(plan.inputs, input_sizes(node), strict=True))
    # The four arrays each have an offset and a length.
    return 4 + _WORD * (head + opening + unit + tensors + weights + inputs + 4 * 2)


def words(size: int) -> int:
    """Words that a byte string of `size` bytes takes, its length not counted."""
    return -(-size // _WORD)


def gather(evidence: Evidence, sample: int, node: int, plan: Plan, roots: Sequence[bytes]) -> Operands:
    """The operands that a plan names, from a player's own evidence; `roots` are the posted trace's, all of them."""
    found, trace = evidence.node(node), evidence.trace(sample)
    unit, row = UnitOpening(), None
    if plan.unit is not None:
        unit = evidence.work.model.open_unit(node, plan.unit)
        row = evidence.work.model.weights(node, plan.unit)
    read = found.inputs[: len(plan.inputs)]
    shown = []
    for tensor, chunks in zip(read, plan.inputs, strict=True):
        blob = trace.blob(tensor)
        shown.append(tuple(blob.open(chunk) for chunk in chunks))
    return Operands(
        node=evidence.open_node(node),
        unit=unit,
        weights=() if row is None else tuple(row.open(chunk) for chunk in plan.weights),
        tensors=tuple(TensorOpening(roots[tensor], proof_of(roots, tensor)) for tensor in read),
        first=shown[0],
        second=shown[1] if len(shown) > 1 else (),
    )


def _row_terms(node: Descriptor) -> int:
    """Terms of one row of the kernel; of a dense layer all are one row."""
    if node.op == Op.DENSE:
        return node.row_bytes
    return node.kernel[1] * (node.input_shape[3] if node.op == Op.CONV2D else 1)


def _chunks(places: Int64Array) -> tuple[int, ...]:
    """The chunks that hold these bytes, in ascending order."""
    return tuple(int(chunk) for chunk in np.unique(places // CHUNK_BYTES))


def _chunk_words(chunks: tuple[int, ...], size: int) -> int:
    """Words of openings of these chunks of a blob of `size` bytes."""
    total = 0
    for chunk in chunks:
        start, stop = chunk_bounds(size, chunk)
        total += 1 + 3 + 1 + words(stop - start) + 1 + proof_length(chunk, chunk_count(size))
    return total
