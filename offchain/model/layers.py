"""The layers that a client may ask for, as they stand in the JSON spec.

A layer reads the output of the layer before it unless `input` names another one (or `"input"`, the network's own
input), so that residual branches need no extra notation. Units of every size are elements, not bytes.

A new kind joins the union `Layer`; it needs a shape rule in `shapes.py`, a module in `module.py` and a lowering in
`folding.py` (`unrolling.py` for what has a state).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Activation = Literal["none", "relu", "sigmoid", "tanh"]
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


class Multiply(_Layer):
    """Element-wise product with an earlier layer: a gate."""

    kind: Literal["multiply"] = "multiply"
    other: Name
    activation: Activation = "none"


class Embedding(_Layer):
    """A row of `features` numbers for each token; reads the network's input of shape (tokens,) and gives an image
    (tokens, 1, features). Tokens are 0 to 255; those from `vocabulary` on share the last row."""

    kind: Literal["embedding"] = "embedding"
    features: Units
    vocabulary: Annotated[int, Field(ge=1, le=256)] = 256


class Lstm(_Layer):
    """A long short-term memory (Hochreiter & Schmidhuber 1997; gates as in torch) over a sequence.

    An image (steps, width, channels) is read row by row, a step having width * channels numbers; a vector is a sequence
    of single numbers. The result is the last state, (units,), or with `sequences` all of them, (steps, 1, units).
    """

    kind: Literal["lstm"] = "lstm"
    units: Units
    sequences: bool = False


class Gru(_Layer):
    """A gated recurrent unit (Cho et al. 2014, in torch's form: the reset gate after the product); see `Lstm`."""

    kind: Literal["gru"] = "gru"
    units: Units
    sequences: bool = False


class BatchNorm(_Layer):
    """Normalisation while training; folded into the layer before it when the network is quantised."""

    kind: Literal["batch_norm"] = "batch_norm"
    activation: Activation = "none"


Recurrent = Lstm | Gru

Layer = Annotated[
    Dense
    | Conv2D
    | DepthwiseConv2D
    | MaxPool2D
    | AveragePool2D
    | Flatten
    | Add
    | Multiply
    | BatchNorm
    | Embedding
    | Lstm
    | Gru,
    Field(discriminator="kind"),
]
