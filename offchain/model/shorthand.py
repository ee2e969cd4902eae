"""Architectures in one word: `mlp:64-32`, `cnn:8-16`, `resnet:16-32`, `lstm:64`, `gru:64`, `embedding:8+lstm:64`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from offchain.errors import Rejected
from offchain.model.layers import (
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Embedding,
    Gru,
    Layer,
    Lstm,
    MaxPool2D,
)
from offchain.model.shapes import Shape
from offchain.model.spec import ModelSpec

_FORM = re.compile(r"(?:embedding:(\d{1,5})\+)?(mlp|cnn|resnet|lstm|gru):(\d{1,5}(?:-\d{1,5})*)")
_IMAGES = ("cnn", "resnet")
_MAX_BLOCKS = 16

FORMS = "mlp:64-32, cnn:8-16, resnet:16-32, lstm:64, gru:64 or embedding:8+lstm:64"
"""What may be asked for in a word, by example."""

PLAIN_FORMS = "mlp:64-32, cnn:8-16, lstm:64, gru:64 or embedding:8+lstm:64"
"""The same where batch normalisation cannot be had."""


def spec_from_shorthand(text: str, *, input_shape: Shape, outputs: int, batch_norm: bool = True) -> ModelSpec:
    """Builds the spec for samples of `input_shape` and `outputs` units.

    - `mlp:A-B`: dense layers of A and B units with ReLU.
    - `cnn:A-B`: blocks of a 3x3 convolution with A (then B) filters, batch norm, ReLU and 2x2 max pooling while the
      image is large enough; then a dense layer of 4 x the last filters, and the outputs.
    - `resnet:A-B`: a convolution with A filters, one residual block (He et al. 2016, basic block) per number, each
      after the first at half the resolution; then the mean over the image.
    - `lstm:A-B`, `gru:A-B`: recurrent layers of A and B units over the rows of an image or the numbers of a vector; the
      last state of the last one decides.
    - `embedding:F+` before any of mlp, lstm and gru: samples are tokens (bytes), each becomes F numbers first.

    Without `batch_norm` (its means over batches are nobody's weights, and cannot be averaged) `cnn` has none, and there
    is no `resnet`. Raises Rejected for any other form and for shapes that don't fit.
    """
    found = _FORM.fullmatch(text)
    if found is None or (found.group(2) == "resnet" and not batch_norm):
        raise Rejected(f"--model {text!r}: use {f'{FORMS}, or give --spec FILE' if batch_norm else PLAIN_FORMS}")
    features, kind = found.group(1), found.group(2)
    sizes = [int(part) for part in found.group(3).split("-")] + ([int(features)] if features else [])
    if len(sizes) > _MAX_BLOCKS or not all(1 <= size <= 65_536 for size in sizes):
        raise Rejected(f"--model {text!r}: give 1 to {_MAX_BLOCKS} sizes between 1 and 65536")
    if features:
        sizes.pop()
        if kind in _IMAGES or len(input_shape) != 1:
            raise Rejected(f"--model {text!r}: an embedding reads rows of tokens, and mlp, lstm or gru may follow it")
    if kind in _IMAGES and len(input_shape) != 3:
        raise Rejected(f"--model {text!r} needs images, the data has {input_shape[0]} features a row; use mlp:64-32")
    first = [Embedding(name="embedding", features=int(features))] if features else []
    build = _plain_cnn if kind == "cnn" and not batch_norm else _BUILDERS[kind]
    layers = [*first, *build(sizes, input_shape), Dense(name="outputs", units=outputs)]
    return ModelSpec(input_shape=input_shape, layers=tuple(layers))


def _mlp(sizes: list[int], _shape: Shape) -> Iterator[Layer]:
    for number, size in enumerate(sizes, start=1):
        yield Dense(name=f"dense{number}", units=size, activation="relu")


def _cnn(sizes: list[int], shape: Shape) -> Iterator[Layer]:
    height, width, _ = shape
    for number, size in enumerate(sizes, start=1):
        yield Conv2D(name=f"conv{number}", filters=size)
        yield BatchNorm(name=f"norm{number}", activation="relu")
        if min(height, width) >= 4:
            yield MaxPool2D(name=f"pool{number}")
            height, width = height // 2, width // 2
    yield Dense(name="dense", units=4 * sizes[-1], activation="relu")


def _plain_cnn(sizes: list[int], shape: Shape) -> Iterator[Layer]:
    for layer in _cnn(sizes, shape):
        if isinstance(layer, Conv2D):
            yield layer.model_copy(update={"activation": "relu"})
        elif not isinstance(layer, BatchNorm):
            yield layer


def _resnet(sizes: list[int], _shape: Shape) -> Iterator[Layer]:
    yield Conv2D(name="conv0", filters=sizes[0])
    yield BatchNorm(name="norm0", activation="relu")
    previous, channels = "norm0", sizes[0]
    for number, size in enumerate(sizes, start=1):
        stride = 1 if number == 1 else 2
        shortcut = previous
        yield Conv2D(name=f"conv{number}a", input=previous, filters=size, stride=stride)
        yield BatchNorm(name=f"norm{number}a", activation="relu")
        yield Conv2D(name=f"conv{number}b", filters=size)
        yield BatchNorm(name=f"norm{number}b")
        main = f"norm{number}b"
        if stride != 1 or size != channels:
            yield Conv2D(name=f"short{number}", input=shortcut, filters=size, kernel=1, stride=stride)
            yield BatchNorm(name=f"shortnorm{number}")
            shortcut = f"shortnorm{number}"
        yield Add(name=f"add{number}", input=main, other=shortcut, activation="relu")
        previous, channels = f"add{number}", size
    yield AveragePool2D(name="mean", pool="all")


def _lstm(sizes: list[int], _shape: Shape) -> Iterator[Layer]:
    for number, size in enumerate(sizes, start=1):
        yield Lstm(name=f"lstm{number}", units=size, sequences=number < len(sizes))


def _gru(sizes: list[int], _shape: Shape) -> Iterator[Layer]:
    for number, size in enumerate(sizes, start=1):
        yield Gru(name=f"gru{number}", units=size, sequences=number < len(sizes))


_BUILDERS: dict[str, Callable[[list[int], Shape], Iterator[Layer]]] = {
    "mlp": _mlp,
    "cnn": _cnn,
    "resnet": _resnet,
    "lstm": _lstm,
    "gru": _gru,
}
