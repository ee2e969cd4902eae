"""Random valid integer networks: the structure is what a test draws, the numbers follow from a seed."""

from collections.abc import Sequence
from math import prod

import numpy as np

from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.limits import ACCUMULATOR_BOUND, OUTPUT_BOUND, REQUANTISATION_BOUND, ModelLimits
from offchain.model.windows import infer_shape

LIMITS = ModelLimits(max_model_bytes=1 << 24, max_tensor_bytes=1 << 22)

Generator = np.random.Generator


def random_network(ops: Sequence[Op], seed: int, input_shape: Shape | None = None) -> IntegerNetwork:
    """A valid network with about these operations; those that do not suit the shapes so far are replaced by DENSE."""
    rng = np.random.default_rng(seed)
    if input_shape is None:
        input_shape = _random_input(rng, ops)
    shapes: list[Shape] = [input_shape]
    nodes: list[Node] = []
    for index, op in enumerate(ops):
        nodes.append(_random_node(rng, op, shapes, last=index == len(ops) - 1))
        shapes.append(nodes[-1].output_shape)
    return IntegerNetwork(input_shape, tuple(nodes), output_scale=1.0)


def random_inputs(seed: int, count: int, shape: Shape) -> np.ndarray:
    """int8 (count, *shape); a third of the time nothing but the extremes."""
    rng = np.random.default_rng(seed)
    if rng.integers(3) == 0:
        return rng.choice(np.array([-128, -127, 127], dtype=np.int8), (count, *shape))
    return rng.integers(-128, 128, (count, *shape), dtype=np.int8)


def dense_node(weight: np.ndarray, bias: np.ndarray, multiplier: int, shift: int, *, wide: bool = True) -> Node:
    """A DENSE node on tensor 0 with one multiplier and shift for all units."""
    units = len(weight)
    bound = OUTPUT_BOUND - 1 if wide else 127
    return Node(
        Op.DENSE,
        (0,),
        (units,),
        -bound,
        bound,
        weight=weight.astype(np.int8),
        bias=bias.astype(np.int32),
        requantisation=Requantisation(
            np.full(units, multiplier, dtype=np.int32), np.full(units, shift, dtype=np.uint8)
        ),
    )


def _random_input(rng: Generator, ops: Sequence[Op]) -> Shape:
    if all(op in (Op.DENSE, Op.ADD) for op in ops) and rng.integers(2):
        return (int(rng.integers(1, 40)),)
    height, width = (int(side) for side in rng.integers(1, 9, 2))
    return (height, width, int(rng.choice([1, 2, 3, 4, 8])))


def _random_node(rng: Generator, op: Op, shapes: list[Shape], *, last: bool) -> Node:
    source = int(rng.integers(max(0, len(shapes) - 2), len(shapes)))
    shape = shapes[source]
    if op is Op.ADD:
        others = [tensor for tensor, other in enumerate(shapes) if other == shape]
        return _finish(rng, op, (source, int(rng.choice(others))), shape, {}, shape, last=last)
    if op is Op.DENSE or len(shape) != 3:
        return _finish(rng, Op.DENSE, (source,), (int(rng.integers(1, 20)),), {}, shape, last=last)
    kernel = (int(rng.integers(1, min(6, shape[0] + 2))), int(rng.integers(1, min(6, shape[1] + 2))))
    padding = tuple(int(rng.integers(0, side)) for side in kernel * 2)
    short = [max(0, kernel[axis] - shape[axis] - padding[axis] - padding[axis + 2]) for axis in (0, 1)]
    kernel = (kernel[0] - short[0], kernel[1] - short[1])
    padding = tuple(min(pad, side - 1) for pad, side in zip(padding, kernel * 2, strict=True))
    if any(kernel[axis] > shape[axis] + padding[axis] + padding[axis + 2] for axis in (0, 1)):
        kernel, padding = (1, 1), (0, 0, 0, 0)
    window = {"kernel": kernel, "padding": padding, "stride": (int(rng.integers(1, 4)), int(rng.integers(1, 4)))}
    units = int(rng.integers(1, 10)) if op is Op.CONV2D else shape[2]
    probe = Node(op, (source,), (1, 1, units), 0, 0, **window)  # type: ignore[arg-type]
    return _finish(rng, op, (source,), infer_shape(probe, (shape,)), window, shape, last=last)


def _finish(
    rng: Generator, op: Op, inputs: tuple[int, ...], output: Shape, window: dict, shape: Shape, *, last: bool
) -> Node:
    units = output[-1]
    area = prod(window.get("kernel", (1, 1)))
    fan_in = {Op.DENSE: prod(shape), Op.CONV2D: area * shape[-1]}.get(op, area)
    weight = bias = None
    worst = bound = 128 * (2 if op is Op.ADD else fan_in)
    if op in (Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D):
        weight = _random_weight(rng, units, fan_in)
        room = ACCUMULATOR_BOUND - 1 - 128 * np.abs(weight.astype(np.int64)).sum(axis=1)
        bias = np.minimum(room, 2 ** rng.integers(0, 32, units)) * rng.choice([-1, 1], units)
        if rng.integers(8) == 0:
            bias = room * rng.choice([-1, 1], units)
        bias = bias.astype(np.int32)
        worst = int((128 * np.abs(weight.astype(np.int64)).sum(axis=1) + np.abs(bias.astype(np.int64))).max())
        bound = 128 * fan_in * 64
    low, high = _random_clamp(rng, last=last)
    return Node(
        op,
        inputs,
        output,
        low,
        high,
        **window,
        weight=weight,
        bias=bias,
        requantisation=None if op is Op.MAX_POOL2D else _random_scale(rng, op, units, bound, worst, high),
    )


def _random_weight(rng: Generator, units: int, fan_in: int) -> np.ndarray:
    match rng.integers(3):
        case 0:
            return rng.choice(np.array([-128, -127, 127], dtype=np.int8), (units, fan_in))
        case 1:
            return rng.integers(-128, 128, (units, fan_in), dtype=np.int8)
        case _:
            return rng.integers(-8, 9, (units, fan_in), dtype=np.int8)


def _random_clamp(rng: Generator, *, last: bool) -> tuple[int, int]:
    if last and rng.integers(2):
        return 1 - OUTPUT_BOUND, OUTPUT_BOUND - 1
    low, high = sorted(int(bound) for bound in rng.integers(-128, 128, 2))
    return [(low, high), (0, 127), (-128, 127)][int(rng.integers(3))]


def _random_scale(rng: Generator, op: Op, units: int, bound: int, worst: int, high: int) -> Requantisation:
    """Mostly scales that leave something to see within the clamp bounds; sometimes anything that is valid."""
    count = {Op.ADD: 2, Op.AVERAGE_POOL2D: 1}.get(op, units)
    shifts = 1 if op in (Op.ADD, Op.AVERAGE_POOL2D) else units
    most = min(1 << 22, (REQUANTISATION_BOUND - (1 << 46)) // worst)
    multiplier = rng.integers(1, most, count)
    if rng.integers(8) == 0:
        multiplier = rng.choice([1, most - 1], count)
        shift = rng.integers(1, 48, shifts)
    else:
        width = int(bound * int(multiplier.max()) // max(high, 1)).bit_length()
        shift = np.clip(width - rng.integers(0, 8, shifts), 1, 47)
    return Requantisation(multiplier.astype(np.int32), shift.astype(np.uint8))
