"""Architectures in one word: `mlp:64-32`, `cnn:8-16`, `resnet:16-32`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from offchain.errors import Rejected
from offchain.model.layers import Add, AveragePool2D, BatchNorm, Conv2D, Dense, Layer, MaxPool2D
from offchain.model.shapes import Shape
from offchain.model.spec import ModelSpec

_FORM = re.compile(r"(mlp|cnn|resnet):(\d{1,5}(?:-\d{1,5})*)")
_MAX_BLOCKS = 16


def spec_from_shorthand(text: str, *, input_shape: Shape, outputs: int) -> ModelSpec:
    """Builds the spec for samples of `input_shape` and `outputs` units.

    - `mlp:A-B`: dense layers of A and B units with ReLU.
    - `cnn:A-B`: blocks of a 3x3 convolution with A (then B) filters, batch norm, ReLU and 2x2 max pooling while the
      image is large enough; then a dense layer of 4 x the last filters, and the outputs.
    - `resnet:A-B`: a convolution with A filters, one residual block (He et al. 2016, basic block) per number, each
      after the first at half the resolution; then the mean over the image.

    Raises Rejected for any other form and for shapes that don't fit.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise Rejected(f"--model {text!r}: use mlp:64-32, cnn:8-16 or resnet:16-32, or give --spec FILE")
    sizes = [int(part) for part in found.group(2).split("-")]
    if len(sizes) > _MAX_BLOCKS or not all(1 <= size <= 65_536 for size in sizes):
        raise Rejected(f"--model {text!r}: give 1 to {_MAX_BLOCKS} sizes between 1 and 65536")
    if found.group(1) != "mlp" and len(input_shape) != 3:
        raise Rejected(f"--model {text!r} needs images, the data has {input_shape[0]} features a row; use mlp:64-32")
    layers = [*_BUILDERS[found.group(1)](sizes, input_shape), Dense(name="outputs", units=outputs)]
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


_BUILDERS: dict[str, Callable[[list[int], Shape], Iterator[Layer]]] = {"mlp": _mlp, "cnn": _cnn, "resnet": _resnet}
