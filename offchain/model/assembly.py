"""Folded float nodes plus scales to an integer network, with its accumulator bounds proven.

Symmetric quantisation, zero point 0 (Jacob et al. 2018, section 2, without offsets): weights have one scale per output
unit, activations one per tensor. A node's accumulator counts in units of input scale times weight scale; one multiplier
and shift per unit bring it to the output's scale. Where an input joins tensors of several scales, each column of
weights takes its own into account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.model.calibration import MIXED
from offchain.model.float_graph import FloatArray, FloatNode
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


@dataclass(frozen=True, slots=True)
class OutputUnits:
    """What the output integers must count: real output * factor + offset, each worth `value` to people."""

    factor: float
    offset: float
    value: float


def assemble(
    nodes: Sequence[FloatNode], scales: Sequence[float], *, input_shape: Shape, units: OutputUnits | None = None
) -> IntegerNetwork:
    """Builds the integer network; `scales` has one entry per tensor id (see `calibrate`).

    units: where the score function gives the output integers a unit (a label's own fixed point, 1/256 bit). Otherwise
    all outputs share one scale, as fine as 24 bits allow, so that they compare.
    """
    columns = [column_scales(nodes, scales, node.inputs[0], input_shape) for node in nodes]
    built = [_build(node, scales, place + 1, columns[place]) for place, node in enumerate(nodes[:-1])]
    last, output_scale = _build_last(nodes[-1], columns[-1], units)
    return IntegerNetwork(input_shape=input_shape, nodes=(*built, last), output_scale=output_scale)


def quantise_rows(weight: FloatArray, bias: FloatArray, input_scale: float | FloatArray) -> QuantisedRows:
    """Float weight (units, fan_in) and bias (units,) to int8 and int32, each row at its own scale.

    input_scale: what a step of the input is worth, of all of it or of each element, (fan_in,).

    A row's scale is its largest product of weight and input step over 127, made coarser where the bias would not fit
    int32 or the sum of products of any int8 inputs could pass 2^30, so that |accumulator| < 2^31 whatever the input.
    """
    weight = weight * input_scale
    scale = np.abs(weight).max(axis=1) / LIMIT
    scale = np.maximum(scale, np.abs(bias) / MAX_BIAS)
    scale = np.where(scale > 0, scale, 1.0)
    integers = _rounded(weight, scale)
    heaviest = np.abs(integers).sum(axis=1) * _WIDEST_INPUT
    while (heaviest > MAX_SUM).any():
        # One part in a hundred more than needed, since rounding may add half a unit to every weight.
        scale = np.where(heaviest > MAX_SUM, scale * heaviest / MAX_SUM * 1.01, scale)
        integers = _rounded(weight, scale)
        heaviest = np.abs(integers).sum(axis=1) * _WIDEST_INPUT
    biases = np.clip(np.rint(bias / scale), -MAX_BIAS, MAX_BIAS)
    return QuantisedRows(integers.astype(np.int8), biases.astype(np.int32), scale)


def column_scales(
    nodes: Sequence[FloatNode], scales: Sequence[float], tensor: int, input_shape: Shape
) -> float | FloatArray:
    """What a step of each element of a tensor is worth: one number, or where it is MIXED one for each element."""
    if scales[tensor] != MIXED:
        return scales[tensor]
    parts = nodes[tensor - 1].inputs
    shapes = [nodes[i - 1].output_shape if i else input_shape for i in parts]
    columns = [column_scales(nodes, scales, i, input_shape) for i in parts]
    wide = [np.full(prod(shape), part, dtype=np.float64) for part, shape in zip(columns, shapes, strict=True)]
    joined: FloatArray = np.concatenate(wide)
    return joined


def requantisation(ratio: FloatArray) -> Requantisation:
    """The multiplier and shift nearest to each positive ratio (units,), with as many bits as the limits allow."""
    exponent = np.floor(np.log2(MAX_MULTIPLIER / ratio))
    shift = np.clip(exponent, 1, MAX_SHIFT)
    multiplier = np.clip(np.rint(ratio * 2.0**shift), 1, MAX_MULTIPLIER)
    return Requantisation(multiplier.astype(np.int32), shift.astype(np.uint8))


def _build(node: FloatNode, scales: Sequence[float], tensor: int, columns: float | FloatArray) -> Node:
    low = 0 if node.relu else -LIMIT
    source, target = scales[node.inputs[0]], scales[tensor]
    match node.op:
        case Op.DENSE | Op.CONV2D | Op.DEPTHWISE_CONV2D:
            rows = quantise_rows(*_parameters(node), columns)
            return _node(node, low, requantisation(rows.scale / target), rows)
        case Op.ADD:
            return _node(node, low, _shared_shift(np.array([scales[i] / target for i in node.inputs])))
        case Op.MULTIPLY:
            factors = [scales[i] for i in node.inputs]
            return _node(node, low, requantisation(np.array([prod(factors) / target])))
        case Op.AVERAGE_POOL2D if node.window is not None:
            area = prod(node.window.kernel)
            return _node(node, low, requantisation(np.array([source / (area * target)])))
        case Op.LOOKUP | Op.EMBEDDING:
            table = curve_table(node, source, target) if node.op == Op.LOOKUP else _rows(node, target)
            return replace(_node(node, -LIMIT, None), weight=table)
        case _:
            return _node(node, -_WIDEST_INPUT, None)


def curve_table(node: FloatNode, source: float, target: float) -> npt.NDArray[np.int8]:
    """The curve at every int8 step of its input, int8 (1, 256)."""
    real = np.arange(-_WIDEST_INPUT, _WIDEST_INPUT) * source
    values = np.tanh(real) if node.curve == "tanh" else 0.5 + 0.5 * np.tanh(real / 2)
    table: npt.NDArray[np.int8] = np.clip(np.rint(values / target), -LIMIT, LIMIT).astype(np.int8)
    return table[np.newaxis]


def _rows(node: FloatNode, target: float) -> npt.NDArray[np.int8]:
    if node.weight is None:
        raise Bug("an embedding without rows")
    rows: npt.NDArray[np.int8] = np.clip(np.rint(node.weight / target), -LIMIT, LIMIT).astype(np.int8)
    return rows


def _build_last(node: FloatNode, columns: float | FloatArray, units: OutputUnits | None) -> tuple[Node, float]:
    weight, bias = _parameters(node)
    if units is not None:
        weight, bias = weight * units.factor, bias * units.factor + units.offset
    rows = quantise_rows(weight, bias, columns)
    step = 1.0 if units is not None else float((rows.bound() * rows.scale).max()) / (WIDE_LIMIT // 2)
    if step <= 0:
        step = 1.0
    made = requantisation(rows.scale / step)
    return _node(node, -WIDE_LIMIT, made, rows, high=WIDE_LIMIT), step if units is None else units.value


def _shared_shift(ratios: FloatArray) -> Requantisation:
    shift = int(np.clip(np.floor(np.log2(MAX_MULTIPLIER / ratios.max())), 1, MAX_SHIFT))
    multiplier = np.clip(np.rint(ratios * 2.0**shift), 1, MAX_MULTIPLIER)
    return Requantisation(multiplier.astype(np.int32), np.array([shift], dtype=np.uint8))


def _node(
    node: FloatNode, low: int, made: Requantisation | None, rows: QuantisedRows | None = None, *, high: int = LIMIT
) -> Node:
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
        offset=node.offset,
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
