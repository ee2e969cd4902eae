"""The integer graph before it has integers: its nodes with float weights, and how they are put together."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import numpy.typing as npt

from offchain.model.graph import Op
from offchain.model.layers import AveragePool2D, MaxPool2D
from offchain.model.shapes import Shape, Window

FloatArray = npt.NDArray[np.float64]
Curve = Literal["sigmoid", "tanh"]

WEIGHTED = (Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D)
MOVING = (Op.SLICE, Op.CONCAT)
"""Operations that hand on the numbers of their inputs as they are."""

CURVE_CAPS: dict[Curve, float] = {"sigmoid": 6.0, "tanh": 3.2}
"""Beyond these the curve is within half a step of its end, 127 steps to one: clipping its input there loses nothing."""


@dataclass(frozen=True, slots=True)
class FloatNode:
    """A node of the integer graph before it has numbers; `inputs` are tensor ids (0 is the network's input).

    `input_shape` is that of the first input's tensor, an image even where a dense layer flattens it.
    curve: what a LOOKUP computes. offset: where a SLICE begins, row-major. weight of an EMBEDDING: (rows, features).
    reach: the largest magnitude that the output can have, where that is known; cap: the largest that matters.
    """

    op: Op
    inputs: tuple[int, ...]
    input_shape: Shape
    output_shape: Shape
    relu: bool = False
    layer: MaxPool2D | AveragePool2D | None = None
    window: Window | None = None
    weight: FloatArray | None = None
    bias: FloatArray | None = None
    curve: Curve | None = None
    offset: int = 0
    reach: float | None = None
    cap: float | None = None


class GraphBuilder:
    """Nodes in the order in which they are computed; every method returns the tensor id of what it added."""

    def __init__(self, input_shape: Shape) -> None:
        self.nodes: list[FloatNode] = []
        self._input_shape = input_shape

    def shape_of(self, tensor: int) -> Shape:
        """Shape of a tensor by id."""
        return self.nodes[tensor - 1].output_shape if tensor else self._input_shape

    def add(self, node: FloatNode) -> int:
        """Appends a node."""
        self.nodes.append(node)
        return len(self.nodes)

    def dense(self, source: int, weight: FloatArray, bias: FloatArray, *, cap: float | None = None) -> int:
        """A dense node of any input; weight (units, fan_in)."""
        shape = self.shape_of(source)
        return self.add(FloatNode(Op.DENSE, (source,), shape, (len(weight),), weight=weight, bias=bias, cap=cap))

    def curve(self, source: int, curve: Curve) -> int:
        """Sigmoid or tanh of every element."""
        shape = self.shape_of(source)
        return self.add(FloatNode(Op.LOOKUP, (source,), shape, shape, curve=curve, reach=1.0))

    def product(self, first: int, second: int, *, reach: float | None = None) -> int:
        """Element by element."""
        shape = self.shape_of(first)
        return self.add(FloatNode(Op.MULTIPLY, (first, second), shape, shape, reach=reach))

    def sum(self, first: int, second: int, *, reach: float | None = None, cap: float | None = None) -> int:
        """Element by element."""
        shape = self.shape_of(first)
        return self.add(FloatNode(Op.ADD, (first, second), shape, shape, reach=reach, cap=cap))

    def part(self, source: int, offset: int, shape: Shape) -> int:
        """The elements from `offset` on, row-major, in another shape."""
        return self.add(FloatNode(Op.SLICE, (source,), self.shape_of(source), shape, offset=offset))

    def joined(self, first: int, second: int) -> int:
        """The elements of one and then of the other, a vector."""
        shape = self.shape_of(first)
        count = prod(shape) + prod(self.shape_of(second))
        return self.add(FloatNode(Op.CONCAT, (first, second), shape, (count,)))
