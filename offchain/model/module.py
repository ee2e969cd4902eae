"""The torch module of a spec, in float32.

Samples go in as clients see them, (n, features) or (n, height, width, channels); inside, images are channels first, as
torch wants them. Parameters are named `layers.<index>_<layer name>.<parameter>`.
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
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    MaxPool2D,
)
from offchain.model.shapes import Window, Wired
from offchain.model.spec import ModelSpec


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
        case Flatten() | Add() | MaxPool2D() | AveragePool2D():
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
        case Dense(activation=activation):
            result = _call(module, flatten_hwc(values))
        case Conv2D(activation=activation) | DepthwiseConv2D(activation=activation):
            result = _call(module, pad_image(values, _window(item), 0.0))
        case BatchNorm(activation=activation):
            result = _call(module, values)
        case _ as unknown:
            assert_never(unknown)
    return F.relu(result) if activation == "relu" else result


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
