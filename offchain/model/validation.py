"""Which integer networks are valid. Every network that passes has one defined result for every input.

`docs/integer-networks.md`, section "What is valid", is this module in words.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Shape
from offchain.model.limits import (
    ACCUMULATOR_BOUND,
    MAX_ELEMENTS,
    MAX_LIVE_ELEMENTS,
    MAX_MULTIPLY_ACCUMULATES,
    MAX_PADDED_ELEMENTS,
    MAX_SHIFT,
    MAX_UNITS,
    MULTIPLIER_BOUND,
    OUTPUT_BOUND,
    REQUANTISATION_BOUND,
    ModelLimits,
)
from offchain.model.liveness import peak_live_elements
from offchain.model.windows import WEIGHTED, WINDOWED, fan_in_of, infer_shape, multiply_accumulates, units_of

_INPUT_MAGNITUDE = 128


def validate(network: IntegerNetwork, limits: ModelLimits) -> None:
    """Raises Rejected, naming the node, unless the network is within the limits and has one defined result.

    Checked: all of `check_structure`; dtypes and shapes of the parameters, multipliers and shifts; and, from the actual
    weights, that no accumulator can leave int32 (sum(|w|) * 128 + |bias| < 2**31 for each unit) and no requantisation
    53 bits.
    """
    check_structure(network, limits)
    for index, node in enumerate(network.nodes):
        with _naming(index, node):
            _check_arithmetic(node, fan_in_of(node, network.shape_of(node.inputs[0])))


def check_structure(network: IntegerNetwork, limits: ModelLimits) -> None:
    """Raises Rejected, naming the node, unless everything but the parameters is valid; reads no parameter.

    Checked: tensor ids, shapes, canonical unused fields, clamp bounds, and the cost in weights and, for one sample, in
    memory and multiply-accumulates.
    """
    _check_shape("model input", network.input_shape)
    if not 1 <= len(network.nodes) <= limits.max_nodes:
        raise Rejected(f"model: {len(network.nodes)} nodes; there must be 1 to {limits.max_nodes}")
    if not (math.isfinite(network.output_scale) and network.output_scale > 0):
        raise Rejected(f"model: output_scale {network.output_scale} is not a finite positive number")
    for index, node in enumerate(network.nodes):
        with _naming(index, node):
            _check_node(network, index, node)
    _check_cost(network, limits)


@contextmanager
def _naming(index: int, node: Node) -> Iterator[None]:
    try:
        yield
    except Rejected as error:
        name = node.op.name if isinstance(node.op, Op) else str(node.op)
        raise Rejected(f"model node {index} ({name}): {error}") from None


def _check_cost(network: IntegerNetwork, limits: ModelLimits) -> None:
    weights = units = work = 0
    for index, node in enumerate(network.nodes):
        size = units_of(node) * fan_in_of(node, network.shape_of(node.inputs[0])) if node.op in WEIGHTED else 0
        largest = max(size, 4 * units_of(node)) if size else 0
        with _naming(index, node):
            if largest > limits.max_tensor_bytes:
                raise Rejected(f"a tensor of {largest} bytes; at most {limits.max_tensor_bytes} are allowed")
        weights += size
        units += units_of(node) if size else 0
        work += multiply_accumulates(network, node)
    if weights > limits.max_weights:
        raise Rejected(f"model: {weights} weights; at most {limits.max_weights} are allowed")
    if units > MAX_UNITS:
        raise Rejected(f"model: {units} units with weights; at most {MAX_UNITS} are allowed")
    if work > MAX_MULTIPLY_ACCUMULATES:
        raise Rejected(f"model: {work} multiply-accumulates a sample; at most {MAX_MULTIPLY_ACCUMULATES} are allowed")
    live = peak_live_elements(network)
    if live > MAX_LIVE_ELEMENTS:
        raise Rejected(f"model: {live} elements live at once; at most {MAX_LIVE_ELEMENTS} are allowed")


def _check_node(network: IntegerNetwork, index: int, node: Node) -> None:
    if not isinstance(node.op, Op):
        raise Rejected("unknown operation")
    expected = 2 if node.op is Op.ADD else 1
    if len(node.inputs) != expected:
        raise Rejected(f"reads {len(node.inputs)} tensors; it must read {expected}")
    for tensor in node.inputs:
        if not 0 <= tensor <= index:
            raise Rejected(f"reads tensor {tensor}; it may read 0 to {index}")
    shapes = tuple(network.shape_of(tensor) for tensor in node.inputs)
    _check_shape("output", node.output_shape)
    _check_window(node)
    inferred = infer_shape(node, shapes)
    _check_padded(node, shapes[0])
    if node.output_shape != inferred:
        raise Rejected(f"declares output shape {list(node.output_shape)}; it follows that it is {list(inferred)}")
    _check_clamp(node, last=index == len(network.nodes) - 1)


def _check_shape(what: str, shape: Shape) -> None:
    if len(shape) not in (1, 3) or any(side < 1 for side in shape):
        raise Rejected(f"{what} shape {list(shape)} is neither (features) nor (height, width, channels), all positive")
    if prod(shape) > MAX_ELEMENTS:
        raise Rejected(f"{what} shape {list(shape)} has more than {MAX_ELEMENTS} elements")


def _check_window(node: Node) -> None:
    if node.op not in WINDOWED:
        if (node.kernel, node.stride, node.padding) != ((1, 1), (1, 1), (0, 0, 0, 0)):
            raise Rejected("has no window, so kernel and stride must be [1, 1] and padding [0, 0, 0, 0]")
        return
    if not all(1 <= side <= MAX_ELEMENTS for side in node.kernel + node.stride):
        raise Rejected(f"kernel {list(node.kernel)} and stride {list(node.stride)} must be at least 1 and not absurd")
    # Smaller than the kernel: so every window of a pool holds at least one real element.
    if not all(0 <= pad < side for pad, side in zip(node.padding, node.kernel * 2, strict=True)):
        raise Rejected(
            f"padding {list(node.padding)} must be at least 0 and smaller than the kernel {list(node.kernel)}"
        )


def _check_padded(node: Node, shape: Shape) -> None:
    if node.op not in WINDOWED:
        return
    top, left, bottom, right = node.padding
    padded = (shape[0] + top + bottom) * (shape[1] + left + right) * shape[2]
    if padded > MAX_PADDED_ELEMENTS:
        raise Rejected(f"its padded input has {padded} elements; at most {MAX_PADDED_ELEMENTS} are allowed")


def _check_clamp(node: Node, *, last: bool) -> None:
    least, most = (1 - OUTPUT_BOUND, OUTPUT_BOUND - 1) if last else (-128, 127)
    if not least <= node.low <= node.high <= most:
        raise Rejected(f"clamps to {node.low} to {node.high}; the bounds must be ordered and within {least} to {most}")


def _check_arithmetic(node: Node, fan_in: int) -> None:
    weighted = node.op in WEIGHTED
    if weighted != (node.weight is not None) or weighted != (node.bias is not None):
        raise Rejected("must have weight and bias" if weighted else "must have neither weight nor bias")
    if (node.op is Op.MAX_POOL2D) != (node.requantisation is None):
        raise Rejected("must have a requantisation, and a max-pool none")
    if node.requantisation is None:
        return
    units = units_of(node) if weighted else 1
    multipliers = 2 if node.op is Op.ADD else units
    multiplier, shift = node.requantisation.multiplier, node.requantisation.shift
    _check_array("multiplier", multiplier, np.dtype(np.int32), (multipliers,))
    _check_array("shift", shift, np.dtype(np.uint8), (units,))
    if int(multiplier.min()) <= 0 or int(multiplier.max()) >= MULTIPLIER_BOUND:
        raise Rejected(f"a multiplier is not between 0 and {MULTIPLIER_BOUND}")
    if int(shift.min()) < 1 or int(shift.max()) > MAX_SHIFT:
        raise Rejected(f"a shift is not between 1 and {MAX_SHIFT}")
    _check_bounds(node, fan_in, multiplier.astype(np.int64), shift.astype(np.int64))


def _check_bounds(node: Node, fan_in: int, multiplier: npt.NDArray[np.int64], shift: npt.NDArray[np.int64]) -> None:
    accumulator = accumulator_bounds(node, fan_in)
    worst = int(accumulator.max())
    if worst >= ACCUMULATOR_BOUND:
        unit = int(accumulator.argmax())
        raise Rejected(f"unit {unit} can reach an accumulator of {worst}; it must stay below {ACCUMULATOR_BOUND}")
    # At most 2^31 * 2^22 + 2^46 (ADD: 128 * 2 * 2^22), so int64 holds it.
    scaled = accumulator * (multiplier.sum() if node.op is Op.ADD else multiplier) + (1 << (shift - 1))
    if int(scaled.max()) >= REQUANTISATION_BOUND:
        raise Rejected(f"unit {int(scaled.argmax())}: accumulator times multiplier reaches {REQUANTISATION_BOUND}")


def accumulator_bounds(node: Node, fan_in: int) -> npt.NDArray[np.int64]:
    """For each unit the largest magnitude that the accumulator, or any partial sum of it, can have; int64 (units,)."""
    if node.weight is None or node.bias is None:
        return np.array([_INPUT_MAGNITUDE * (1 if node.op is Op.ADD else fan_in)], dtype=np.int64)
    _check_array("weight", node.weight, np.dtype(np.int8), (units_of(node), fan_in))
    _check_array("bias", node.bias, np.dtype(np.int32), (units_of(node),))
    # |-128| does not fit int8; int16 does, and rows are summed in int64.
    sums = np.abs(node.weight.astype(np.int16)).sum(axis=1, dtype=np.int64)
    bounds: npt.NDArray[np.int64] = sums * _INPUT_MAGNITUDE + np.abs(node.bias.astype(np.int64))
    return bounds


def _check_array(name: str, array: npt.NDArray[np.generic], dtype: np.dtype[np.generic], shape: Shape) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise Rejected(f"{name} is {array.dtype} {list(array.shape)}; it must be {dtype} {list(shape)}")
