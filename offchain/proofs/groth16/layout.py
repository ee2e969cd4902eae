"""Where a witness puts what it chooses: the wires that no constraint defines, node by node.

Numbers are held by their bits, the lowest first along the last axis. All rows of a node run over samples, then
positions, then channels, as its output does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from offchain.model.graph import Op
from offchain.model.windows import WEIGHTED
from offchain.proofs.bounds import headroom
from offchain.proofs.circuit import Circuit, CircuitNode
from offchain.proofs.groth16.r1cs import Builder, Wires

LABEL_BITS = 16


@dataclass(frozen=True, slots=True)
class Units:
    """What a weighted node owns: weight + 128 (units, fan-in, 8), bias + 2^b (units, b + 1) with b its public width,
    scaled multiplier (units, its width) and its inverse (units,), and what the weights make of each input, `products`
    (rows, units)."""

    weight: Wires
    bias: Wires
    multiplier: Wires
    inverse: Wires
    products: Wires


@dataclass(frozen=True, slots=True)
class Scale:
    """Of each requantised element: `excess` (n, shift + headroom), and whether it is held at the lower or upper bound.

    output: out - low (n, k); room: high - out (n, k), where k bits hold more than that. Both have no elements if this
    is the last node, whose outputs `Winner` holds.
    """

    excess: Wires
    lower: Wires
    upper: Wires
    output: Wires
    room: Wires


@dataclass(frozen=True, slots=True)
class Pool:
    """Of each window: its `largest` (n,); `gaps` (m, k) to it of all elements, those of padding left out.

    targets, sources: (m,), which window and which input element a gap is of.
    """

    largest: Wires
    gaps: Wires
    targets: Wires
    sources: Wires


@dataclass(frozen=True, slots=True)
class Winner:
    """Of each sample: one-hot `choice` (n, classes), `best` output - low (n, k) and `room` to high, `margin` (n, k):
    how far it is above low, less 1 if it is not the first; `gaps` (n, classes, k): best - out, less 1 for classes
    before it.

    right: (n,), whether the choice counts as right.
    """

    choice: Wires
    best: Wires
    room: Wires
    margin: Wires
    gaps: Wires
    right: Wires


@dataclass(frozen=True, slots=True)
class Layout:
    """public: the digest's challenge and value. units, scales, pools: by node, for those that have them."""

    public: Wires
    salt: Wires
    prover: Wires
    inputs: Wires
    labels: Wires
    units: dict[int, Units]
    scales: dict[int, Scale]
    pools: dict[int, Pool]
    winner: Winner


def make_layout(circuit: Circuit, builder: Builder) -> Layout:
    """Allocates, in a fixed order, before any other wire; the builder has two public wires."""
    samples = circuit.samples
    inputs = builder.allocate(samples * prod(circuit.input_shape), 8)
    labels = builder.allocate(samples, LABEL_BITS)
    salt, prover = builder.allocate(1), builder.allocate(1)
    units: dict[int, Units] = {}
    scales: dict[int, Scale] = {}
    pools: dict[int, Pool] = {}
    for index, node in enumerate(circuit.nodes):
        last = index == len(circuit.nodes) - 1
        if node.op in WEIGHTED:
            units[index] = _units(circuit, index, builder)
        if node.op is Op.MAX_POOL2D:
            pools[index] = _pool(circuit, index, builder)
        if scale_shift(circuit, index) is not None:
            scales[index] = _scale(circuit, index, builder, last)
    winner = _winner(circuit, builder)
    return Layout(np.arange(1, 3), salt, prover, inputs, labels, units, scales, pools, winner)


def scale_shift(circuit: Circuit, index: int) -> int | None:
    """The shift of a node's requantisation; 0 for a pool that only clamps; None for one that does nothing to its
    values."""
    node = circuit.nodes[index]
    if node.op in WEIGHTED:
        return circuit.shift
    if node.op is not Op.MAX_POOL2D:
        return node.shift
    low, high = circuit.bounds_of(node.inputs[0])
    last = index == len(circuit.nodes) - 1
    return 0 if last or low < node.low or high > node.high else None


def excess_bits(circuit: Circuit, index: int) -> int:
    """Bits of the distance between what is requantised and what it is requantised to."""
    node, shift = circuit.nodes[index], scale_shift(circuit, index)
    if node.op is Op.MAX_POOL2D:
        # what is clamped off; its bounds may lie beside the input's, and then that is more than the input's spread
        return max(headroom(circuit, index), 1)
    return (shift or 0) + headroom(circuit, index)


def spread_bits(low: int, high: int) -> int:
    """Bits of the numbers 0 .. high - low."""
    return max((high - low).bit_length(), 1)


def is_exact(low: int, high: int) -> bool:
    """Whether `spread_bits` bits hold no number above high - low."""
    return high - low == (1 << spread_bits(low, high)) - 1


def window_sources(circuit: Circuit, index: int) -> npt.NDArray[np.int64]:
    """(rows * columns, kernel height * kernel width): pixel of the node's input at each place, or -1 in the padding."""
    node = circuit.nodes[index]
    height, width = circuit.shape_of(node.inputs[0])[:2]
    rows, columns = node.output_shape[:2]
    y = (np.arange(rows) * node.stride[0] - node.padding[0])[:, None] + np.arange(node.kernel[0])
    x = (np.arange(columns) * node.stride[1] - node.padding[1])[:, None] + np.arange(node.kernel[1])
    pixel = y[:, None, :, None] * width + x[None, :, None, :]
    inside = ((y >= 0) & (y < height))[:, None, :, None] & ((x >= 0) & (x < width))[None, :, None, :]
    return np.where(inside, pixel, -1).reshape(rows * columns, -1)


def element_sources(circuit: Circuit, index: int) -> tuple[Wires, Wires]:
    """(targets, sources) of a window over each channel alone, all samples: output and input element; no padding."""
    node = circuit.nodes[index]
    height, width, channels = circuit.shape_of(node.inputs[0])
    pixels = window_sources(circuit, index)
    outputs, size = pixels.shape[0] * channels, height * width * channels
    channel = np.arange(channels)
    sources = np.where(pixels[:, :, None] < 0, -1, pixels[:, :, None] * channels + channel)
    targets = np.broadcast_to(np.arange(outputs).reshape(-1, 1, channels), sources.shape)
    kept = sources >= 0
    sample = np.arange(circuit.samples)[:, None]
    return (sample * outputs + targets[kept]).reshape(-1), (sample * size + sources[kept]).reshape(-1)


def _units(circuit: Circuit, index: int, builder: Builder) -> Units:
    node = circuit.nodes[index]
    rows = circuit.samples * prod(node.output_shape) // node.units
    return Units(
        builder.allocate(node.units, circuit.fan_in(index), 8),
        builder.allocate(node.units, node.bias_bits + 1),
        builder.allocate(node.units, node.multiplier_bits),
        builder.allocate(node.units),
        builder.allocate(rows, node.units),
    )


def _scale(circuit: Circuit, index: int, builder: Builder, last: bool) -> Scale:
    node = circuit.nodes[index]
    count = 0 if last else circuit.samples * prod(node.output_shape)
    bits = spread_bits(node.low, node.high)
    elements = circuit.samples * prod(node.output_shape)
    return Scale(
        builder.allocate(elements, excess_bits(circuit, index)),
        builder.allocate(elements),
        builder.allocate(elements),
        builder.allocate(count, bits),
        builder.allocate(0 if is_exact(node.low, node.high) else count, bits),
    )


def _pool(circuit: Circuit, index: int, builder: Builder) -> Pool:
    node = circuit.nodes[index]
    targets, sources = element_sources(circuit, index)
    bits = spread_bits(*circuit.bounds_of(node.inputs[0]))
    largest = builder.allocate(circuit.samples * prod(node.output_shape))
    return Pool(largest, builder.allocate(len(targets), bits), targets, sources)


def _winner(circuit: Circuit, builder: Builder) -> Winner:
    node: CircuitNode = circuit.nodes[-1]
    samples, classes, bits = circuit.samples, circuit.output_count, spread_bits(node.low, node.high)
    return Winner(
        builder.allocate(samples, classes),
        builder.allocate(samples, bits),
        builder.allocate(0 if is_exact(node.low, node.high) else samples, bits),
        builder.allocate(samples, bits),
        builder.allocate(samples, classes, bits),
        builder.allocate(samples),
    )
