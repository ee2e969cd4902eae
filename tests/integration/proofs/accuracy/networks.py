"""Random networks of a few shapes, with zeros, extremes, ties and saturation among them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.limits import ModelLimits
from offchain.model.validation import validate
from offchain.model.windows import WEIGHTED
from offchain.proofs.statement import Chunk

Generator = np.random.Generator
WIDE = 2**23 - 1
LIMITS = ModelLimits(1 << 20, 1 << 20)


def pooled() -> IntegerNetwork:
    """A convolution that its pool swallows, with a row and a column left over; then classes."""
    return _network(
        (5, 4, 1),
        _node(Op.CONV2D, 0, (5, 3, 2), 0, 127, fan_in=4, kernel=(2, 2), padding=(1, 0, 0, 0)),
        Node(Op.MAX_POOL2D, (1,), (2, 1, 2), -128, 127, kernel=(2, 2), stride=(2, 2)),
        _node(Op.DENSE, 2, (3,), -WIDE, WIDE, fan_in=4),
    )


def dense() -> IntegerNetwork:
    """Two layers, the hidden one with bounds that are no power of two."""
    return _network((3,), _node(Op.DENSE, 0, (4,), -100, 90, fan_in=3), _node(Op.DENSE, 1, (5,), -WIDE, WIDE, fan_in=4))


def everything() -> IntegerNetwork:
    """Every operation that can be proven, with padding, strides and overlapping windows."""
    scales = (np.array([2_000_000, 3_000_000], np.int32), np.array([900_000], np.int32))
    return _network(
        (4, 4, 2),
        _node(Op.CONV2D, 0, (2, 2, 3), -127, 127, fan_in=18, kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1)),
        _node(Op.DEPTHWISE_CONV2D, 1, (2, 2, 3), 0, 127, fan_in=4, kernel=(2, 2), padding=(1, 1, 0, 0)),
        Node(Op.ADD, (1, 2), (2, 2, 3), -127, 127, requantisation=Requantisation(scales[0], np.array([22], np.uint8))),
        Node(
            Op.AVERAGE_POOL2D, (3,), (2, 2, 3), -100, 100, kernel=(2, 2), padding=(0, 0, 1, 1),
            requantisation=Requantisation(scales[1], np.array([21], np.uint8)),
        ),
        Node(Op.MAX_POOL2D, (4,), (2, 2, 3), -50, 60, kernel=(2, 2), padding=(1, 1, 0, 0)),
        _node(Op.DEPTHWISE_CONV2D, 5, (2, 2, 3), -5, 127, fan_in=1, kernel=(1, 1)),
        Node(Op.MAX_POOL2D, (6,), (1, 1, 3), -128, 127, kernel=(2, 2), stride=(2, 2)),
        _node(Op.DENSE, 7, (3,), -1000, 1000, fan_in=3),
    )  # fmt: skip


def images() -> IntegerNetwork:
    """A classifier of images that ends in an average over each channel."""
    scale = Requantisation(np.array([1 << 20], np.int32), np.array([12], np.uint8))
    return _network(
        (6, 6, 1),
        _node(Op.CONV2D, 0, (4, 4, 2), 0, 127, fan_in=9, kernel=(3, 3)),
        Node(Op.MAX_POOL2D, (1,), (2, 2, 2), -128, 127, kernel=(2, 2), stride=(2, 2)),
        _node(Op.CONV2D, 2, (2, 2, 2), -127, 127, fan_in=18, kernel=(3, 3), padding=(1, 1, 1, 1)),
        Node(Op.AVERAGE_POOL2D, (3,), (1, 1, 2), -WIDE, WIDE, kernel=(2, 2), requantisation=scale),
    )


SHAPES: dict[str, Callable[[], IntegerNetwork]] = {
    "pooled": pooled,
    "dense": dense,
    "everything": everything,
    "images": images,
}


def randomised(shape: IntegerNetwork, seed: int, shift: int) -> IntegerNetwork:
    """The shape with parameters by the seed, valid; shifts are at most `shift`."""
    rng = np.random.default_rng(seed)
    nodes = [_randomised(rng, node, seed, shift) if node.op in WEIGHTED else node for node in shape.nodes]
    network = replace(shape, nodes=tuple(nodes))
    validate(network, LIMITS)
    return network


def random_chunk(shape: IntegerNetwork, samples: int, seed: int) -> Chunk:
    """Samples of all kinds; labels of every class, and now and then of none."""
    rng = np.random.default_rng(~seed & 0xFFFFFFFF)
    kinds: Sequence[Callable[[], object]] = (
        lambda: rng.integers(-128, 128, shape.input_shape),
        lambda: rng.integers(-3, 4, shape.input_shape),
        lambda: np.full(shape.input_shape, rng.choice([-128, 0, 127])),
    )
    inputs = np.array([kinds[rng.integers(3)]() for _ in range(samples)], np.int8)
    classes = int(np.prod(shape.output_shape))
    labels = np.where(rng.random(samples) < 0.1, rng.choice([classes, 65_535]), rng.integers(0, classes, samples))
    return Chunk(inputs, labels.astype(np.int32))


def _randomised(rng: Generator, node: Node, seed: int, shift: int) -> Node:
    assert node.weight is not None
    units = len(node.weight)
    weight = (
        rng.integers(-128, 128, node.weight.shape),
        rng.integers(-2, 3, node.weight.shape),
        np.zeros(node.weight.shape),
        rng.choice([-128, 127], node.weight.shape),
        rng.integers(-9, 10, (1, node.weight.shape[1])).repeat(units, axis=0),
    )[seed % 5]
    reach = (0, 9, 3_000, 2**31 - 1)[seed // 5 % 4]
    bias = rng.integers(-reach, reach + 1, units) if seed % 3 else np.full(units, reach)
    shifts = rng.integers(1, shift + 1, units) if seed % 2 else np.full(units, shift)
    # From rounding all away to a hundred times too much
    wanted = 2.0 ** (shifts - rng.integers(0, 16) + rng.random(units))
    multipliers = np.clip(wanted, 1, 2**22 - 1)
    scale = Requantisation(multipliers.astype(np.int32), shifts.astype(np.uint8))
    return replace(node, weight=weight.astype(np.int8), bias=bias.astype(np.int32), requantisation=scale)


def _network(input_shape: tuple[int, ...], *nodes: Node) -> IntegerNetwork:
    return IntegerNetwork(input_shape, nodes, 1.0)


def _node(
    op: Op,
    source: int,
    shape: tuple[int, ...],
    low: int,
    high: int,
    *,
    fan_in: int,
    kernel: tuple[int, int] = (1, 1),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Node:
    units = shape[-1]
    scale = Requantisation(np.ones(units, np.int32), np.ones(units, np.uint8))
    weight, bias = np.zeros((units, fan_in), np.int8), np.zeros(units, np.int32)
    return Node(op, (source,), shape, low, high, kernel, stride, padding, 0, weight, bias, scale)
