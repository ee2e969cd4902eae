"""The terms of one output element's reduction (docs/dispute.md, Operations), all at once: what honest players sum up.

Positions are in the weight row and in the row-major input; the referee in `steps.py` finds them one by one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.dispute.steps import LEAST, WEIGHTED, terms_of
from offchain.model.graph import Int64Array, Op
from offchain.model.leaves import Descriptor


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms [first, last) of an element: those that are not padding.

    index: int64 (n,), which terms; also where in the weight row. place: int64 (n,), where in the first input.
    """

    index: Int64Array
    place: Int64Array


def real_terms(node: Descriptor, element: int, first: int, last: int) -> Terms:
    """The terms [first, last) of `element` that are not padding, in order; `node` must have a reduction."""
    index = np.arange(first, last, dtype=np.int64)
    if node.op == Op.DENSE:
        return Terms(index, index)
    _, height, width, channels = node.input_shape
    position, channel = divmod(element, node.shape[3])
    row, column = divmod(position, node.shape[2])
    inner = channels if node.op == Op.CONV2D else 1
    tap = index // inner
    y = row * node.stride[0] - node.padding[0] + tap // node.kernel[1]
    x = column * node.stride[1] - node.padding[1] + tap % node.kernel[1]
    real = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    within = index % inner if node.op == Op.CONV2D else channel
    place: Int64Array = (y * width + x) * channels + within
    return Terms(index[real], place[real])


def reduce_terms(
    node: Descriptor,
    element: int,
    bounds: tuple[tuple[int, int], ...],
    data: bytes,
    weights: bytes,
) -> tuple[int, ...]:
    """The combined terms of each range of terms: their sum, or for a max-pool the largest (-128 of none).

    data: the first input's bytes. weights: the unit's row, empty where there is none.
    """
    values = np.frombuffer(data, dtype=np.int8)
    row = np.frombuffer(weights, dtype=np.int8)
    return tuple(_reduce(node, real_terms(node, element, first, last), values, row) for first, last in bounds)


def _reduce(node: Descriptor, found: Terms, values: npt.NDArray[np.int8], row: npt.NDArray[np.int8]) -> int:
    read = values[found.place].astype(np.int64)
    if node.op == Op.MAX_POOL2D:
        return int(read.max(initial=LEAST))
    if node.op in WEIGHTED:
        read = read * row[found.index]
    return int(read.sum())


def all_terms(node: Descriptor) -> tuple[int, int]:
    """The range of all terms; empty for operations without a reduction."""
    return 0, terms_of(node)
