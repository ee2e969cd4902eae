"""A network in the words that its leaves are made of; the hashes of its units come from `roots.py`."""

from collections.abc import Sequence
from math import prod

import numpy as np

from offchain.errors import Bug
from offchain.model.graph import Int64Array, IntegerNetwork, Node, Op
from offchain.model.leaves import Descriptor, Header, Totals, shape_words
from offchain.model.windows import WEIGHTED


def make_header(network: IntegerNetwork, nodes_root: bytes) -> Header:
    """The header of a network."""
    scale = int(np.float64(network.output_scale).view(np.uint64))
    return Header(shape_words(network.input_shape), len(network.nodes), scale, nodes_root)


def describe(network: IntegerNetwork, units_roots: Sequence[bytes]) -> tuple[Descriptor, ...]:
    """The descriptors of all nodes, of a network that need not be valid."""
    totals = Totals(elements=prod(network.input_shape))
    made: list[Descriptor] = []
    for index, (node, units_root) in enumerate(zip(network.nodes, units_roots, strict=True)):
        units, row_bytes = (0, 0) if node.weight is None else node.weight.shape
        totals = _grown(totals, node, units, row_bytes)
        made.append(_descriptor(network, index, units, row_bytes, units_root, totals))
    return tuple(made)


def _grown(totals: Totals, node: Node, units: int, row_bytes: int) -> Totals:
    elements = prod(node.output_shape)
    terms = 1
    if node.op in WEIGHTED:
        terms = row_bytes
    elif node.op in (Op.MAX_POOL2D, Op.AVERAGE_POOL2D):
        terms = prod(node.kernel)
    return Totals(
        totals.elements + elements,
        totals.units + units,
        totals.weights + units * row_bytes,
        totals.work + elements * terms,
    )


def _descriptor(
    network: IntegerNetwork, index: int, units: int, row_bytes: int, units_root: bytes, totals: Totals
) -> Descriptor:
    node = network.nodes[index]
    first, second = (*node.inputs, 0, 0)[:2]
    multipliers, shift = _shared_scale(node)
    return Descriptor(
        index=index,
        op=int(node.op),
        inputs=(first, second),
        input_shape=shape_words(network.shape_of(first)) if 0 <= first <= index else (0, 0, 0, 0),
        shape=shape_words(node.output_shape),
        low=node.low,
        high=node.high,
        kernel=node.kernel,
        stride=node.stride,
        padding=node.padding,
        offset=node.offset,
        multipliers=multipliers,
        shift=shift,
        row_bytes=row_bytes,
        units=units,
        units_root=units_root,
        totals=totals,
    )


def _shared_scale(node: Node) -> tuple[tuple[int, int], int]:
    """Multipliers and shift of the operations that have them without having units."""
    if node.weight is not None or node.requantisation is None:
        return (0, 0), 0
    first, second = (*(int(m) for m in node.requantisation.multiplier), 0)[:2]
    return (first, second), int(node.requantisation.shift[0])


def unit_columns(node: Node) -> list[Int64Array]:
    """Bias, multiplier and shift of each unit; zero where the operation has none. int64 (units,) each."""
    if node.weight is None:
        raise Bug(f"{node.op.name} has no units")
    none = np.zeros(len(node.weight), dtype=np.int64)
    scale = node.requantisation
    columns = (node.bias, None if scale is None else scale.multiplier, None if scale is None else scale.shift)
    return [none if column is None else column.astype(np.int64) for column in columns]
