"""What the fast evaluator works out about a network once: prepared weights and a slot of memory for each tensor."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.model import matmul
from offchain.model.graph import IntegerNetwork, Node, Op
from offchain.model.liveness import last_uses
from offchain.model.validation import accumulator_bounds
from offchain.model.windows import WINDOWED, fan_in_of

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
class Step:
    """One node, ready to run. `geometry` as in `kernels`; `gathered`: whether im2col is needed before the product."""

    node: Node
    fan_in: int
    source_elements: int
    target_elements: int
    geometry: tuple[int, ...]
    gathered: bool
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
        return sum(self.slot_elements) + ends


def make_plan(network: IntegerNetwork, *, int8: bool) -> Plan:
    """The plan of a valid network; `int8`: whether the int8 engine may be used."""
    steps = tuple(_step(network, node, int8) for node in network.nodes)
    slots, elements = _assign_slots(network)
    return Plan(network, steps, slots, elements)


def _step(network: IntegerNetwork, node: Node, int8: bool) -> Step:
    source = network.shape_of(node.inputs[0])
    fan_in = fan_in_of(node, source)
    product = None
    if node.op in (Op.DENSE, Op.CONV2D) and node.weight is not None:
        product = matmul.prepare(node.weight, int(accumulator_bounds(node, fan_in).max()), int8=int8)
    taps = None
    if node.op is Op.DEPTHWISE_CONV2D and node.weight is not None:
        taps = np.ascontiguousarray(node.weight.T)
    geometry: tuple[int, ...] = ()
    if node.op in WINDOWED:
        geometry = (*source, *node.output_shape[:2], *node.kernel, *node.stride, *node.padding[:2])
    pointwise = node.kernel == node.stride == (1, 1)
    return Step(
        node=node,
        fan_in=fan_in,
        source_elements=prod(source),
        target_elements=prod(node.output_shape),
        geometry=geometry,
        gathered=node.op is Op.CONV2D and not pointwise,
        product=product,
        taps=taps,
        rescaling=_rescaling(node),
    )


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
