"""Which shape each layer of a spec has, and why a spec whose shapes don't fit is rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from offchain.errors import Bug, Rejected
from offchain.model.layers import (
    NETWORK_INPUT,
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Embedding,
    Flatten,
    Gru,
    Layer,
    Lstm,
    MaxPool2D,
    Multiply,
    Pair,
)
from offchain.model.limits import MAX_ELEMENTS, MAX_MULTIPLY_ACCUMULATES, MAX_WEIGHTS

Shape = tuple[int, ...]

MAX_LAYERS = 256


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window over an image, in elements; padding is (top, left, bottom, right)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of positions at which the window fits into the padded image; < 1 if it never does."""
        top, left, bottom, right = self.padding
        rows = (height + top + bottom - self.kernel[0]) // self.stride[0] + 1
        columns = (width + left + right - self.kernel[1]) // self.stride[1] + 1
        return rows, columns


@dataclass(frozen=True, slots=True)
class Wired:
    """A layer with its place: indices of the layers it reads (-1 is the network's input) and its shapes."""

    index: int
    layer: Layer
    reads: tuple[int, ...]
    input_shape: Shape
    output_shape: Shape
    window: Window | None
    weights: int

    @property
    def multiply_accumulates(self) -> int:
        """Of one sample, or comparisons in a pool."""
        if isinstance(self.layer, Embedding):
            return 0
        recurrent = isinstance(self.layer, Lstm | Gru)
        positions = sequence_shape(self.input_shape)[0] if recurrent else prod(self.output_shape[:-1])
        if self.weights:
            return self.weights * positions
        return prod(self.window.kernel) * prod(self.output_shape) if self.window else 0

    @property
    def key(self) -> str:
        """The layer's name in state dictionaries; starts with a digit so that it clashes with no attribute."""
        return f"{self.index}_{self.layer.name}"


def wire(input_shape: Shape, layers: Sequence[Layer]) -> tuple[Wired, ...]:
    """Resolves names and infers every shape.

    Raises Rejected, naming the layer, when a name is unknown or doubled, when shapes don't fit, when a result is never
    used, or when the network is larger than the protocol's limits.
    """
    _check_input(input_shape)
    if not 1 <= len(layers) <= MAX_LAYERS:
        raise Rejected(f"spec has {len(layers)} layers; give between 1 and {MAX_LAYERS}")
    indices: dict[str, int] = {NETWORK_INPUT: -1}
    wired: list[Wired] = []
    for index, layer in enumerate(layers):
        if layer.name in indices:
            raise _rejected(index, layer, "its name is already taken; rename one of the two")
        wired.append(_wire_one(index, layer, indices, input_shape, wired))
        indices[layer.name] = index
    _check_use(wired)
    total = sum(item.weights for item in wired)
    if total > MAX_WEIGHTS:
        raise Rejected(f"spec has {total:,} weights; the limit is {MAX_WEIGHTS:,}: use fewer units or pool earlier")
    work = sum(item.multiply_accumulates for item in wired)
    if work > MAX_MULTIPLY_ACCUMULATES:
        raise Rejected(f"spec needs {work:,} multiply-accumulates a sample; pool earlier or use fewer filters")
    return tuple(wired)


def sequence_shape(shape: Shape) -> tuple[int, int]:
    """(steps, numbers a step) that a recurrent layer sees: the rows of an image, or a vector's numbers one by one."""
    return (shape[0], prod(shape[1:])) if len(shape) == 3 else (shape[0], 1)


def pair(value: Pair) -> tuple[int, int]:
    """(height, width) of a size given as one number or two."""
    return (value, value) if isinstance(value, int) else value


def window_of(layer: Layer, height: int, width: int) -> Window | None:
    """The layer's window over a height × width image, with `same` and `all` resolved; None if it has none."""
    match layer:
        case Conv2D() | DepthwiseConv2D():
            kernel = pair(layer.kernel)
            stride = pair(layer.stride)
        case MaxPool2D() | AveragePool2D():
            kernel = (height, width) if layer.pool == "all" else pair(layer.pool)
            stride = kernel if layer.stride is None else pair(layer.stride)
        case _:
            return None
    if layer.padding == "valid":
        padding = (0, 0, 0, 0)
    elif layer.padding == "same":
        top, bottom = _same(height, kernel[0], stride[0])
        left, right = _same(width, kernel[1], stride[1])
        padding = (top, left, bottom, right)
    else:
        padding = (layer.padding,) * 4
    return Window(kernel, stride, padding)


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _wire_one(index: int, layer: Layer, indices: dict[str, int], input_shape: Shape, wired: list[Wired]) -> Wired:
    reads = [_resolve(index, layer, layer.input, indices)]
    if isinstance(layer, Add | Multiply):
        reads.append(_resolve(index, layer, layer.other, indices))
    shapes = [input_shape if i < 0 else wired[i].output_shape for i in reads]
    source = wired[reads[0]].layer if reads[0] >= 0 else None
    flattened = [wired[i].layer.name for i in reads if i >= 0 and isinstance(wired[i].layer, Flatten)]
    if flattened and not isinstance(layer, Dense | Flatten):
        raise _rejected(index, layer, f"it reads {flattened[0]!r}, but only dense may follow flatten")
    if isinstance(layer, Embedding) and (reads[0] >= 0 or len(input_shape) != 1):
        raise _rejected(index, layer, "it must read the network's input, of shape [tokens]; put it first")
    window, output, weights = _shape_rule(index, layer, shapes, source)
    if prod(output) > MAX_ELEMENTS:
        raise _rejected(
            index, layer, f"its output {_text(output)} has more than {MAX_ELEMENTS:,} elements; pool earlier"
        )
    return Wired(index, layer, tuple(reads), shapes[0], output, window, weights)


def _shape_rule(
    index: int, layer: Layer, shapes: list[Shape], source: Layer | None
) -> tuple[Window | None, Shape, int]:
    shape = shapes[0]
    match layer:
        case Dense():
            return None, (layer.units,), layer.units * (prod(shape) + 1)
        case Flatten():
            return None, (prod(shape),), 0
        case Add() | Multiply():
            if shapes[0] != shapes[1]:
                what = f"adds {_text(shape)} to" if isinstance(layer, Add) else f"multiplies {_text(shape)} by"
                raise _rejected(index, layer, f"{what} {layer.other!r}, which is {_text(shapes[1])}; make them equal")
            return None, shape, 0
        case Embedding():
            return None, (*shape, 1, layer.features), layer.vocabulary * layer.features
        case Lstm() | Gru():
            steps, features = sequence_shape(shape)
            gates = 4 if isinstance(layer, Lstm) else 3
            output = (steps, 1, layer.units) if layer.sequences else (layer.units,)
            return None, output, gates * layer.units * (features + layer.units + 2)
        case BatchNorm():
            if not isinstance(source, Dense | Conv2D | DepthwiseConv2D) or source.activation != "none":
                raise _rejected(
                    index,
                    layer,
                    "must follow a dense or convolution layer without activation; move its activation here",
                )
            return None, shape, 2 * shape[-1]
        case Conv2D() | DepthwiseConv2D() | MaxPool2D() | AveragePool2D():
            return _slide(index, layer, shape)


def _slide(
    index: int, layer: Conv2D | DepthwiseConv2D | MaxPool2D | AveragePool2D, shape: Shape
) -> tuple[Window, Shape, int]:
    if len(shape) != 3:
        raise _rejected(
            index, layer, f"needs an image (height, width, channels), its input is {_text(shape)}; use dense"
        )
    height, width, channels = shape
    window = window_of(layer, height, width)
    if window is None:
        raise Bug(f"layer {layer.name!r} slides but has no window")
    if any(p >= k for p, k in zip(window.padding, window.kernel * 2, strict=True)):
        raise _rejected(index, layer, f"padding {max(window.padding)} is not smaller than its kernel; pad less")
    rows, columns = window.output(height, width)
    if rows < 1 or columns < 1:
        raise _rejected(
            index,
            layer,
            f"kernel {_text(window.kernel)} larger than its input {height}x{width}; "
            "use a smaller kernel, padding 'same', or pool less",
        )
    area = window.kernel[0] * window.kernel[1]
    match layer:
        case Conv2D():
            return window, (rows, columns, layer.filters), layer.filters * (area * channels + 1)
        case DepthwiseConv2D():
            return window, (rows, columns, channels), channels * (area + 1)
        case _:
            return window, (rows, columns, channels), 0


def _resolve(index: int, layer: Layer, name: str | None, indices: dict[str, int]) -> int:
    if name is None:
        return index - 1
    if name not in indices:
        raise _rejected(index, layer, f"reads {name!r}, which is no earlier layer; name one that stands before it")
    return indices[name]


def _check_input(shape: Shape) -> None:
    if len(shape) not in (1, 3) or any(side < 1 for side in shape):
        raise Rejected(f"spec input_shape {_text(shape)}: give [features] or [height, width, channels], all at least 1")
    if prod(shape) > MAX_ELEMENTS:
        raise Rejected(f"spec input_shape {_text(shape)} has more than {MAX_ELEMENTS:,} elements; shrink the input")


def _check_use(wired: list[Wired]) -> None:
    readers: dict[int, list[Wired]] = {}
    for item in wired:
        for read in item.reads:
            readers.setdefault(read, []).append(item)
    for item in wired[:-1]:
        if item.index not in readers:
            raise _rejected(item.index, item.layer, "nothing reads its output; remove it or connect it")
    for item in wired:
        if isinstance(item.layer, BatchNorm) and len(readers[item.reads[0]]) > 1:
            raise _rejected(
                item.index, item.layer, "the layer before it is also read elsewhere; read the batch_norm there"
            )
    last = wired[-1].layer
    if not isinstance(last, Dense) or last.activation != "none":
        raise _rejected(len(wired) - 1, last, "the last layer must be dense without activation")


def _rejected(index: int, layer: Layer, reason: str) -> Rejected:
    return Rejected(f"spec layer {index + 1} {layer.name!r}: {reason}")


def _text(shape: Shape) -> str:
    return "x".join(str(side) for side in shape)
