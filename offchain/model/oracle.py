"""The slow and obvious evaluator, in NumPy int64, straight from `docs/integer-networks.md`.

It is the definition that the fast evaluator, the contract and every other implementation are compared with; nothing
here is clever. Networks must have passed `validation.validate`; then nothing leaves int64: a sum has at most 2^20 real
elements, so with its bias it stays below 2^35, and below 2^58 when it is requantised.
"""

from math import prod

import numpy as np

from offchain.errors import Bug
from offchain.model.graph import Int8Array, Int32Array, Int64Array, IntegerNetwork, Node, Op, UInt8Array


def evaluate_slowly(network: IntegerNetwork, inputs: Int8Array) -> Int32Array:
    """Outputs int32 (n, *output_shape) for inputs int8 (n, *input_shape)."""
    return trace(network, inputs)[-1].astype(np.int32)


def trace(network: IntegerNetwork, inputs: Int8Array) -> list[Int64Array]:
    """Every tensor by id, int64 (n, *shape): the inputs, then the output of each node."""
    tensors = [inputs.astype(np.int64).reshape(len(inputs), *network.input_shape)]
    for node in network.nodes:
        tensors.append(compute_node(node, [tensors[tensor] for tensor in node.inputs]))
    return tensors


def requantise(accumulator: Int64Array, multiplier: Int32Array, shift: UInt8Array) -> Int64Array:
    """(accumulator * multiplier + 2**(shift - 1)) >> shift, per unit of the last axis; int64 in and out."""
    wide_shift = shift.astype(np.int64)
    scaled = accumulator * multiplier.astype(np.int64) + (np.int64(1) << (wide_shift - 1))
    result: Int64Array = scaled >> wide_shift
    return result


def compute_node(node: Node, inputs: list[Int64Array]) -> Int64Array:
    """The output of one node, int64 (n, *shape), of its inputs, int64 (n, *shape) each."""
    match node.op:
        case Op.DENSE:
            result = _requantised(node, _dense(node, inputs[0]))
        case Op.CONV2D:
            result = _requantised(node, _convolution(node, inputs[0]))
        case Op.DEPTHWISE_CONV2D:
            result = _requantised(node, _depthwise(node, inputs[0]))
        case Op.MAX_POOL2D:
            result = _windows(node, inputs[0], np.iinfo(np.int64).min).max(axis=(3, 4))
        case Op.AVERAGE_POOL2D:
            result = _requantised(node, _windows(node, inputs[0], 0).sum(axis=(3, 4)))
        case Op.ADD:
            result = _sum(node, *inputs)
        case Op.MULTIPLY:
            result = _requantised(node, inputs[0] * inputs[1])
        case _:
            result = _moved(node, *inputs)
    clamped: Int64Array = np.clip(result, node.low, node.high)
    return clamped


def _moved(node: Node, x: Int64Array, *others: Int64Array) -> Int64Array:
    """The operations that only look elements up, or put them elsewhere."""
    flat = x.reshape(len(x), -1)
    result: Int64Array
    match node.op:
        case Op.LOOKUP:
            result = _table(node)[0][x + 128]
        case Op.EMBEDDING:
            rows = _table(node)
            result = rows[np.minimum(flat + 128, len(rows) - 1)][:, :, np.newaxis]
        case Op.SLICE:
            elements = prod(node.output_shape)
            result = flat[:, node.offset : node.offset + elements].reshape(len(x), *node.output_shape)
        case Op.CONCAT:
            result = np.concatenate([flat, *(other.reshape(len(x), -1) for other in others)], axis=1)
        case _:
            raise Bug(f"{node.op.name} moves nothing")
    return result


def _dense(node: Node, x: Int64Array) -> Int64Array:
    weight, bias = _parameters(node)
    result: Int64Array = x.reshape(len(x), -1) @ weight.T + bias
    return result


def _convolution(node: Node, x: Int64Array) -> Int64Array:
    weight, bias = _parameters(node)
    windows = _windows(node, x, 0)
    result: Int64Array = windows.reshape(*windows.shape[:3], -1) @ weight.T + bias
    return result


def _depthwise(node: Node, x: Int64Array) -> Int64Array:
    weight, bias = _parameters(node)
    kernel = weight.T.reshape(*node.kernel, -1)
    result: Int64Array = (_windows(node, x, 0) * kernel).sum(axis=(3, 4)) + bias
    return result


def _sum(node: Node, a: Int64Array, b: Int64Array) -> Int64Array:
    if node.requantisation is None:
        raise Bug("ADD without requantisation")
    first, second = (int(m) for m in node.requantisation.multiplier)
    shift = int(node.requantisation.shift[0])
    result: Int64Array = (a * first + b * second + (1 << (shift - 1))) >> shift
    return result


def _windows(node: Node, x: Int64Array, padding_value: int) -> Int64Array:
    """What the kernel covers at each output position: (n, rows, columns, kernel height, kernel width, channels)."""
    top, left, bottom, right = node.padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=padding_value)
    rows, columns = node.output_shape[:2]
    (height, width), (down, across) = node.kernel, node.stride
    result = np.empty((len(x), rows, columns, height, width, x.shape[3]), dtype=np.int64)
    for row in range(rows):
        for column in range(columns):
            y, z = row * down, column * across
            result[:, row, column] = padded[:, y : y + height, z : z + width]
    return result


def _requantised(node: Node, accumulator: Int64Array) -> Int64Array:
    if node.requantisation is None:
        raise Bug(f"{node.op.name} without requantisation")
    return requantise(accumulator, node.requantisation.multiplier, node.requantisation.shift)


def _table(node: Node) -> Int64Array:
    if node.weight is None:
        raise Bug(f"{node.op.name} without weight")
    return node.weight.astype(np.int64)


def _parameters(node: Node) -> tuple[Int64Array, Int64Array]:
    if node.weight is None or node.bias is None:
        raise Bug(f"{node.op.name} without weight or bias")
    return node.weight.astype(np.int64), node.bias.astype(np.int64)
