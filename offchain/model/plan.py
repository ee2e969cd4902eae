"""What the fast evaluator works out about a network once: prepared weights and a slot of memory for each tensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.model import matmul
from offchain.model.graph import Int8Array, IntegerNetwork, Node, Op, Shape
from offchain.model.liveness import last_uses
from offchain.model.windows import TABLES, WEIGHTED, WINDOWED, fan_in_of

WORD = 8
"""Bytes that im2col copies at once."""

SLACK = 64
"""Bytes that padded images need beyond their end, where the last word may reach."""

_VECTOR = 256
"""Parameters are repeated to at least this many elements, so that requantisation runs in long vectors."""


@dataclass(frozen=True, slots=True)
class Rescaling:
    """The constants of the fused pass, each a contiguous array: multiplier int32; half, shift int64.

    bias: int32, or int64 where a sum may leave int32.
    """

    bias: npt.NDArray[np.int32] | npt.NDArray[np.int64]
    multiplier: npt.NDArray[np.int32]
    half: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]

    @property
    def is_wide(self) -> bool:
        """Whether a sum may leave int32."""
        return self.bias.dtype == np.int64


@dataclass(frozen=True, slots=True)
class Gathering:
    """How a convolution's windows become rows: see `gathering`. `padded_elements`: one sample's framed image."""

    image: tuple[int, int, int]
    geometry: tuple[int, ...]
    padded_elements: int
    words: int


@dataclass(frozen=True, slots=True)
class Step:
    """One node, ready to run. `fan_in` is the length of a row of the matrix product; `geometry` as in `kernels`.

    table: of a LOOKUP or EMBEDDING, flat int8 (256 * features), clamped; a row for each int8 read as an unsigned byte.
    source_elements: elements of each input.
    """

    node: Node
    fan_in: int
    target_elements: int
    geometry: tuple[int, ...]
    gathering: Gathering | None
    product: matmul.Multiplier | None
    taps: npt.NDArray[np.int8] | None
    table: npt.NDArray[np.int8] | npt.NDArray[np.int32] | None
    rescaling: Rescaling | None
    source_elements: tuple[int, ...]

    @property
    def positions(self) -> int:
        """Rows of the matrix product for one sample."""
        return prod(self.node.output_shape[:-1])


@dataclass(frozen=True, slots=True)
class Plan:
    """A network ready to run. `slots[i]` is where tensor i lives (-1: the caller's input or output)."""

    network: IntegerNetwork
    steps: tuple[Step, ...]
    slots: tuple[int, ...]
    slot_elements: tuple[int, ...]

    @property
    def bytes_per_sample(self) -> int:
        """Memory for one sample's tensors, input and output included."""
        ends = prod(self.network.input_shape) + 4 * prod(self.network.output_shape)
        padded = max((step.gathering.padded_elements for step in self.steps if step.gathering), default=0)
        return sum(self.slot_elements) + padded + ends


def make_plan(network: IntegerNetwork, *, int8: bool) -> Plan:
    """The plan of a valid network; `int8`: whether the int8 engine may be used."""
    steps = tuple(_step(network, node, int8) for node in network.nodes)
    slots, elements = _assign_slots(network)
    return Plan(network, steps, slots, elements)


def _step(network: IntegerNetwork, node: Node, int8: bool) -> Step:
    source = network.shape_of(node.inputs[0])
    fan_in = fan_in_of(node, source)
    gathering = _gathering(node, source) if node.op is Op.CONV2D else None
    product = taps = None
    bound = 0
    if node.op in WEIGHTED and node.weight is not None:
        bound = _partial_sum_bound(node.weight, *_range_of(network, node.inputs[0]))
    if node.op in (Op.DENSE, Op.CONV2D) and node.weight is not None:
        weight = node.weight if gathering is None else expanded(node, gathering.words)
        fan_in = weight.shape[1]
        product = matmul.prepare(weight, bound, int8=int8)
    if node.op is Op.DEPTHWISE_CONV2D and node.weight is not None:
        taps = np.ascontiguousarray(node.weight.T)
    geometry: tuple[int, ...] = ()
    if node.op in WINDOWED:
        geometry = (*source, *node.output_shape[:2], *node.kernel, *node.stride, *node.padding[:2])
    return Step(
        node=node,
        fan_in=fan_in,
        target_elements=prod(node.output_shape),
        geometry=geometry,
        gathering=gathering,
        product=product,
        taps=taps,
        table=_table(node),
        rescaling=_rescaling(node, bound),
        source_elements=tuple(prod(network.shape_of(tensor)) for tensor in node.inputs),
    )


def _table(node: Node) -> npt.NDArray[np.int8] | npt.NDArray[np.int32] | None:
    if node.weight is None or node.op not in TABLES:
        return None
    rows = node.weight.reshape(256, 1) if node.op is Op.LOOKUP else node.weight
    signed = np.arange(256).astype(np.uint8).view(np.int8).astype(np.intp)
    found: npt.NDArray[np.int32] = rows[np.minimum(signed + 128, len(rows) - 1)].astype(np.int32).reshape(-1)
    found = found.clip(node.low, node.high)
    # The last node may clamp to anything, and so may give what does not fit int8.
    return found.astype(np.int8) if node.low >= -128 and node.high <= 127 else found


def _range_of(network: IntegerNetwork, tensor: int) -> tuple[int, int]:
    """The least and the largest value that a tensor can hold, with zero, which padding adds."""
    if tensor == 0:
        return -128, 127
    node = network.nodes[tensor - 1]
    return min(node.low, 0), max(node.high, 0)


def _partial_sum_bound(weight: Int8Array, low: int, high: int) -> int:
    """The largest magnitude of any sum of any part of a row's products, for inputs between low <= 0 and high >= 0."""
    positive = np.maximum(weight, 0).sum(axis=1, dtype=np.int64)
    negative = positive - weight.sum(axis=1, dtype=np.int64)
    most = positive * high - negative * low
    least = positive * low - negative * high
    return int(max(most.max(), -least.min()))


def _gathering(node: Node, source: Shape) -> Gathering | None:
    """None for a convolution that reads one pixel after the other: its input is the matrix already."""
    if node.kernel == node.stride == (1, 1):
        return None
    height, width, channels = source
    top, left, bottom, right = node.padding
    padded = (top + height + bottom, left + width + right)
    words = -(-node.kernel[1] * channels // WORD)
    geometry = (*padded, channels, *node.output_shape[:2], node.kernel[0], *node.stride, words)
    return Gathering((height, width, channels), geometry, prod(padded) * channels, words)


def expanded(node: Node, words: int) -> Int8Array:
    """The weights of a convolution with each kernel row filled up by zeros to whole words; int8 (units, fan_in)."""
    if node.weight is None:
        raise Bug(f"{node.op.name} without weights")
    units, tall = len(node.weight), node.kernel[0]
    rows = np.zeros((units, tall, words * WORD), dtype=np.int8)
    rows[:, :, : node.weight.shape[1] // tall] = node.weight.reshape(units, tall, -1)
    return rows.reshape(units, -1)


def _rescaling(node: Node, bound: int) -> Rescaling | None:
    if node.requantisation is None:
        return None
    multiplier = node.requantisation.multiplier
    shift = node.requantisation.shift.astype(np.int64)
    bias = (node.bias if node.bias is not None else np.zeros(1, dtype=np.int32)).astype(np.int64)
    if bound + int(np.abs(bias).max()) < matmul.INT32_BOUND:
        bias = bias.astype(np.int32)
    times = -(-_VECTOR // len(bias)) if node.weight is not None else 1
    return Rescaling(
        bias=np.tile(bias, times),
        multiplier=np.tile(multiplier, times),
        half=np.tile(np.int64(1) << (shift - 1), times),
        shift=np.tile(shift, times),
    )


def kept(plan: Plan) -> Plan:
    """The plan with a slot for each tensor, so that all of them are there in the end."""
    elements = tuple(step.target_elements for step in plan.steps[:-1])
    return replace(plan, slots=(-1, *range(len(elements)), -1), slot_elements=elements)


def _assign_slots(network: IntegerNetwork) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First fit by liveness: a tensor takes the free slot that grows least, or a new one."""
    last = last_uses(network)
    slots = [-1] * len(last)
    elements: list[int] = []
    free: set[int] = set()
    for index in range(len(network.nodes) - 1):
        tensor = index + 1
        size = prod(network.shape_of(tensor))
        if free:
            slot = min(free, key=lambda s: (max(size - elements[s], 0), elements[s]))
            free.remove(slot)
            elements[slot] = max(elements[slot], size)
        else:
            slot = len(elements)
            elements.append(size)
        slots[tensor] = slot
        free.update(slots[t] for t in range(1, tensor + 1) if last[t] == index)
    return tuple(slots), tuple(elements)
