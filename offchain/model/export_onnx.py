"""ONNX graphs of the float and of the integer network.

ONNX's own quantised operators round twice and in float, so the integer graph spells the arithmetic out: ConvInteger and
MatMulInteger accumulate, then int64 Mul, Add, Div and Clip requantise. Two details make it exact everywhere:

- Both operands are unsigned with zero point 128. Mixed signs let runtimes use an instruction (vpmaddubsw) that
  saturates at 16 bits on CPUs without VNNI.
- Div truncates towards zero and there is no arithmetic shift, so `2**shift * lift` is added first, large enough to make
  every dividend positive, and `lift` is subtracted after.

Tables are Gather. The float graph is the folded one, so that recurrent layers are unrolled in both.

Images are channels first inside, channels last at the input, as everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from offchain.errors import Bug
from offchain.model.float_graph import FloatNode
from offchain.model.float_model import FloatModel
from offchain.model.folding import fold
from offchain.model.graph import IntegerNetwork, Node, Op
from offchain.model.layers import AveragePool2D
from offchain.model.module import TOKEN_OFFSET
from offchain.model.shapes import Shape

_OPSET = 17
_IR_VERSION = 8
_ZERO_POINT = 128
_DIVIDEND_BITS = 54
"""|accumulator * multiplier| < 2^31 * 2^22 (or 2 * 2^7 * 2^22), so 2^54 lifts any of them above zero."""


class _Graph:
    """Collects nodes and constants under fresh names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: npt.NDArray[Any] | np.generic) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def add(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def cast(self, value: str, dtype: int) -> str:
        return self.add("Cast", [value], to=dtype)

    def serialise(self, title: str, input_shape: Shape, result: str, output_type: int, outputs: int) -> bytes:
        self._nodes.append(helper.make_node("Identity", [result], ["output"], name="output"))
        graph = helper.make_graph(
            self._nodes,
            title,
            [helper.make_tensor_value_info("input", TensorProto.INT8, ["n", *input_shape])],
            [helper.make_tensor_value_info("output", output_type, ["n", outputs])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="assay")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def float_graph(model: FloatModel) -> bytes:
    """Serialised ONNX: int8 `input` (n, *shape) to float32 `output` (n, units), logits or label units."""
    graph = _Graph()
    scaling = model.scaling
    real = graph.add("Mul", [graph.cast("input", TensorProto.FLOAT), _scalar(graph, scaling.input_scale)])
    tensors, shapes = [_channels_first(graph, real, model.spec.input_shape)], [model.spec.input_shape]
    for node in fold(model):
        result = _float_node(graph, node, [tensors[i] for i in node.inputs], [shapes[i] for i in node.inputs])
        shapes.append(node.output_shape)
        tensors.append(graph.add("Relu", [result]) if node.relu else result)
    scaled = graph.add("Mul", [tensors[-1], _scalar(graph, scaling.output_scale)])
    result = graph.add("Add", [scaled, _scalar(graph, scaling.output_offset)])
    return graph.serialise("float", model.spec.input_shape, result, TensorProto.FLOAT, model.spec.outputs)


def integer_graph(network: IntegerNetwork) -> bytes:
    """Serialised ONNX: int8 `input` (n, *shape) to int32 `output` (n, units), equal to `evaluate` bit for bit."""
    graph = _Graph()
    tensors = [_channels_first(graph, "input", network.input_shape)]
    for index, node in enumerate(network.nodes):
        wide = _integer_node(graph, node, [network.shape_of(i) for i in node.inputs], tensors)
        last = index == len(network.nodes) - 1
        tensors.append(graph.cast(wide, TensorProto.INT32 if last else TensorProto.INT8))
    result = _channels_last(graph, tensors[-1], network.output_shape)
    if len(network.output_shape) == 3:
        result = graph.add("Flatten", [result], axis=1)
    return graph.serialise("integer", network.input_shape, result, TensorProto.INT32, prod(network.output_shape))


def _float_node(graph: _Graph, node: FloatNode, operands: list[str], shapes: list[Shape]) -> str:
    match node.op:
        case Op.ADD:
            return graph.add("Add", operands)
        case Op.MULTIPLY:
            return graph.add("Mul", operands)
        case Op.LOOKUP:
            return graph.add("Tanh" if node.curve == "tanh" else "Sigmoid", operands)
        case Op.SLICE | Op.CONCAT:
            return _moved(graph, operands, shapes, node.offset, node.output_shape)
        case Op.EMBEDDING if node.weight is not None:
            return _embedded(graph, operands[0], node.weight.astype(np.float32))
    if node.op == Op.DENSE:
        flat = _flattened(graph, operands[0], node.input_shape)
        return graph.add("Gemm", [flat, _floats(graph, node.weight), _floats(graph, node.bias)], transB=1)
    if node.window is None:
        raise Bug("a sliding node without window")
    where = {"kernel_shape": node.window.kernel, "strides": node.window.stride, "pads": node.window.padding}
    if node.weight is None:
        if isinstance(node.layer, AveragePool2D):
            return graph.add("AveragePool", operands, count_include_pad=1, **where)
        return graph.add("MaxPool", operands, **where)
    channels = node.input_shape[-1]
    groups = channels if node.op == Op.DEPTHWISE_CONV2D else 1
    kernel = _kernel(node.weight, node.window.kernel, channels // groups)
    return graph.add("Conv", [operands[0], _floats(graph, kernel), _floats(graph, node.bias)], group=groups, **where)


def _integer_node(graph: _Graph, node: Node, shapes: list[Shape], tensors: list[str]) -> str:
    """The node's clamped output as int64."""
    value, shape = tensors[node.inputs[0]], shapes[0]
    where = {"kernel_shape": node.kernel, "strides": node.stride, "pads": node.padding}
    match node.op:
        case Op.MAX_POOL2D:
            pooled = graph.cast(graph.add("MaxPool", [value], **where), TensorProto.INT64)
            return _clipped(graph, pooled, node)
        case Op.ADD:
            if node.requantisation is None:
                raise Bug("an addition without multipliers")
            parts = [
                graph.add("Mul", [graph.cast(tensors[i], TensorProto.INT64), graph.constant(np.int64(m))])
                for i, m in zip(node.inputs, node.requantisation.multiplier, strict=True)
            ]
            return _shifted(graph, graph.add("Add", parts), node)
        case Op.MULTIPLY:
            wide = [graph.cast(tensors[i], TensorProto.INT64) for i in node.inputs]
            return _requantised(graph, graph.add("Mul", wide), node)
        case Op.AVERAGE_POOL2D:
            ones = np.ones((shape[2], 1, *node.kernel), dtype=np.uint8)
            zero = np.uint8(0)
            sums = _accumulate(graph, "ConvInteger", value, ones, zero, group=shape[2], **where)
            return _requantised(graph, sums, node)
        case Op.DENSE:
            flat = _flattened(graph, value, shape)
            sums = _accumulate(graph, "MatMulInteger", flat, _unsigned(node).T, np.uint8(_ZERO_POINT))
            return _requantised(graph, sums, node)
        case Op.CONV2D | Op.DEPTHWISE_CONV2D:
            groups = shape[2] if node.op == Op.DEPTHWISE_CONV2D else 1
            kernel = _kernel(_unsigned(node), node.kernel, shape[2] // groups)
            zero = np.uint8(_ZERO_POINT)
            sums = _accumulate(graph, "ConvInteger", value, kernel, zero, group=groups, **where)
            return _requantised(graph, sums, node)
        case _:
            return _clipped(graph, _unscaled(graph, node, [tensors[i] for i in node.inputs], shapes), node)


def _unscaled(graph: _Graph, node: Node, operands: list[str], shapes: list[Shape]) -> str:
    """What a node that looks elements up, or puts them elsewhere, gives before its clamp, as int64."""
    match node.op:
        case Op.LOOKUP:
            return _looked_up(graph, operands[0], _table(node)[0])
        case Op.EMBEDDING:
            return _embedded(graph, operands[0], _table(node))
        case _:
            return graph.cast(_moved(graph, operands, shapes, node.offset, node.output_shape), TensorProto.INT64)


def _looked_up(graph: _Graph, value: str, table: npt.NDArray[Any]) -> str:
    """table[x + 128] for every element."""
    place = graph.add("Add", [graph.cast(value, TensorProto.INT64), graph.constant(np.int64(TOKEN_OFFSET))])
    return graph.add("Gather", [graph.constant(table), place], axis=0)


def _embedded(graph: _Graph, tokens: str, rows: npt.NDArray[Any]) -> str:
    """Tokens (n, tokens) to an image (n, features, tokens, 1); those beyond the last row share it."""
    place = graph.add("Add", [graph.cast(tokens, TensorProto.INT64), graph.constant(np.int64(TOKEN_OFFSET))])
    last = graph.add("Min", [place, graph.constant(np.int64(len(rows) - 1))])
    found = graph.add("Gather", [graph.constant(rows), last], axis=0)
    return graph.add("Unsqueeze", [graph.add("Transpose", [found], perm=[0, 2, 1]), _whole(graph, [3])])


def _moved(graph: _Graph, operands: list[str], shapes: list[Shape], offset: int, output: Shape) -> str:
    """The elements of all operands one after the other, row-major; of them those that the output has room for."""
    flat = [_flattened(graph, value, shape) for value, shape in zip(operands, shapes, strict=True)]
    joined = flat[0] if len(flat) == 1 else graph.add("Concat", flat, axis=1)
    ends = [_whole(graph, [value]) for value in (offset, offset + prod(output), 1)]  # starts, ends, axes
    part = graph.add("Slice", [joined, *ends])
    if len(output) == 1:
        return part
    return _channels_first(graph, graph.add("Reshape", [part, _whole(graph, [-1, *output])]), output)


def _whole(graph: _Graph, values: list[int]) -> str:
    return graph.constant(np.array(values, dtype=np.int64))


def _table(node: Node) -> npt.NDArray[np.int64]:
    if node.weight is None:
        raise Bug("a table without entries")
    return node.weight.astype(np.int64)


def _accumulate(
    graph: _Graph, operator: str, value: str, weight: npt.NDArray[np.uint8], zero: np.uint8, **attributes: Any
) -> str:
    lifted = graph.add("Add", [graph.cast(value, TensorProto.INT32), graph.constant(np.int32(_ZERO_POINT))])
    unsigned = graph.cast(lifted, TensorProto.UINT8)
    constants = [graph.constant(weight), graph.constant(np.uint8(_ZERO_POINT)), graph.constant(zero)]
    return graph.cast(graph.add(operator, [unsigned, *constants], **attributes), TensorProto.INT64)


def _requantised(graph: _Graph, sums: str, node: Node) -> str:
    if node.requantisation is None:
        raise Bug("a node without multipliers")
    if node.bias is not None:
        sums = graph.add("Add", [sums, graph.constant(_per_unit(node.bias, node))])
    return _shifted(
        graph, graph.add("Mul", [sums, graph.constant(_per_unit(node.requantisation.multiplier, node))]), node
    )


def _shifted(graph: _Graph, product: str, node: Node) -> str:
    """clamp((product + 2^(shift-1)) >> shift)."""
    if node.requantisation is None:
        raise Bug("a node without shifts")
    shift = node.requantisation.shift.astype(np.int64)
    lift = np.int64(1) << (_DIVIDEND_BITS - shift)
    half = np.int64(1) << (shift - 1)
    dividend = graph.add("Add", [product, graph.constant(_per_unit((lift << shift) + half, node))])
    quotient = graph.add("Div", [dividend, graph.constant(_per_unit(np.int64(1) << shift, node))])
    return _clipped(graph, graph.add("Sub", [quotient, graph.constant(_per_unit(lift, node))]), node)


def _clipped(graph: _Graph, value: str, node: Node) -> str:
    return graph.add("Clip", [value, graph.constant(np.int64(node.low)), graph.constant(np.int64(node.high))])


def _per_unit(values: npt.NDArray[Any], node: Node) -> npt.NDArray[np.int64]:
    """int64 (units,) or (units, 1, 1), to broadcast against channels first."""
    wide = values.astype(np.int64)
    return wide.reshape(-1, 1, 1) if len(node.output_shape) == 3 else wide


def _unsigned(node: Node) -> npt.NDArray[np.uint8]:
    if node.weight is None:
        raise Bug("a weighted node without weights")
    return np.asarray(node.weight.astype(np.int16) + _ZERO_POINT, dtype=np.uint8)


def _kernel(weight: npt.NDArray[Any], kernel: tuple[int, int], channels: int) -> npt.NDArray[Any]:
    """(units, kh * kw * channels) to ONNX's (units, channels, kh, kw)."""
    return weight.reshape(len(weight), *kernel, channels).transpose(0, 3, 1, 2)


def _channels_first(graph: _Graph, value: str, shape: Shape) -> str:
    return graph.add("Transpose", [value], perm=[0, 3, 1, 2]) if len(shape) == 3 else value


def _channels_last(graph: _Graph, value: str, shape: Shape) -> str:
    return graph.add("Transpose", [value], perm=[0, 2, 3, 1]) if len(shape) == 3 else value


def _flattened(graph: _Graph, value: str, shape: Shape) -> str:
    return graph.add("Flatten", [_channels_last(graph, value, shape)], axis=1) if len(shape) == 3 else value


def _scalar(graph: _Graph, value: float) -> str:
    return graph.constant(np.float32(value))


def _floats(graph: _Graph, values: npt.NDArray[np.float64] | None) -> str:
    if values is None:
        raise Bug("a weighted node without weights")
    return graph.constant(values.astype(np.float32))
