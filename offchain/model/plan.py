"""What the fast evaluator works out about a network once: prepared weights and a slot of memory for each tensor."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.model import matmul
from offchain.model.graph import Int8Array, IntegerNetwork, Node, Op, Shape
from offchain.model.liveness import last_uses
from offchain.model.windows import WINDOWED, fan_in_of

WORD = 8
"""Bytes that im2col copies at once."""

SLACK = 64
"""Bytes that padded images need beyond their end, where the last word may reach."""

_VECTOR = 256
"""Parameters are repeated to at least this many elements, so that requantisation runs in long vectors."""


@dataclass(frozen=True, slots=True)
class Rescaling:
    """The constants of the fused pass, each a contiguous array: bias, multiplier int32; half, shift int64."""

    bias: npt.NDArray[np.int32]
    multiplier: npt.NDArray[np.int32]
    half: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gathering:
    """How a convolution's windows become rows: see `gathering`. `padded_elements`: one sample's framed image."""

    image: tuple[int, int, int]
    geometry: tuple[int, ...]
    padded_elements: int
    words: int


@dataclass(frozen=True, slots=True)
class Step:
    """One node, ready to run. `fan_in` is the length of a row of the matrix product; `geometry` as in `kernels`."""

    node: Node
    fan_in: int
    target_elements: int
    geometry: tuple[int, ...]
    gathering: Gathering | None
    product: matmul.Multiplier | None
    taps: npt.NDArray[np.int8] | None
    rescaling: Rescaling | None

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
    if node.op in (Op.DENSE, Op.CONV2D) and node.weight is not None:
        bound = _partial_sum_bound(node.weight, *_range_of(network, node.inputs[0]))
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
        rescaling=_rescaling(node),
    )


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


def _rescaling(node: Node) -> Rescaling | None:
    if node.requantisation is None:
        return None
    multiplier = node.requantisation.multiplier
    shift = node.requantisation.shift.astype(np.int64)
    bias = node.bias if node.bias is not None else np.zeros(1, dtype=np.int32)
    times = -(-_VECTOR // len(bias)) if node.weight is not None else 1
    return Rescaling(
        bias=np.tile(bias, times),
        multiplier=np.tile(multiplier, times),
        half=np.tile(np.int64(1) << (shift - 1), times),
        shift=np.tile(shift, times),
    )


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
