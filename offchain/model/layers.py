"""The layers that a client may ask for, as they stand in the JSON spec.

A layer reads the output of the layer before it unless `input` names another one (or `"input"`, the network's own
input), so that residual branches need no extra notation. Units of every size are elements, not bytes.

Recurrent and embedding layers join the union `Layer` at its end; each needs a shape rule in `shapes.py`, a module in
`module.py` and a lowering in `folding.py`, and nothing else.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Activation = Literal["none", "relu"]
Side = Annotated[int, Field(ge=1, le=1024)]
Units = Annotated[int, Field(ge=1, le=65_536)]
Pair = Side | tuple[Side, Side]
Padding = Literal["same", "valid"] | Annotated[int, Field(ge=0, le=512)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]

NETWORK_INPUT = "input"
"""What a layer writes in `input` to read the network's input."""


class _Layer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Name
    input: Name | None = None


class Dense(_Layer):
    """Fully connected; an image input is flattened row by row, channels fastest (HWC)."""

    kind: Literal["dense"] = "dense"
    units: Units
    activation: Activation = "none"


class Conv2D(_Layer):
    """Two-dimensional cross-correlation; `padding="same"` gives ceil(input / stride), extra padding at bottom right."""

    kind: Literal["conv2d"] = "conv2d"
    filters: Units
    kernel: Pair = 3
    stride: Pair = 1
    padding: Padding = "same"
    activation: Activation = "none"


class DepthwiseConv2D(_Layer):
    """One kernel per channel."""

    kind: Literal["depthwise_conv2d"] = "depthwise_conv2d"
    kernel: Pair = 3
    stride: Pair = 1
    padding: Padding = "same"
    activation: Activation = "none"


class MaxPool2D(_Layer):
    """Largest value of each window; padding never wins. `stride` defaults to the window."""

    kind: Literal["max_pool2d"] = "max_pool2d"
    pool: Pair = 2
    stride: Pair | None = None
    padding: Padding = "valid"


class AveragePool2D(_Layer):
    """Mean of each window, zero padding counted; `pool="all"` takes the whole image."""

    kind: Literal["average_pool2d"] = "average_pool2d"
    pool: Pair | Literal["all"] = 2
    stride: Pair | None = None
    padding: Padding = "valid"


class Flatten(_Layer):
    """Says what `dense` does anyway; computes nothing."""

    kind: Literal["flatten"] = "flatten"


class Add(_Layer):
    """Element-wise sum with an earlier layer: the residual connection."""

    kind: Literal["add"] = "add"
    other: Name
    activation: Activation = "none"


class BatchNorm(_Layer):
    """Normalisation while training; folded into the layer before it when the network is quantised."""

    kind: Literal["batch_norm"] = "batch_norm"
    activation: Activation = "none"


WeightedLayer = Dense | Conv2D | DepthwiseConv2D

Layer = Annotated[
    Dense | Conv2D | DepthwiseConv2D | MaxPool2D | AveragePool2D | Flatten | Add | BatchNorm,
    Field(discriminator="kind"),
]
