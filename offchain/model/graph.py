"""The integer network: what a provider claims, what is hashed, scored and disputed (DESIGN section 3).

A static graph in topological order whose every operation is exact integer arithmetic. The types hold data only; what
makes a graph valid is in `validation.py`, what it computes in `oracle.py` and, fast, in `evaluator.py`; the document is
`docs/integer-networks.md`.
"""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
"""A tensor's shape without the batch: (features,) or (height, width, channels), row-major."""

Int8Array = npt.NDArray[np.int8]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
UInt8Array = npt.NDArray[np.uint8]


class Op(enum.IntEnum):
    """The operations; the numbers are hashed into the model root and never change."""

    DENSE = 1
    CONV2D = 2
    DEPTHWISE_CONV2D = 3
    MAX_POOL2D = 4
    AVERAGE_POOL2D = 5
    ADD = 6
    MULTIPLY = 7
    LOOKUP = 8
    EMBEDDING = 9
    SLICE = 10
    CONCAT = 11


@dataclass(frozen=True, slots=True)
class Requantisation:
    """Back from the accumulator to the output: out = clamp((acc * multiplier + 2**(shift - 1)) >> shift, low, high).

    The shift is arithmetic (it rounds towards minus infinity).

    multiplier: int32 (units,), 0 < m < 2**22.
    shift: uint8 (units,), 1..47.
    `units` is the number of output units of a weighted operation and 1 for AVERAGE_POOL2D. ADD has 2 multipliers, one
    per operand, and 1 shift: out = clamp((a * m0 + b * m1 + 2**(shift - 1)) >> shift, low, high). MULTIPLY has 1 of
    each: out = clamp((a * b * m + 2**(shift - 1)) >> shift, low, high).
    """

    multiplier: Int32Array
    shift: UInt8Array


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. Its tensor id is its index in the network plus 1; id 0 is the network's input.

    inputs: tensor ids, each smaller than the node's own.
    low, high: clamp bounds; within int8 for every node but the last, whose bounds may be as wide as |.| < 2**23.
    kernel, stride: (height, width); padding: (top, left, bottom, right).
    weight: int8 (units, fan_in). DENSE: fan_in is the flattened input (row-major HWC); CONV2D: (output channels,
        kernel height * kernel width * input channels); DEPTHWISE_CONV2D: (channels, kernel height * kernel width).
        LOOKUP: (1, 256), out = weight[0][x + 128]. EMBEDDING: (rows, features) for an input (tokens,), output
        (tokens, 1, features), out[t] = weight[min(x[t] + 128, rows - 1)]. Both only clamp.
    bias: int32 (units,); none for LOOKUP and EMBEDDING.
    offset: SLICE: out (of any shape) is the input's elements, row-major, from `offset` on. CONCAT: out (n,) is the
        elements of the first input and then those of the second. Both only clamp.
    """

    op: Op
    inputs: tuple[int, ...]
    output_shape: Shape
    low: int
    high: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    offset: int = 0
    weight: Int8Array | None = None
    bias: Int32Array | None = None
    requantisation: Requantisation | None = None


@dataclass(frozen=True, slots=True)
class IntegerNetwork:
    """A claimed model.

    output_scale: real value = integer output * output_scale; information for people, no part of any score.
    """

    input_shape: Shape
    nodes: tuple[Node, ...]
    output_scale: float

    def shape_of(self, tensor: int) -> Shape:
        """The shape of a tensor id: 0 is the input, i + 1 the output of node i."""
        return self.input_shape if tensor == 0 else self.nodes[tensor - 1].output_shape

    @property
    def output_shape(self) -> Shape:
        """The shape of the last node's output."""
        return self.shape_of(len(self.nodes))
