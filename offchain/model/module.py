"""The torch module of a spec, in float32.

Samples go in as clients see them, (n, features) or (n, height, width, channels); inside, images are channels first, as
torch wants them. Tokens go in as they are stored, token - 128, as floats like everything else. Parameters are named
`layers.<index>_<layer name>.<parameter>`.
"""

from __future__ import annotations

import math
from math import prod
from typing import assert_never

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor, nn

from offchain.errors import Bug
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
from offchain.model.shapes import Window, Wired, sequence_shape
from offchain.model.spec import ModelSpec

TOKEN_OFFSET = 128
"""Token 0 is stored as -128."""


class SpecNetwork(nn.Module):
    """A spec with weights, freshly drawn from `seed` (He et al. 2015) and the same for the same seed."""

    def __init__(self, spec: ModelSpec, *, seed: int) -> None:
        super().__init__()
        self.spec = spec
        self._wired = spec.wired()
        self.layers = nn.ModuleDict({w.key: module for w in self._wired if (module := _module(w)) is not None})
        self._modules_by_key = dict(self.layers.items())
        _initialise(self, seed)

    def forward(self, inputs: Tensor) -> Tensor:
        """Float32 (n, *input_shape) to (n, outputs)."""
        tensors = [inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs]
        for item in self._wired:
            operands = [tensors[read + 1] for read in item.reads]
            tensors.append(_forward(item, self._modules_by_key.get(item.key), operands))
        return tensors[-1]


def pad_image(images: Tensor, window: Window, value: float) -> Tensor:
    """Pads (n, channels, height, width) as the window says."""
    top, left, bottom, right = window.padding
    return images if not any(window.padding) else F.pad(images, (left, right, top, bottom), value=value)


def flatten_hwc(values: Tensor) -> Tensor:
    """(n, channels, height, width) to (n, height * width * channels), channels fastest; vectors stay as they are."""
    return values.permute(0, 2, 3, 1).flatten(1) if values.ndim == 4 else values


def activate(values: Tensor, activation: Activation) -> Tensor:
    """The activation function of a layer."""
    match activation:
        case "none":
            return values
        case "relu":
            return F.relu(values)
        case "sigmoid":
            return torch.sigmoid(values)
        case "tanh":
            return torch.tanh(values)


def tokens_of(values: Tensor, rows: int) -> Tensor:
    """Rows of an embedding, int64, for tokens stored as token - 128; tokens beyond the last row share it."""
    return (values + TOKEN_OFFSET).long().clamp(max=rows - 1)


def slide(images: Tensor, window: Window, layer: MaxPool2D | AveragePool2D) -> Tensor:
    """Max or average pooling of (n, channels, height, width), with padding on any side."""
    if isinstance(layer, MaxPool2D):
        return F.max_pool2d(pad_image(images, window, -math.inf), window.kernel, window.stride)
    return F.avg_pool2d(pad_image(images, window, 0.0), window.kernel, window.stride)


def _module(item: Wired) -> nn.Module | None:
    channels = item.input_shape[-1]
    match item.layer:
        case Dense(units=units):
            return nn.Linear(prod(item.input_shape), units)
        case Conv2D(filters=filters):
            return nn.Conv2d(channels, filters, _window(item).kernel, _window(item).stride)
        case DepthwiseConv2D():
            return nn.Conv2d(channels, channels, _window(item).kernel, _window(item).stride, groups=channels)
        case BatchNorm():
            return nn.BatchNorm2d(channels) if len(item.input_shape) == 3 else nn.BatchNorm1d(channels)
        case Embedding(features=features, vocabulary=rows):
            return nn.Embedding(rows, features)
        case Lstm(units=units):
            return nn.LSTM(sequence_shape(item.input_shape)[1], units, batch_first=True)
        case Gru(units=units):
            return nn.GRU(sequence_shape(item.input_shape)[1], units, batch_first=True)
        case Flatten() | Add() | Multiply() | MaxPool2D() | AveragePool2D():
            return None
        case _ as unknown:
            assert_never(unknown)


def _forward(item: Wired, module: nn.Module | None, operands: list[Tensor]) -> Tensor:
    values = operands[0]
    match item.layer:
        case Flatten():
            return flatten_hwc(values)
        case MaxPool2D() | AveragePool2D():
            return slide(values, _window(item), item.layer)
        case Add(activation=activation):
            result = operands[0] + operands[1]
        case Multiply(activation=activation):
            result = operands[0] * operands[1]
        case Embedding(vocabulary=rows):
            return _call(module, tokens_of(values, rows)).transpose(1, 2).unsqueeze(3)
        case Lstm() | Gru():
            return _recurrent(item, module, values)
        case Dense(activation=activation):
            result = _call(module, flatten_hwc(values))
        case Conv2D(activation=activation) | DepthwiseConv2D(activation=activation):
            result = _call(module, pad_image(values, _window(item), 0.0))
        case BatchNorm(activation=activation):
            result = _call(module, values)
        case _ as unknown:
            assert_never(unknown)
    return activate(result, activation)


def _recurrent(item: Wired, module: nn.Module | None, values: Tensor) -> Tensor:
    if not isinstance(module, nn.LSTM | nn.GRU) or not isinstance(item.layer, Lstm | Gru):
        raise Bug("a recurrent layer without its module")
    steps = flatten_hwc(values).reshape(len(values), *sequence_shape(item.input_shape))
    states: Tensor = module(steps)[0]
    return states.transpose(1, 2).unsqueeze(3) if item.layer.sequences else states[:, -1]


def _call(module: nn.Module | None, values: Tensor) -> Tensor:
    if module is None:
        raise Bug("a layer with weights has no module")
    result: Tensor = module(values)
    return result


def _window(item: Wired) -> Window:
    if item.window is None:
        raise Bug(f"layer {item.layer.name!r} slides but has no window")
    return item.window


def _initialise(network: SpecNetwork, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, generator=generator)
        elif isinstance(module, nn.LSTM | nn.GRU):
            _initialise_recurrent(module, generator)


def _initialise_recurrent(module: nn.LSTM | nn.GRU, generator: torch.Generator) -> None:
    """Glorot & Bengio 2010 for what reads the input, orthogonal for the state (Saxe et al. 2014), gate by gate; an LSTM
    begins by remembering (Jozefowicz et al. 2015: the forget gate's bias is 1)."""
    units = module.hidden_size
    for name, parameter in module.named_parameters():
        if parameter.ndim == 1:
            nn.init.zeros_(parameter)
            if isinstance(module, nn.LSTM) and name == "bias_ih_l0":
                nn.init.ones_(parameter.data[units : 2 * units])
            continue
        for gate in torch.split(parameter.data, units):
            fill = nn.init.xavier_uniform_ if name == "weight_ih_l0" else nn.init.orthogonal_
            fill(gate, generator=generator)
