"""Random small networks over all operations, with test sets and their true scores: what disputes are about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from offchain.dispute.evidence import Evidence, Work
from offchain.model.graph import Int64Array, IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.limits import ModelLimits
from offchain.model.oracle import evaluate_slowly
from offchain.model.roots import ModelTree, SampleTree
from offchain.model.scores import sample_scores
from offchain.model.validation import validate
from offchain.protocol.scores import ScoreFunction

Generator = np.random.Generator
WideNode = Callable[[Generator], tuple[Node, Shape]]
"""Makes a first node and the input that it is for."""

FUNCTIONS = tuple(function for function in ScoreFunction if function is not ScoreFunction.NONE)
COUNTS = (1, 1, 2, 2, 3, 5, 17, 31, 32, 33, 64, 100, 1000, 1023, 1024, 1025, 3000, 5000)
"""Sizes of test sets: around powers of 32, and in between."""
LIMITS = ModelLimits(max_model_bytes=1 << 24, max_tensor_bytes=1 << 22)
WINDOWS = (Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D)
SINGLE = frozenset({ScoreFunction.MEAN_ABSOLUTE_ERROR, ScoreFunction.MEAN_SQUARED_ERROR})
"""Score functions of networks with one output."""
_OUTPUT_BOUND = (1 << 23) - 1
_BATCH = 64


@dataclass(frozen=True, slots=True)
class World:
    """A model on a test set, and the truth about it."""

    work: Work
    labels: np.ndarray
    scores: Int64Array

    @property
    def score(self) -> int:
        """The true score."""
        return int(self.scores.sum())

    def truth(self) -> Evidence:
        """What an honest player knows, each with traces of its own."""
        return Evidence(self.work, self.scores)


def make_world(network: IntegerNetwork, function: ScoreFunction, inputs: np.ndarray, labels: np.ndarray) -> World:
    """The world of a valid network: inputs int8 (n, *input_shape), labels int32 (n,)."""
    validate(network, LIMITS)
    work = Work(network, ModelTree(network), SampleTree(inputs, labels), inputs, function)
    return World(work, labels, score_all(network, function, inputs, labels))


def score_all(network: IntegerNetwork, function: ScoreFunction, inputs: np.ndarray, labels: np.ndarray) -> Int64Array:
    """Every sample's score, by the oracle; int64 (n,)."""
    starts = range(0, len(inputs), _BATCH)
    outputs = np.concatenate([evaluate_slowly(network, inputs[start : start + _BATCH]) for start in starts])
    return sample_scores(function, outputs, labels)


def random_world(rng: Generator, function: ScoreFunction, count: int | None = None) -> World:
    """A world of a random network, with one to seven nodes, and a test set."""
    network = random_network(rng, function)
    samples = int(rng.choice(COUNTS)) if count is None else count
    if samples > 100 and prod(network.input_shape) > 2000:
        samples = int(rng.integers(1, 4))
    inputs = random_inputs(rng, samples, network.input_shape)
    return make_world(network, function, inputs, random_labels(rng, function, network, samples))


def random_inputs(rng: Generator, count: int, shape: Shape) -> np.ndarray:
    """int8 (count, *shape); a third of the time nothing but the extremes."""
    if rng.integers(3) == 0:
        return rng.choice(np.array([-128, -127, 0, 127], dtype=np.int8), (count, *shape))
    return rng.integers(-128, 128, (count, *shape), dtype=np.int8)


def random_labels(rng: Generator, function: ScoreFunction, network: IntegerNetwork, count: int) -> np.ndarray:
    """int32 (count,); of functions that score classes, now and then a class that no output has."""
    if function in SINGLE:
        return rng.integers(-300, 300, count, dtype=np.int32)
    classes = prod(network.output_shape)
    return rng.integers(-1 if rng.integers(4) == 0 else 0, classes + int(rng.integers(4) == 0), count, dtype=np.int32)


def random_network(rng: Generator, function: ScoreFunction) -> IntegerNetwork:
    """A valid network whose output the function can score; each operation may come anywhere, last too."""
    shapes: list[Shape] = [_random_input(rng)]
    nodes: list[Node] = []
    wanted = [Op(int(op)) for op in rng.choice(list(Op), int(rng.integers(1, 7)))]
    for op in wanted:
        nodes.append(_random_node(rng, op, shapes))
        shapes.append(nodes[-1].output_shape)
    outputs = prod(shapes[-1])
    if function in SINGLE and outputs != 1:
        nodes.append(_narrow(rng, shapes))
    elif outputs > 64:
        nodes.append(dense(rng, len(shapes) - 1, shapes[-1], int(rng.integers(2, 12))))
    last = nodes[-1]
    if last.op not in (Op.SLICE, Op.CONCAT, Op.LOOKUP, Op.EMBEDDING, Op.MAX_POOL2D) and rng.integers(2):
        nodes[-1] = rebuilt(last, low=-_OUTPUT_BOUND, high=_OUTPUT_BOUND)
    return IntegerNetwork(shapes[0], tuple(nodes), output_scale=1.0)


def rebuilt(node: Node, **changes: object) -> Node:
    """The node with other fields."""
    names = ("op", "inputs", "output_shape", "low", "high", "kernel", "stride", "padding", "offset", "weight", "bias")
    fields = {name: getattr(node, name) for name in (*names, "requantisation")}
    return Node(**(fields | changes))


def dense(rng: Generator, source: int, shape: Shape, units: int) -> Node:
    """A DENSE node."""
    return _weighted(rng, Op.DENSE, source, (units,), units, prod(shape))


def window(
    rng: Generator,
    op: Op,
    source: int,
    shape: Shape,
    *,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    units: int = 1,
) -> Node:
    """A convolution or pool."""
    rows, columns = (
        (shape[axis] + padding[axis] + padding[axis + 2] - kernel[axis]) // stride[axis] + 1 for axis in (0, 1)
    )
    channels = units if op is Op.CONV2D else shape[2]
    extra = {"kernel": kernel, "stride": stride, "padding": padding}
    area = prod(kernel)
    if op is Op.MAX_POOL2D:
        low, high = _clamp(rng)
        return Node(op, (source,), (rows, columns, channels), low, high, **extra)  # type: ignore[arg-type]
    if op is Op.AVERAGE_POOL2D:
        low, high = _clamp(rng)
        scale = _scale(rng, 1, 74 * area**0.5)
        return Node(op, (source,), (rows, columns, channels), low, high, requantisation=scale, **extra)  # type: ignore[arg-type]
    fan_in = area * shape[2] if op is Op.CONV2D else area
    return _weighted(rng, op, source, (rows, columns, channels), channels, fan_in, extra)


def _random_node(rng: Generator, op: Op, shapes: Sequence[Shape]) -> Node:
    """A node with this operation on a recent tensor that suits it, if there is one; else a DENSE."""
    recent = [tensor for tensor in range(max(0, len(shapes) - 3), len(shapes)) if _suits(op, shapes[tensor])]
    if not recent:
        return dense(rng, len(shapes) - 1, shapes[-1], int(rng.integers(1, 12)))
    source = int(rng.choice(recent))
    shape = shapes[source]
    if op is Op.DENSE:
        return dense(rng, source, shape, int(rng.integers(1, 12)))
    if op in WINDOWS:
        return _random_window(rng, op, source, shape)
    low, high = _clamp(rng)
    match op:
        case Op.ADD | Op.MULTIPLY:
            same = [tensor for tensor, other in enumerate(shapes) if other == shape]
            scale = _scale(rng, 2, 120) if op is Op.ADD else _scale(rng, 1, 5000)
            scale = Requantisation(scale.multiplier, scale.shift[:1])
            return Node(op, (source, int(rng.choice(same))), shape, low, high, requantisation=scale)
        case Op.LOOKUP:
            return Node(op, (source,), shape, low, high, weight=_weight(rng, 1, 256))
        case Op.EMBEDDING:
            rows, features = int(rng.integers(1, 257)), int(rng.integers(1, 9))
            return Node(op, (source,), (shape[0], 1, features), low, high, weight=_weight(rng, rows, features))
        case Op.SLICE:
            return _slice(rng, source, shape, low, high)
        case _:
            other = int(rng.integers(len(shapes)))
            joined = prod(shape) + prod(shapes[other])
            return Node(op, (source, other), (joined,), low, high)


def _suits(op: Op, shape: Shape) -> bool:
    if op in WINDOWS:
        return len(shape) == 3
    return len(shape) == 1 or op is not Op.EMBEDDING


def _random_window(rng: Generator, op: Op, source: int, shape: Shape) -> Node:
    kernel = (int(rng.integers(1, min(6, shape[0] + 2))), int(rng.integers(1, min(6, shape[1] + 2))))
    padding = tuple(int(rng.integers(0, side)) for side in kernel * 2)
    if any(shape[axis] + padding[axis] + padding[axis + 2] < kernel[axis] for axis in (0, 1)):
        kernel, padding = (1, 1), (0, 0, 0, 0)
    top, left, bottom, right = padding
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    units = int(rng.integers(1, 10))
    place = (top, left, bottom, right)
    return window(rng, op, source, shape, kernel=kernel, stride=stride, padding=place, units=units)


def _slice(rng: Generator, source: int, shape: Shape, low: int, high: int) -> Node:
    elements = prod(shape)
    length = int(rng.integers(1, elements + 1))
    offset = int(rng.integers(0, elements - length + 1))
    out: Shape = (length,)
    if rng.integers(2) and length % 4 == 0:
        out = (2, 2, length // 4)
    return Node(Op.SLICE, (source,), out, low, high, offset=offset)


def _narrow(rng: Generator, shapes: Sequence[Shape]) -> Node:
    """A last node with one output."""
    source = len(shapes) - 1
    if rng.integers(3) == 0:
        offset = int(rng.integers(prod(shapes[-1])))
        return Node(Op.SLICE, (source,), (1,), -128, 127, offset=offset)
    return dense(rng, source, shapes[-1], 1)


def _random_input(rng: Generator) -> Shape:
    match rng.integers(5):
        case 0:
            return (int(rng.integers(1, 40)),)
        case 1:
            return (int(rng.choice([1000, 1024, 1025, 1500, 2048, 2100])),)
        case 2:
            return (int(rng.integers(10, 16)), int(rng.integers(10, 16)), int(rng.choice([8, 16])))
        case _:
            return (int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.choice([1, 2, 3, 4, 8])))


def _weighted(
    rng: Generator, op: Op, source: int, out: Shape, units: int, fan_in: int, extra: dict[str, object] | None = None
) -> Node:
    low, high = _clamp(rng)
    bias = rng.integers(-(2**10), 2**10, units, dtype=np.int32) << int(rng.integers(0, 4))
    if rng.integers(8) == 0:
        bias = rng.choice(np.array([-(2**31) + 1, 2**31 - 1], dtype=np.int64), units).astype(np.int32)
    return Node(
        op,
        (source,),
        out,
        low,
        high,
        weight=_weight(rng, units, fan_in),
        bias=bias,
        requantisation=_scale(rng, units, 3500 * fan_in**0.5),
        **(extra or {}),  # type: ignore[arg-type]
    )


def _weight(rng: Generator, units: int, length: int) -> np.ndarray:
    if rng.integers(4) == 0:
        return rng.choice(np.array([-128, -127, 127], dtype=np.int8), (units, length))
    return rng.integers(-128, 128, (units, length), dtype=np.int8)


def _clamp(rng: Generator) -> tuple[int, int]:
    low, high = sorted(int(bound) for bound in rng.integers(-128, 128, 2))
    return [(-128, 127), (0, 127), (-128, 127), (low, high)][int(rng.integers(4))]


def _scale(rng: Generator, units: int, spread: float) -> Requantisation:
    """Scales that bring accumulators of this standard deviation to about a hundred; now and then anything valid."""
    if rng.integers(10) == 0:
        multiplier, shift = rng.choice([1, 2**22 - 1], units), rng.integers(1, 48, units)
    else:
        multiplier = rng.integers(2**12, 2**22, units)
        shift = np.clip(np.round(np.log2(multiplier * spread / 100)) + rng.integers(-1, 2, units), 1, 47)
    return Requantisation(multiplier.astype(np.int32), shift.astype(np.uint8))


def wide_world(rng: Generator, function: ScoreFunction, name: str | None = None) -> World:
    """A world whose first node has operands that no move holds, or an output of more than 32 chunks."""
    first, shape = WIDE[name or str(rng.choice(list(WIDE)))](rng)
    nodes = [first, dense(rng, 1, first.output_shape, 1 if function in SINGLE else int(rng.integers(2, 8)))]
    if prod(first.output_shape) > 5000:
        nodes[1:] = [Node(Op.SLICE, (1,), (300,), -128, 127, offset=int(rng.integers(5000 - 300)))]
        nodes.append(dense(rng, 2, (300,), 1 if function in SINGLE else 3))
    network = IntegerNetwork(shape, tuple(nodes), output_scale=1.0)
    count = int(rng.integers(1, 4))
    inputs = random_inputs(rng, count, shape)
    return make_world(network, function, inputs, random_labels(rng, function, network, count))


def _wide_dense(rng: Generator) -> tuple[Node, Shape]:
    shape = (int(rng.integers(20_000, 60_000)),)
    return dense(rng, 0, shape, 2), shape


def _nested_dense(rng: Generator) -> tuple[Node, Shape]:
    shape = (int(rng.integers(600_000, 1 << 20)),)
    return dense(rng, 0, shape, 1), shape


def _wide_convolution(rng: Generator) -> tuple[Node, Shape]:
    shape = (9, 10, 500)
    return window(rng, Op.CONV2D, 0, shape, kernel=(9, 9), padding=(2, 1, 0, 3), units=2), shape


def _wide_channels(op: Op) -> WideNode:
    """Each element of the window lies in a chunk of its own."""
    shape = (8, 7, 1024)
    return lambda rng: (window(rng, op, 0, shape, kernel=(7, 7), padding=(2, 0, 3, 1)), shape)


def _nested_pool(op: Op) -> WideNode:
    """A window over everything, each part of which has still too many chunks."""
    shape = (178, 178, 33)
    extra = {"kernel": (178, 178), "stride": (200, 200)}
    return lambda rng: (window(rng, op, 0, shape, padding=(0, 0, 5, 2), **extra), shape)


def _large_output(rng: Generator) -> tuple[Node, Shape]:
    """Hashes of subtrees first, then of chunks."""
    shape = (40, int(rng.integers(40, 44)), 24) if rng.integers(2) else (int(rng.integers(33_000, 1 << 20)),)
    weight = _weight(rng, 1, 256)
    return Node(Op.LOOKUP, (0,), shape, -128, 127, weight=weight), shape


WIDE: dict[str, WideNode] = {
    "dense": _wide_dense,
    "nested dense": _nested_dense,
    "convolution": _wide_convolution,
    **{f"wide {op.name}": _wide_channels(op) for op in (Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D)},
    **{f"nested {op.name}": _nested_pool(op) for op in (Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D)},
    "output": _large_output,
}
"""First nodes that make a network wide, by name."""
