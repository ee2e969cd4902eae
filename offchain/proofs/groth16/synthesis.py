"""From a circuit's description to its constraints: the statement of docs/proofs.md, node by node.

Nothing here is random but one number, the challenge: the hash of model, chunk and every bit that determines what the
prover says its matrix products are. Ranges are shown bit by bit. Lookup arguments would need each looked-up limb fixed
by the hash on its own: of a packed sum of limbs that are not yet in range, a forger can choose the limbs after it has
seen the challenge.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from offchain.errors import Rejected
from offchain.model.graph import Op
from offchain.model.windows import WINDOWED
from offchain.proofs.circuit import MULTIPLIER_BITS, Circuit
from offchain.proofs.groth16.layout import (
    Layout,
    Scale,
    element_sources,
    excess_bits,
    make_layout,
    scale_shift,
)
from offchain.proofs.groth16.products import product_checks
from offchain.proofs.groth16.r1cs import (
    Builder,
    Sum,
    System,
    Wires,
    constants,
    powers_of_two,
    summed,
    weighted,
    wires_of,
)
from offchain.proofs.groth16.sponge import hash_wires
from offchain.proofs.poseidon2 import CHALLENGE, CHUNK, MODEL

VERSION = 1
"""Goes up when a circuit's constraints change: keys of other constraints prove nothing."""

_MOST_TERMS = 1 << 24
_PACK_BITS = 248
_STREAM_BITS = 253
"""A sum of 253 bits is below the field's order, so these bits and no others have it."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's elements as sums: offset + the sum of weights[k] * wires[i, k]; values are within low and high."""

    wires: Wires
    weights: tuple[int, ...]
    offset: int
    low: int
    high: int

    def at(self, index: Wires) -> Sum:
        """Elements `index`, in its order."""
        return weighted(self.wires[index], self.weights).plus(self.offset)

    def all(self) -> Sum:
        """All elements."""
        return self.at(np.arange(len(self.wires)))


def synthesise(circuit: Circuit, left_out: str | None = None) -> tuple[System, Layout]:
    """The circuit's constraints, and where a witness goes. `left_out`: a group that tests leave out.

    Raises Rejected when the circuit is too large, before it takes the memory.
    """
    if circuit.samples * sum(_window_terms(circuit, index) for index in range(len(circuit.nodes))) > _MOST_TERMS:
        raise Rejected("circuit: windows see too much for groth16; take fewer samples to a chunk, or ultrahonk")
    builder = Builder(2, left_out)
    layout = make_layout(circuit, builder)
    chunk = _chunk(circuit, layout, builder)
    model = _model(circuit, layout, builder)
    right = _network(circuit, layout, builder)
    stream = _stream(layout, builder)
    challenge = builder.define(
        "challenge", hash_wires(builder, "challenge", CHALLENGE, np.concatenate([model, chunk, stream]))
    )
    tensors = _tensors(circuit, layout)
    for index in layout.units:
        source = tensors[circuit.nodes[index].inputs[0]]
        product_checks(circuit, layout.units[index], index, source.at, challenge, builder)
    _statement(layout, model, chunk, right, builder)
    return builder.system(), layout


def _window_terms(circuit: Circuit, index: int) -> int:
    """Input elements that the windows of node `index` see in a sample, each as often as it is seen."""
    node = circuit.nodes[index]
    if node.op not in WINDOWED:
        return 0
    return prod(node.output_shape[:2]) * prod(node.kernel) * circuit.shape_of(node.inputs[0])[2]


def _bits(group: str, builder: Builder, *bits: Wires) -> None:
    every = wires_of(np.concatenate([part.reshape(-1) for part in bits]))
    builder.constrain(group, every, every, every)


def _number(bits: Wires) -> Sum:
    return weighted(bits, powers_of_two(bits.shape[-1]))


def _packed(builder: Builder, group: str, numbers: Wires, width: int = 0, offset: int = 0) -> Wires:
    """The elements of `pack(width, number + offset)`: numbers (n, bits), the first most significant; width 0: bits."""
    bits = numbers.shape[-1]
    width = width or bits
    at_once = _PACK_BITS // width
    whole = len(numbers) // at_once * at_once
    made = []
    for part in (numbers[:whole].reshape(-1, at_once, bits), numbers[np.newaxis, whole:]):
        if part.size:
            places = [1 << (width * k) for k in range(part.shape[1])]
            weights = [place << i for place in places for i in range(bits)]
            total = weighted(part[:, ::-1].reshape(len(part), part.shape[1] * bits), weights).plus(offset * sum(places))
            made.append(builder.define(group, total))
    return np.concatenate(made)


def _chunk(circuit: Circuit, layout: Layout, builder: Builder) -> Wires:
    """Its hash, one wire."""
    _bits("input bits", builder, layout.inputs)
    _bits("label bits", builder, layout.labels)
    width = prod(circuit.input_shape)
    samples = [
        _packed(builder, "chunk packing", layout.inputs[start : start + width])
        for start in range(0, len(layout.inputs), width)
    ]
    elements = np.concatenate([*samples, _packed(builder, "chunk packing", layout.labels)])
    return builder.define("chunk hash", hash_wires(builder, "chunk hash", CHUNK, elements))


def _model(circuit: Circuit, layout: Layout, builder: Builder) -> Wires:
    """Its hash, one wire."""
    elements = []
    for index, units in layout.units.items():
        _bits("weight bits", builder, units.weight)
        _bits("bias bits", builder, units.bias)
        _bits("multiplier bits", builder, units.multiplier)
        offset = (1 << 31) - (1 << circuit.nodes[index].bias_bits)
        elements.append(_packed(builder, "model packing", units.weight.reshape(-1, 8)))
        elements.append(_packed(builder, "model packing", units.bias, 32, offset))
        elements.append(_packed(builder, "model packing", units.multiplier, MULTIPLIER_BITS + circuit.shift))
    elements += [layout.salt, layout.prover]
    return builder.define("model hash", hash_wires(builder, "model hash", MODEL, np.concatenate(elements)))


def _tensors(circuit: Circuit, layout: Layout) -> list[Tensor]:
    """All tensors but the last, by id."""
    tensors = [Tensor(layout.inputs, tuple(powers_of_two(8)), -128, -128, 127)]
    for index, node in enumerate(circuit.nodes[:-1]):
        if index in layout.scales:
            bits = layout.scales[index].output
            tensors.append(Tensor(bits, tuple(powers_of_two(bits.shape[1])), node.low, node.low, node.high))
        else:
            wires = layout.pools[index].largest[:, np.newaxis]
            tensors.append(Tensor(wires, (1,), 0, *circuit.bounds_of(node.inputs[0])))
    return tensors


def _network(circuit: Circuit, layout: Layout, builder: Builder) -> Sum:
    """Every node's outputs follow from its inputs, and from what the weights are said to make of them; the number of
    samples that count as right, one combination."""
    tensors = _tensors(circuit, layout)
    last = len(circuit.nodes) - 1
    for index, node in enumerate(circuit.nodes):
        if node.op is Op.MAX_POOL2D:
            _pool(layout, index, tensors[node.inputs[0]], builder)
        if index in layout.scales:
            value = _before_scale(circuit, layout, index, tensors, builder)
            output = _last_outputs(layout) if index == last else _number(layout.scales[index].output)
            shift = scale_shift(circuit, index) or 0
            _requantised(layout.scales[index], value, output, (node.low, node.high), shift, builder)
            assert excess_bits(circuit, index) == layout.scales[index].excess.shape[1]
    return _winners(circuit, layout, builder)


def _before_scale(circuit: Circuit, layout: Layout, index: int, tensors: list[Tensor], builder: Builder) -> Sum:
    """What is shifted right: accumulator * multiplier + half, of each output element."""
    node = circuit.nodes[index]
    half = 1 << (node.shift - 1) if node.shift else 0
    if node.op is Op.ADD:
        first, second = (tensors[t].all().times(m) for t, m in zip(node.inputs, node.multipliers, strict=True))
        return (first + second).plus(half)
    if node.op is Op.AVERAGE_POOL2D:
        targets, sources = element_sources(circuit, index)
        elements = tensors[node.inputs[0]].at(sources)
        total = summed(elements, targets, circuit.samples * prod(node.output_shape))
        return total.times(node.multipliers[0]).plus(half)
    if node.op is Op.MAX_POOL2D:
        return wires_of(layout.pools[index].largest)
    units = layout.units[index]
    rows, channels = units.products.shape
    bias = builder.define("bias", _number(units.bias).plus(-(1 << node.bias_bits)))
    multiplier = builder.define("multiplier", _number(units.multiplier))
    # With a multiplier that is not 0, what follows from it fixes the product: nothing is left to choose after the
    # challenge.
    builder.constrain("multiplier not 0", wires_of(multiplier), wires_of(units.inverse), constants(channels, 1))
    accumulator = wires_of(units.products) + wires_of(np.tile(bias, rows))
    scaled = builder.product("scaled", accumulator, wires_of(np.tile(multiplier, rows)))
    return wires_of(scaled).plus(1 << (circuit.shift - 1))


def _requantised(scale: Scale, value: Sum, output: Sum, bounds: tuple[int, int], shift: int, builder: Builder) -> None:
    """clamp(value >> shift) = low + output: with e = value - (low + output) 2^shift, 0 <= e < 2^shift inside; at the
    upper bound 0 <= e; at the lower bound e < 2^shift. The excess is e, at the lower bound 2^shift - 1 - e."""
    low, high = bounds
    _bits("excess bits", builder, scale.excess)
    _bits("flags", builder, scale.lower, scale.upper)
    lower, upper = wires_of(scale.lower), wires_of(scale.upper)
    e = (value - output.times(1 << shift)).plus(-low * (1 << shift))
    turned = e.times(-2).plus((1 << shift) - 1)
    builder.constrain("excess", lower, turned, _number(scale.excess) - e)
    above = scale.excess[:, shift:]
    if above.shape[1]:
        inside = (lower + upper).times(-1).plus(1)
        builder.constrain("inside", inside, _number(above))
    builder.constrain("at the lower bound", lower, output)
    builder.constrain("at the upper bound", upper, output.plus(low - high))
    if len(scale.output):
        _bits("output bits", builder, scale.output)
    if len(scale.room):
        _bits("output room bits", builder, scale.room)
        builder.zero("output room", (output + _number(scale.room)).plus(low - high))


def _pool(layout: Layout, index: int, source: Tensor, builder: Builder) -> None:
    """The largest is one of the elements, and no element is larger."""
    pool = layout.pools[index]
    _bits("pool gap bits", builder, pool.gaps)
    gaps = wires_of(pool.largest[pool.targets]) - source.at(pool.sources)
    builder.zero("pool gaps", gaps - _number(pool.gaps))
    order = np.argsort(pool.targets, kind="stable")
    starts = np.searchsorted(pool.targets[order], np.arange(len(pool.largest) + 1))
    product = builder.define("pool member", _number(pool.gaps[order[starts[:-1]]])).copy()
    for step in range(1, int(np.diff(starts).max())):
        # windows at the border have fewer elements
        some = np.flatnonzero(np.diff(starts) > step)
        factor = _number(pool.gaps[order[starts[some] + step]])
        product[some] = builder.product("pool member", wires_of(product[some]), factor)
    builder.zero("pool member is one", wires_of(product))


def _last_outputs(layout: Layout) -> Sum:
    """Outputs of the last node - low: best - gap, and 1 less for the classes before the choice."""
    winner = layout.winner
    samples, classes = winner.choice.shape
    best = _number(np.repeat(winner.best, classes, axis=0))
    return best - _number(winner.gaps.reshape(samples * classes, -1)) - _later(winner.choice)


def _later(choice: Wires) -> Sum:
    """For each sample and class: whether the choice is a later class."""
    samples, classes = choice.shape
    target, chosen = np.triu_indices(classes, 1)
    rows = (np.arange(samples)[:, None] * classes + target).reshape(-1)
    wires = choice[:, chosen].reshape(-1)
    return Sum(samples * classes, rows, wires, np.zeros(len(rows), dtype=np.int64), (1,))


def _winners(circuit: Circuit, layout: Layout, builder: Builder) -> Sum:
    """Each sample's choice has the largest output, and is the first of those; it counts as right only if it is the
    label."""
    winner, node = layout.winner, circuit.nodes[-1]
    samples, classes = winner.choice.shape
    _bits("choice bits", builder, winner.choice)
    _bits("best bits", builder, winner.best, winner.room, winner.margin)
    _bits("gap bits", builder, winner.gaps)
    _bits("right bits", builder, winner.right)
    chosen = weighted(winner.choice, [1] * classes)
    builder.zero("one choice", chosen.plus(-1))
    if len(winner.room):
        builder.zero("best room", (_number(winner.best) + _number(winner.room)).plus(node.low - node.high))
    # An output that leaves the bounds downwards is not held at low here, so low itself must not win against an earlier
    # class.
    not_first = weighted(winner.choice[:, 1:], [1] * (classes - 1)) if classes > 1 else constants(samples, 0)
    builder.zero("margin", _number(winner.best) - not_first - _number(winner.margin))
    builder.constrain("choice is best", wires_of(winner.choice), _number(winner.gaps.reshape(samples * classes, -1)))
    label = _number(layout.labels)
    builder.constrain("right", wires_of(winner.right), weighted(winner.choice, list(range(classes))) - label)
    return weighted(winner.right[np.newaxis], [1] * samples)


def _stream(layout: Layout, builder: Builder) -> Wires:
    """Every bit that, with model and chunk, determines the products: the wires that the challenge is hashed of."""
    winner = layout.winner
    bits = [winner.choice, winner.best, winner.gaps]
    for index in layout.units:
        scale = layout.scales[index]
        bits += [scale.excess, scale.lower, scale.output]
    flat = np.concatenate([part.reshape(-1) for part in bits])
    whole = len(flat) // _STREAM_BITS * _STREAM_BITS
    parts = [flat[:whole].reshape(-1, _STREAM_BITS), flat[np.newaxis, whole:]]
    return np.concatenate([builder.define("challenge packing", _number(part)) for part in parts if part.size])


def _statement(layout: Layout, model: Wires, chunk: Wires, right: Sum, builder: Builder) -> None:
    """value = modelHash + c (chunkHash + c (correct + c prover)) for the public challenge c and value."""
    challenge, value = wires_of(layout.public[:1]), wires_of(layout.public[1:])
    total = wires_of(layout.prover)
    for part in (right, wires_of(chunk)):
        total = wires_of(builder.product("statement", total, challenge)) + part
    builder.constrain("statement value", total, challenge, value - wires_of(model))
