"""From layers to nodes: the float network in the exact form of the integer one.

Batch normalisation is folded into the layer before it (Jacob et al. 2018, section 3.2), flatten disappears, recurrent
layers are unrolled (`unrolling.py`), weights take the integer graph's layout. The result computes what the trained
network computed, is what calibration looks at, and trains on under simulated quantisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import assert_never

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor, nn

from offchain.errors import Bug
from offchain.model.float_graph import CURVE_CAPS, WEIGHTED, FloatArray, FloatNode, GraphBuilder
from offchain.model.float_model import BATCH_NORM_EPSILON, FloatModel
from offchain.model.footprint import reads_states
from offchain.model.graph import Op
from offchain.model.layers import (
    Activation,
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Embedding,
    Flatten,
    Gru,
    Lstm,
    MaxPool2D,
    Multiply,
)
from offchain.model.module import activate, flatten_hwc, pad_image, slide, tokens_of
from offchain.model.shapes import Wired, sequence_shape
from offchain.model.unrolling import CellWeights, join_states, sequence_parts, unroll_gru, unroll_lstm

Wrap = Callable[[int, Tensor], Tensor]
"""What to do with a tensor (its id, its values) before anything reads it."""
WrapWeight = Callable[[int, Tensor], Tensor]
"""What to do with the weights (units, fan_in) of a node (its tensor id) before they are used."""


def fold(model: FloatModel) -> tuple[FloatNode, ...]:
    """The nodes of a trained model, with folded float64 weights (units, fan_in) in the integer graph's layout."""
    return _Folding(model).run()


class _Folding:
    """A model on its way into nodes: which tensor, or for a sequence which tensors, each layer has become."""

    def __init__(self, model: FloatModel) -> None:
        self._model = model
        self._wired = model.spec.wired()
        self._builder = GraphBuilder(model.spec.input_shape)
        self._tensors: dict[int, int] = {-1: 0}
        self._states: dict[int, list[int]] = {}

    def run(self) -> tuple[FloatNode, ...]:
        for item in self._wired:
            self._fold(item)
        return tuple(self._builder.nodes)

    def _fold(self, item: Wired) -> None:
        match item.layer:
            case Lstm() | Gru():
                self._unroll(item, item.layer)
            case Flatten():
                self._tensors[item.index] = self._read(item.reads[0])
            case BatchNorm(activation=activation):
                tensor = self._read(item.reads[0])
                nodes = self._builder.nodes
                nodes[tensor - 1] = _normalised(nodes[tensor - 1], item, self._model)
                self._tensors[item.index] = self._curved(tensor, activation)
            case _:
                inputs = tuple(self._read(read) for read in item.reads)
                node = replace(_node(item, inputs, self._model), input_shape=self._builder.shape_of(inputs[0]))
                tensor = self._builder.add(node)
                self._tensors[item.index] = self._curved(tensor, getattr(item.layer, "activation", "none"))

    def _curved(self, tensor: int, activation: Activation) -> int:
        if activation not in ("sigmoid", "tanh"):
            return tensor
        nodes = self._builder.nodes
        nodes[tensor - 1] = replace(nodes[tensor - 1], cap=CURVE_CAPS[activation])
        return self._builder.curve(tensor, activation)

    def _read(self, index: int) -> int:
        """The tensor of a layer; states that nobody has needed as one tensor yet are joined."""
        if index not in self._tensors:
            units = self._wired[index].output_shape[2]
            self._tensors[index] = join_states(self._builder, self._states[index], units)
        return self._tensors[index]

    def _unroll(self, item: Wired, layer: Lstm | Gru) -> None:
        if reads_states(item, self._wired):
            steps = self._states[item.reads[0]]
        else:
            steps = sequence_parts(self._builder, self._read(item.reads[0]), *sequence_shape(item.input_shape))
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        cell = CellWeights(*(_state(self._model, item, name) for name in names))
        unroll = unroll_lstm if isinstance(layer, Lstm) else unroll_gru
        states = unroll(self._builder, steps, cell)
        if layer.sequences:
            self._states[item.index] = states
        else:
            self._tensors[item.index] = states[-1]


class FoldedNetwork(nn.Module):
    """The folded nodes as a module; parameters `weights.<tensor id>` and `biases.<tensor id>`."""

    def __init__(self, nodes: tuple[FloatNode, ...]) -> None:
        super().__init__()
        self.nodes = nodes
        numbered = [(str(i), node) for i, node in enumerate(nodes, start=1)]
        self.weights = nn.ParameterDict({k: _parameter(n.weight) for k, n in numbered if n.weight is not None})
        self.biases = nn.ParameterDict({k: _parameter(n.bias) for k, n in numbered if n.bias is not None})

    def forward(self, inputs: Tensor) -> Tensor:
        """Float32 (n, *input_shape) to (n, outputs)."""
        return self.tensors(inputs)[-1]

    def tensors(
        self, inputs: Tensor, *, wrap: Wrap | None = None, wrap_weight: WrapWeight | None = None
    ) -> list[Tensor]:
        """Every tensor by id, images channels first, each as `wrap` returned it."""
        values = [inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs]
        for tensor, node in enumerate(self.nodes, start=1):
            operands = [values[i] for i in node.inputs]
            if node.op in WEIGHTED:
                weight = self.weights[str(tensor)]
                weight = weight if wrap_weight is None else wrap_weight(tensor, weight)
                result = _weighted(node, operands[0], weight, self.biases[str(tensor)])
            elif node.op == Op.EMBEDDING:
                weight = self.weights[str(tensor)]
                rows = F.embedding(tokens_of(operands[0], len(weight)), weight)
                result = rows.transpose(1, 2).unsqueeze(3)
            else:
                result = _unweighted(node, operands)
            result = F.relu(result) if node.relu else result
            values.append(result if wrap is None else wrap(tensor, result))
        return values

    def export_nodes(self) -> tuple[FloatNode, ...]:
        """The nodes with the weights as they are now."""
        return tuple(
            node
            if node.weight is None
            else replace(
                node,
                weight=_array(self.weights[str(i)]),
                bias=None if node.bias is None else _array(self.biases[str(i)]),
            )
            for i, node in enumerate(self.nodes, start=1)
        )


def _node(item: Wired, inputs: tuple[int, ...], model: FloatModel) -> FloatNode:
    layer = item.layer
    match layer:
        case MaxPool2D() | AveragePool2D():
            op = Op.MAX_POOL2D if isinstance(layer, MaxPool2D) else Op.AVERAGE_POOL2D
            return FloatNode(op, inputs, item.input_shape, item.output_shape, False, layer=layer, window=item.window)
        case Add() | Multiply():
            op = Op.ADD if isinstance(layer, Add) else Op.MULTIPLY
            return FloatNode(op, inputs, item.input_shape, item.output_shape, layer.activation == "relu")
        case Embedding():
            weight = _state(model, item, "weight")
            return FloatNode(Op.EMBEDDING, inputs, item.input_shape, item.output_shape, weight=weight)
        case Dense():
            op = Op.DENSE
        case Conv2D():
            op = Op.CONV2D
        case DepthwiseConv2D():
            op = Op.DEPTHWISE_CONV2D
        case Flatten() | BatchNorm() | Lstm() | Gru():
            raise Bug(f"{layer.kind} is no node")
        case _ as unknown:
            assert_never(unknown)
    weight = _state(model, item, "weight")
    if weight.ndim == 4:
        weight = weight.transpose(0, 2, 3, 1)
    return FloatNode(
        op,
        inputs,
        item.input_shape,
        item.output_shape,
        layer.activation == "relu",
        window=item.window,
        weight=weight.reshape(len(weight), -1),
        bias=_state(model, item, "bias"),
    )


def _normalised(node: FloatNode, item: Wired, model: FloatModel) -> FloatNode:
    if node.weight is None or node.bias is None or not isinstance(item.layer, BatchNorm):
        raise Bug("batch_norm after a layer without weights")
    factor = _state(model, item, "weight") / np.sqrt(_state(model, item, "running_var") + BATCH_NORM_EPSILON)
    return replace(
        node,
        relu=item.layer.activation == "relu",
        weight=node.weight * factor[:, np.newaxis],
        bias=(node.bias - _state(model, item, "running_mean")) * factor + _state(model, item, "bias"),
    )


def _state(model: FloatModel, item: Wired, parameter: str) -> FloatArray:
    return model.state[f"layers.{item.key}.{parameter}"].astype(np.float64)


def _weighted(node: FloatNode, values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if node.op == Op.DENSE:
        return F.linear(flatten_hwc(values), weight, bias)
    if node.window is None:
        raise Bug("a convolution without window")
    channels = node.input_shape[-1]
    groups = channels if node.op == Op.DEPTHWISE_CONV2D else 1
    kernel = weight.reshape(len(weight), *node.window.kernel, channels // groups).permute(0, 3, 1, 2)
    return F.conv2d(pad_image(values, node.window, 0.0), kernel, bias, node.window.stride, groups=groups)


def _unweighted(node: FloatNode, operands: list[Tensor]) -> Tensor:
    match node.op:
        case Op.ADD:
            return operands[0] + operands[1]
        case Op.MULTIPLY:
            return operands[0] * operands[1]
        case Op.LOOKUP:
            return activate(operands[0], node.curve or "none")
        case Op.CONCAT:
            return torch.cat([flatten_hwc(values) for values in operands], dim=1)
        case Op.SLICE:
            part = flatten_hwc(operands[0])[:, node.offset : node.offset + prod(node.output_shape)]
            shape = node.output_shape
            return part.reshape(-1, *shape).permute(0, 3, 1, 2) if len(shape) == 3 else part
        case _:
            return _pooled(node, operands[0])


def _pooled(node: FloatNode, values: Tensor) -> Tensor:
    if node.window is None or node.layer is None:
        raise Bug("a pooling node without window")
    return slide(values, node.window, node.layer)


def _parameter(values: FloatArray | None) -> nn.Parameter:
    if values is None:
        raise Bug("a weighted node without weights")
    return nn.Parameter(torch.from_numpy(values.astype(np.float32)))


def _array(parameter: Tensor) -> FloatArray:
    return parameter.detach().cpu().double().numpy()
