"""Folded float nodes plus scales to an integer network, with its accumulator bounds proven.

Symmetric quantisation, zero point 0 (Jacob et al. 2018, section 2, without offsets): weights have one scale per output
unit, activations one per tensor. A node's accumulator counts in units of input scale times weight scale; one multiplier
and shift per unit bring it to the output's scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.model.folding import WEIGHTED, FloatArray, FloatNode
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.shapes import Shape

LIMIT = 127
WIDE_LIMIT = (1 << 23) - 1
"""Largest magnitude of the last node's output."""
MAX_MULTIPLIER = (1 << 22) - 1
MAX_SHIFT = 47
MAX_BIAS = 1 << 29
MAX_SUM = (1 << 30) - 1
"""Bound on the products of one row; with the bias it stays below 2^31, times a multiplier and rounded below 2^53."""
_WIDEST_INPUT = 128


@dataclass(frozen=True, slots=True)
class QuantisedRows:
    """Integer weights of one node and what one unit of each row's accumulator is worth: scale float64 (units,)."""

    weight: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    scale: FloatArray

    def bound(self) -> FloatArray:
        """Largest magnitude that each row's accumulator can reach, float64 (units,)."""
        products = np.abs(self.weight.astype(np.int64)).sum(axis=1) * _WIDEST_INPUT
        return np.asarray(products + np.abs(self.bias.astype(np.int64)), dtype=np.float64)


def assemble(
    nodes: Sequence[FloatNode],
    scales: Sequence[float],
    *,
    input_shape: Shape,
    labels: tuple[float, float] | None = None,
) -> IntegerNetwork:
    """Builds the integer network; `scales` has one entry per tensor id (see `calibrate`).

    labels: for regression (scale, offset) with label = real output * scale + offset; the output integer is then the
    label's own fixed point. Otherwise all outputs share one scale, as fine as 24 bits allow, so that they compare.
    """
    built = [_build(node, scales, tensor) for tensor, node in enumerate(nodes[:-1], start=1)]
    last, output_scale = _build_last(nodes[-1], scales, labels)
    return IntegerNetwork(input_shape=input_shape, nodes=(*built, last), output_scale=output_scale)


def quantise_rows(weight: FloatArray, bias: FloatArray, input_scale: float) -> QuantisedRows:
    """Float weight (units, fan_in) and bias (units,) to int8 and int32, each row at its own scale.

    A row's scale is its largest weight over 127, made coarser where the bias would not fit int32 or the sum of products
    of any int8 inputs could pass 2^30, so that |accumulator| < 2^31 whatever the input.
    """
    step = np.abs(weight).max(axis=1) / LIMIT
    step = np.maximum(step, np.abs(bias) / (input_scale * MAX_BIAS))
    step = np.where(step > 0, step, 1.0)
    integers = _rounded(weight, step)
    heaviest = np.abs(integers).sum(axis=1) * _WIDEST_INPUT
    while (heaviest > MAX_SUM).any():
        # One part in a hundred more than needed, since rounding may add half a unit to every weight.
        step = np.where(heaviest > MAX_SUM, step * heaviest / MAX_SUM * 1.01, step)
        integers = _rounded(weight, step)
        heaviest = np.abs(integers).sum(axis=1) * _WIDEST_INPUT
    scale = step * input_scale
    biases = np.clip(np.rint(bias / scale), -MAX_BIAS, MAX_BIAS)
    return QuantisedRows(integers.astype(np.int8), biases.astype(np.int32), scale)


def requantisation(ratio: FloatArray) -> Requantisation:
    """The multiplier and shift nearest to each positive ratio (units,), with as many bits as the limits allow."""
    exponent = np.floor(np.log2(MAX_MULTIPLIER / ratio))
    shift = np.clip(exponent, 1, MAX_SHIFT)
    multiplier = np.clip(np.rint(ratio * 2.0**shift), 1, MAX_MULTIPLIER)
    return Requantisation(multiplier.astype(np.int32), shift.astype(np.uint8))


def _build(node: FloatNode, scales: Sequence[float], tensor: int) -> Node:
    low = 0 if node.relu else -LIMIT
    source, target = scales[node.inputs[0]], scales[tensor]
    if node.op in WEIGHTED:
        rows = quantise_rows(*_parameters(node), source)
        return _node(node, low, LIMIT, requantisation(rows.scale / target), rows)
    if node.op == Op.ADD:
        return _node(node, low, LIMIT, _shared_shift(np.array([scales[i] / target for i in node.inputs])))
    if node.op == Op.AVERAGE_POOL2D and node.window is not None:
        area = prod(node.window.kernel)
        return _node(node, low, LIMIT, requantisation(np.array([source / (area * target)])))
    return _node(node, -_WIDEST_INPUT, LIMIT, None)


def _build_last(node: FloatNode, scales: Sequence[float], labels: tuple[float, float] | None) -> tuple[Node, float]:
    weight, bias = _parameters(node)
    if labels is not None:
        weight, bias = weight * labels[0], bias * labels[0] + labels[1]
    rows = quantise_rows(weight, bias, scales[node.inputs[0]])
    output_scale = 1.0 if labels is not None else float((rows.bound() * rows.scale).max()) / (WIDE_LIMIT // 2)
    if output_scale <= 0:
        output_scale = 1.0
    made = requantisation(rows.scale / output_scale)
    return _node(node, -WIDE_LIMIT, WIDE_LIMIT, made, rows), output_scale


def _shared_shift(ratios: FloatArray) -> Requantisation:
    shift = int(np.clip(np.floor(np.log2(MAX_MULTIPLIER / ratios.max())), 1, MAX_SHIFT))
    multiplier = np.clip(np.rint(ratios * 2.0**shift), 1, MAX_MULTIPLIER)
    return Requantisation(multiplier.astype(np.int32), np.array([shift], dtype=np.uint8))


def _node(node: FloatNode, low: int, high: int, made: Requantisation | None, rows: QuantisedRows | None = None) -> Node:
    window = node.window
    return Node(
        op=node.op,
        inputs=node.inputs,
        output_shape=node.output_shape,
        low=low,
        high=high,
        kernel=window.kernel if window else (1, 1),
        stride=window.stride if window else (1, 1),
        padding=window.padding if window else (0, 0, 0, 0),
        weight=rows.weight if rows else None,
        bias=rows.bias if rows else None,
        requantisation=made,
    )


def _rounded(weight: FloatArray, step: FloatArray) -> npt.NDArray[np.int64]:
    return np.clip(np.rint(weight / step[:, np.newaxis]), -LIMIT, LIMIT).astype(np.int64)


def _parameters(node: FloatNode) -> tuple[FloatArray, FloatArray]:
    if node.weight is None or node.bias is None:
        raise Bug("a weighted node without weights")
    return node.weight, node.bias
