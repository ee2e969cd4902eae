"""Random valid integer networks: the structure is what a test draws, the numbers follow from a seed.

Scales are chosen by what a few random samples give, so that most outputs lie between the clamp bounds and a change of
one operand is seen; sometimes they are anything that is valid, biases beyond int32 sums among it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from offchain.model.graph import Int64Array, IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.limits import MAX_OUTPUT_ELEMENTS, MULTIPLIER_BOUND, OUTPUT_BOUND, ModelLimits
from offchain.model.oracle import compute_node
from offchain.model.windows import PAIRED, SCALED, WEIGHTED, WINDOWED, window_shape

LIMITS = ModelLimits(max_model_bytes=1 << 24, max_tensor_bytes=1 << 22)

OPS = st.lists(st.sampled_from(list(Op)), min_size=1, max_size=6)
SEEDS = st.integers(0, 2**32 - 1)

Generator = np.random.Generator

_SAMPLES = 4
_MOST_ELEMENTS = 1500
_ANY = 1 << 60


def random_network(ops: Sequence[Op], seed: int, input_shape: Shape | None = None) -> IntegerNetwork:
    """A valid network with about these operations; those that do not suit the shapes so far are replaced by DENSE."""
    rng = np.random.default_rng(seed)
    growing = Growing(rng, _random_input(rng, ops) if input_shape is None else input_shape)
    for index, op in enumerate(ops):
        growing.add(op, last=index == len(ops) - 1)
    return growing.network()


def networks() -> st.SearchStrategy[IntegerNetwork]:
    """Random networks of up to six operations of every kind."""
    return st.builds(random_network, OPS, SEEDS)


def recurrent_network(steps: int, width: int, units: int, outputs: int, seed: int) -> IntegerNetwork:
    """An LSTM unrolled by hand: `steps` slices of `width` numbers, gates by table, one dense layer at the end."""
    growing = Growing(np.random.default_rng(seed), (steps * width,))
    hidden = cell = -1
    for step in range(steps):
        joined = growing.slice(0, step * width, width)
        if step:
            joined = growing.append(Op.CONCAT, (joined, hidden), (width + units,))
        gates = growing.append(Op.DENSE, (joined,), (4 * units,), scale_to=100.0)
        taken = [growing.slice(gates, gate * units, units) for gate in range(4 if step else 3)]
        curves = [growing.append(Op.LOOKUP, (tensor,), (units,)) for tensor in taken]
        new = growing.append(Op.MULTIPLY, (curves[0], curves[1]), (units,), scale_to=100.0)
        if step:
            kept = growing.append(Op.MULTIPLY, (curves[3], cell), (units,), scale_to=100.0)
            new = growing.append(Op.ADD, (kept, new), (units,), scale_to=100.0)
        cell = new
        bent = growing.append(Op.LOOKUP, (cell,), (units,))
        hidden = growing.append(Op.MULTIPLY, (curves[2], bent), (units,), scale_to=100.0)
    growing.append(Op.DENSE, (hidden,), (outputs,), low=1 - OUTPUT_BOUND, high=OUTPUT_BOUND - 1, scale_to=1e6)
    return growing.network()


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


@dataclass
class Growing:
    """A network that grows node by node, evaluated on a few samples as it does."""

    rng: Generator
    input_shape: Shape
    nodes: list[Node] = field(default_factory=list)
    tensors: list[Int64Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tensors.append(self.rng.integers(-128, 128, (_SAMPLES, *self.input_shape)))

    def network(self) -> IntegerNetwork:
        return IntegerNetwork(self.input_shape, tuple(self.nodes), output_scale=1.0)

    def shape(self, tensor: int) -> Shape:
        return self.tensors[tensor].shape[1:]

    def add(self, op: Op, *, last: bool) -> int:
        """Appends a random node, with this operation if some tensor suits it."""
        low, high = _random_clamp(self.rng, last=last)
        source = int(self.rng.integers(max(0, len(self.tensors) - 3), len(self.tensors)))
        inputs, output, window = self._random_structure(op, source)
        if not inputs or prod(output) > (MAX_OUTPUT_ELEMENTS if last else _MOST_ELEMENTS):
            op, inputs, output, window = Op.DENSE, (source,), (int(self.rng.integers(1, 20)),), {}
        spread = max(1, -low, high) * 2.0 ** self.rng.uniform(-1, 1.5)
        wild = self.rng.integers(12) == 0
        return self.append(op, inputs, output, low=low, high=high, scale_to=None if wild else spread, **window)

    def append(
        self,
        op: Op,
        inputs: tuple[int, ...],
        output: Shape,
        *,
        low: int = -127,
        high: int = 127,
        scale_to: float | None = None,
        **fields: Any,
    ) -> int:
        """Appends a node with random parameters; `scale_to`: about how large its values are before the clamp."""
        node = Node(op, inputs, output, low, high, **fields)
        if op in WEIGHTED:
            node = replace(node, **self._weighted_parameters(node))
        elif op is Op.LOOKUP:
            node = replace(node, weight=_random_table(self.rng))
        elif op is Op.EMBEDDING:
            rows = int(self.rng.choice([1, 2, 100, 255, 256]))
            node = replace(node, weight=self.rng.integers(-128, 128, (rows, output[2]), dtype=np.int8))
        if op in WEIGHTED | SCALED:
            node = replace(node, requantisation=self._scale(node, scale_to))
        self.nodes.append(node)
        self.tensors.append(compute_node(node, [self.tensors[tensor] for tensor in inputs]))
        return len(self.nodes)

    def slice(self, source: int, offset: int, count: int) -> int:
        return self.append(Op.SLICE, (source,), (count,), offset=offset)

    def _random_structure(self, op: Op, source: int) -> tuple[tuple[int, ...], Shape, dict[str, Any]]:
        """Inputs, output shape and window or offset; no inputs if nothing suits."""
        rng, shape = self.rng, self.shape(source)
        if op in PAIRED:
            alike = [t for t in range(len(self.tensors)) if op is Op.CONCAT or self.shape(t) == shape]
            other = int(rng.choice(alike))
            output = (prod(shape) + prod(self.shape(other)),) if op is Op.CONCAT else shape
            return (source, other), output, {}
        if op is Op.LOOKUP:
            return (source,), shape, {}
        if op is Op.SLICE:
            return (source,), *_random_part(rng, prod(shape))
        if op is Op.EMBEDDING:
            flat = [tensor for tensor in range(len(self.tensors)) if len(self.shape(tensor)) == 1]
            source = int(rng.choice(flat)) if flat else -1
            return ((source,), (self.shape(source)[0], 1, int(rng.integers(1, 6))), {}) if flat else ((), (), {})
        if op in WINDOWED:
            images = [tensor for tensor in range(len(self.tensors)) if len(self.shape(tensor)) == 3]
            source = source if source in images else int(rng.choice(images)) if images else -1
            return ((source,), *_random_window(rng, op, self.shape(source))) if images else ((), (), {})
        return (), (), {}

    def _weighted_parameters(self, node: Node) -> dict[str, Any]:
        shape, units = self.shape(node.inputs[0]), node.output_shape[-1]
        fan_in = prod(node.kernel) * (1 if node.op is Op.DEPTHWISE_CONV2D else shape[-1])
        weight = _random_weight(self.rng, units, prod(shape) if node.op is Op.DENSE else fan_in)
        largest = 31 if self.rng.integers(8) == 0 else 5 + weight.shape[1].bit_length()
        bias = np.minimum(2 ** self.rng.integers(0, largest + 1, units), 2**31 - 1) * self.rng.choice([-1, 1], units)
        return {"weight": weight, "bias": bias.astype(np.int32)}

    def _scale(self, node: Node, scale_to: float | None) -> Requantisation:
        units = len(node.weight) if node.weight is not None else 1
        count, most = (2 if node.op is Op.ADD else units), MULTIPLIER_BOUND - 1
        if scale_to is None:
            multiplier = self.rng.choice([1, most, int(self.rng.integers(1, most))], count)
            shift = self.rng.integers(1, 48, units)
        else:
            ones = Requantisation(np.ones(count, dtype=np.int32), np.ones(units, dtype=np.uint8))
            plain = replace(node, requantisation=ones, low=-_ANY, high=_ANY)
            found = 2 * np.abs(compute_node(plain, [self.tensors[tensor] for tensor in node.inputs]))
            largest = found.reshape(-1, found.shape[-1] if units > 1 else found.size).max(axis=0)
            ratio = scale_to / np.maximum(largest if units > 1 else largest.max(), 1.0)
            shift = np.clip(np.floor(np.log2(most / 2 / ratio)), 1, 47).astype(np.int64) * np.ones(units, np.int64)
            multiplier = np.clip(ratio * 2.0**shift * self.rng.uniform(0.5, 1.5, count), 1, most)
        return Requantisation(multiplier.astype(np.int32), shift.astype(np.uint8))


def _random_input(rng: Generator, ops: Sequence[Op]) -> Shape:
    if Op.EMBEDDING in ops or (not WINDOWED & set(ops) and rng.integers(2)):
        return (int(rng.integers(1, 40)),)
    height, width = (int(side) for side in rng.integers(1, 9, 2))
    return (height, width, int(rng.choice([1, 2, 3, 4, 8])))


def _random_part(rng: Generator, elements: int) -> tuple[Shape, dict[str, Any]]:
    """Of a SLICE: any shape, often one that uses its input to the last element."""
    shape: Shape = (int(rng.integers(1, elements + 1)),)
    if rng.integers(3) == 0:
        sides = [int(rng.integers(1, 5)) for _ in range(3)]
        shape = (sides[0], sides[1], sides[2]) if prod(sides) <= elements else (1, 1, elements)
    rest = elements - prod(shape)
    return shape, {"offset": rest if rng.integers(3) == 0 else int(rng.integers(0, rest + 1))}


def _random_window(rng: Generator, op: Op, shape: Shape) -> tuple[Shape, dict[str, Any]]:
    kernel = (int(rng.integers(1, min(6, shape[0] + 2))), int(rng.integers(1, min(6, shape[1] + 2))))
    padding = tuple(int(rng.integers(0, side)) for side in kernel * 2)
    short = [max(0, kernel[axis] - shape[axis] - padding[axis] - padding[axis + 2]) for axis in (0, 1)]
    kernel = (kernel[0] - short[0], kernel[1] - short[1])
    padding = tuple(min(pad, side - 1) for pad, side in zip(padding, kernel * 2, strict=True))
    if any(kernel[axis] > shape[axis] + padding[axis] + padding[axis + 2] for axis in (0, 1)):
        kernel, padding = (1, 1), (0, 0, 0, 0)
    window = {"kernel": kernel, "padding": padding, "stride": (int(rng.integers(1, 4)), int(rng.integers(1, 4)))}
    units = int(rng.integers(1, 10)) if op is Op.CONV2D else shape[2]
    probe = Node(op, (0,), (1, 1, units), 0, 0, **window)  # type: ignore[arg-type]
    return (*window_shape(probe, shape), units), window


def _random_weight(rng: Generator, units: int, fan_in: int) -> np.ndarray:
    match rng.integers(3):
        case 0:
            return rng.choice(np.array([-128, -127, 127], dtype=np.int8), (units, fan_in))
        case 1:
            return rng.integers(-128, 128, (units, fan_in), dtype=np.int8)
        case _:
            return rng.integers(-8, 9, (units, fan_in), dtype=np.int8)


def _random_table(rng: Generator) -> np.ndarray:
    """A curve like those of gates, or noise."""
    if rng.integers(2):
        return rng.integers(-128, 128, (1, 256), dtype=np.int8)
    return np.rint(127 * np.tanh(np.arange(-128, 128) / rng.uniform(8, 64))).astype(np.int8).reshape(1, 256)


def _random_clamp(rng: Generator, *, last: bool) -> tuple[int, int]:
    if last and rng.integers(2):
        return 1 - OUTPUT_BOUND, OUTPUT_BOUND - 1
    low, high = sorted(int(bound) for bound in rng.integers(-128, 128, 2))
    return [(low, high), (0, 127), (-127, 127), (-128, 127), (-128, 127)][int(rng.integers(5))]
