"""From layers to nodes: the float network in the exact form of the integer one.

Batch normalisation is folded into the layer before it (Jacob et al. 2018, section 3.2), flatten disappears, weights
take the integer graph's layout. The result computes what the trained network computed, is what calibration looks
at, and trains on under simulated quantisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor, nn

from offchain.errors import Bug
from offchain.model.float_model import BATCH_NORM_EPSILON, FloatModel
from offchain.model.graph import Op
from offchain.model.layers import (
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    MaxPool2D,
)
from offchain.model.module import flatten_hwc, pad_image, slide
from offchain.model.shapes import Shape, Window, Wired

FloatArray = npt.NDArray[np.float64]

Wrap = Callable[[int, Tensor], Tensor]
"""What to do with a tensor (its id, its values) before anything reads it."""
WrapWeight = Callable[[int, Tensor], Tensor]
"""What to do with the weights (units, fan_in) of a node (its tensor id) before they are used."""

WEIGHTED = (Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D)


@dataclass(frozen=True, slots=True)
class FloatNode:
    """A node of the integer graph before it has numbers; `inputs` are tensor ids (0 is the network's input).

    `input_shape` is that of the first input's tensor, an image even where a dense layer flattens it.
    """

    op: Op
    inputs: tuple[int, ...]
    input_shape: Shape
    output_shape: Shape
    relu: bool
    layer: MaxPool2D | AveragePool2D | None = None
    window: Window | None = None
    weight: FloatArray | None = None
    bias: FloatArray | None = None


def fold(model: FloatModel) -> tuple[FloatNode, ...]:
    """The nodes of a trained model, with folded float64 weights (units, fan_in) in the integer graph's layout."""
    nodes: list[FloatNode] = []
    tensor_of: dict[int, int] = {-1: 0}
    for item in model.spec.wired():
        inputs = tuple(tensor_of[read] for read in item.reads)
        match item.layer:
            case Flatten():
                tensor_of[item.index] = inputs[0]
                continue
            case BatchNorm():
                nodes[inputs[0] - 1] = _normalised(nodes[inputs[0] - 1], item, model)
                tensor_of[item.index] = inputs[0]
                continue
        shape = nodes[inputs[0] - 1].output_shape if inputs[0] else model.spec.input_shape
        nodes.append(replace(_node(item, inputs, model), input_shape=shape))
        tensor_of[item.index] = len(nodes)
    return tuple(nodes)


class FoldedNetwork(nn.Module):
    """The folded nodes as a module; parameters `weights.<tensor id>` and `biases.<tensor id>`."""

    def __init__(self, nodes: tuple[FloatNode, ...]) -> None:
        super().__init__()
        self.nodes = nodes
        weighted = [(str(i), node) for i, node in enumerate(nodes, start=1) if node.weight is not None]
        self.weights = nn.ParameterDict({key: _parameter(node.weight) for key, node in weighted})
        self.biases = nn.ParameterDict({key: _parameter(node.bias) for key, node in weighted})

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
            elif node.op == Op.ADD:
                result = operands[0] + operands[1]
            else:
                result = _pooled(node, operands[0])
            result = F.relu(result) if node.relu else result
            values.append(result if wrap is None else wrap(tensor, result))
        return values

    def export_nodes(self) -> tuple[FloatNode, ...]:
        """The nodes with the weights as they are now."""
        return tuple(
            node
            if node.weight is None
            else replace(node, weight=_array(self.weights[str(i)]), bias=_array(self.biases[str(i)]))
            for i, node in enumerate(self.nodes, start=1)
        )


def _node(item: Wired, inputs: tuple[int, ...], model: FloatModel) -> FloatNode:
    layer = item.layer
    match layer:
        case MaxPool2D() | AveragePool2D():
            op = Op.MAX_POOL2D if isinstance(layer, MaxPool2D) else Op.AVERAGE_POOL2D
            return FloatNode(op, inputs, item.input_shape, item.output_shape, False, layer=layer, window=item.window)
        case Add():
            return FloatNode(Op.ADD, inputs, item.input_shape, item.output_shape, layer.activation == "relu")
        case Dense():
            op = Op.DENSE
        case Conv2D():
            op = Op.CONV2D
        case DepthwiseConv2D():
            op = Op.DEPTHWISE_CONV2D
        case Flatten() | BatchNorm():
            raise Bug("flatten and batch_norm are no nodes")
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
