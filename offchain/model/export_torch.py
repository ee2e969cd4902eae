"""Generates plain torch source for a float model, which needs torch and safetensors and nothing of ours."""

from __future__ import annotations

from math import prod
from typing import assert_never

from offchain.errors import Bug
from offchain.model.float_model import FloatModel
from offchain.model.layers import (
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
from offchain.model.module import TOKEN_OFFSET
from offchain.model.shapes import Shape, Window, Wired, sequence_shape

_TEMPLATE = '''"""A trained network: `load("model.safetensors")` gives a torch module in evaluation mode.

It reads int8 samples of shape (n, {shape}), quantised as the order's preprocessing says (tokens as token - 128), and
returns float32 (n, {outputs}): one logit per class (in bits if the order is scored by cross-entropy), or for a
regression the label in the order's fixed point.
"""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

INPUT_SCALE = {input_scale!r}
OUTPUT_SCALE = {output_scale!r}
OUTPUT_OFFSET = {output_offset!r}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict(
            {{
{modules}
            }}
        )

    def forward(self, samples):
        t0 = samples.float() * INPUT_SCALE
{steps}
        return {last} * OUTPUT_SCALE + OUTPUT_OFFSET


def load(path="model.safetensors"):
    model = Model()
    model.load_state_dict(load_file(path), strict=False)
    return model.eval()
'''


_ACTIVATIONS = {"relu": "F.relu", "sigmoid": "torch.sigmoid", "tanh": "torch.tanh"}


def module_source(model: FloatModel) -> str:
    """The text of `model.py`. Names in a spec are plain identifiers, so nothing can be injected."""
    wired = model.spec.wired()
    modules = [f'                "{item.key}": {text},' for item in wired if (text := _module(item)) is not None]
    steps = ["        t0 = t0.permute(0, 3, 1, 2)"] if len(model.spec.input_shape) == 3 else []
    for item in wired:
        expression = _step(item)
        steps.append(f"        t{item.index + 1} = {expression}  # {item.layer.name}")
    return _TEMPLATE.format(
        shape=", ".join(str(side) for side in model.spec.input_shape),
        outputs=model.spec.outputs,
        input_scale=model.scaling.input_scale,
        output_scale=model.scaling.output_scale,
        output_offset=model.scaling.output_offset,
        modules="\n".join(modules),
        steps="\n".join(steps),
        last=f"t{len(wired)}",
    )


def _module(item: Wired) -> str | None:
    channels = item.input_shape[-1]
    match item.layer:
        case Dense(units=units):
            return f"nn.Linear({prod(item.input_shape)}, {units})"
        case Conv2D(filters=filters):
            return f"nn.Conv2d({channels}, {filters}, {_window(item).kernel}, {_window(item).stride})"
        case DepthwiseConv2D():
            window = _window(item)
            return f"nn.Conv2d({channels}, {channels}, {window.kernel}, {window.stride}, groups={channels})"
        case BatchNorm():
            return f"nn.BatchNorm{'2d' if len(item.input_shape) == 3 else '1d'}({channels})"
        case Embedding(features=features, vocabulary=rows):
            return f"nn.Embedding({rows}, {features})"
        case Lstm(units=units) | Gru(units=units):
            kind = "LSTM" if isinstance(item.layer, Lstm) else "GRU"
            return f"nn.{kind}({sequence_shape(item.input_shape)[1]}, {units}, batch_first=True)"
        case Flatten() | Add() | Multiply() | MaxPool2D() | AveragePool2D():
            return None
        case _ as unknown:
            assert_never(unknown)


def _step(item: Wired) -> str:
    operands = [f"t{read + 1}" for read in item.reads]
    call = f'self.layers["{item.key}"]'
    match item.layer:
        case Flatten():
            return _flat(operands[0], item.input_shape)
        case MaxPool2D():
            window = _window(item)
            return f"F.max_pool2d({_padded(operands[0], item, '-torch.inf')}, {window.kernel}, {window.stride})"
        case AveragePool2D():
            window = _window(item)
            return f"F.avg_pool2d({_padded(operands[0], item, '0.0')}, {window.kernel}, {window.stride})"
        case Add(activation=activation) | Multiply(activation=activation):
            result = (" + " if isinstance(item.layer, Add) else " * ").join(operands)
        case Embedding(vocabulary=rows):
            tokens = f"({operands[0]} + {TOKEN_OFFSET}).long().clamp(max={rows - 1})"
            return f"{call}({tokens}).transpose(1, 2).unsqueeze(3)"
        case Lstm() | Gru():
            steps, features = sequence_shape(item.input_shape)
            states = f"{call}({_flat(operands[0], item.input_shape)}.reshape(-1, {steps}, {features}))[0]"
            return f"{states}.transpose(1, 2).unsqueeze(3)" if item.layer.sequences else f"{states}[:, -1]"
        case Dense(activation=activation):
            result = f"{call}({_flat(operands[0], item.input_shape)})"
        case Conv2D(activation=activation) | DepthwiseConv2D(activation=activation):
            result = f"{call}({_padded(operands[0], item, '0.0')})"
        case BatchNorm(activation=activation):
            result = f"{call}({operands[0]})"
        case _ as unknown:
            assert_never(unknown)
    return result if activation == "none" else f"{_ACTIVATIONS[activation]}({result})"


def _flat(operand: str, shape: Shape) -> str:
    return f"{operand}.permute(0, 2, 3, 1).flatten(1)" if len(shape) == 3 else operand


def _padded(operand: str, item: Wired, value: str) -> str:
    top, left, bottom, right = _window(item).padding
    if not any((top, left, bottom, right)):
        return operand
    return f"F.pad({operand}, ({left}, {right}, {top}, {bottom}), value={value})"


def _window(item: Wired) -> Window:
    if item.window is None:
        raise Bug(f"layer {item.layer.name!r} slides but has no window")
    return item.window
