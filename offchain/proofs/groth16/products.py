"""Matrix products, checked with one random number (Freivalds 1977) for far fewer constraints than terms.

For each output unit, what the weights are said to make of the inputs is weighted by powers of the challenge s, a power
for each sample and position, and added up: Y. The inputs are weighted in the same way, once for each place of the
window: X. Y = W X for every unit is an identity of polynomials in s of degree below 2^40, so it holds at a random s by
accident with probability below 2^-213. A window's places differ by a shift, so an input element is weighted once, not
once for each place: the weight of output position p is s^(E - p), and an element at distance d from its window's
origin has that of p + d.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from offchain.model.graph import Op
from offchain.proofs.circuit import Circuit
from offchain.proofs.groth16.layout import Units, window_sources
from offchain.proofs.groth16.r1cs import Builder, Sum, Wires, constants, powers_of_two, summed, weighted, wires_of


def product_checks(
    circuit: Circuit, units: Units, index: int, source: Callable[[Wires], Sum], challenge: Wires, builder: Builder
) -> None:
    """Constrains `units.products` of node `index`. source: elements of its input, over all samples, by number."""
    node = circuit.nodes[index]
    exponents = _Exponents(circuit, index)
    powers = _powers(builder, challenge, exponents.largest)
    rows, channels = units.products.shape
    said = builder.product(
        "weighted outputs", wires_of(powers[np.repeat(exponents.outputs, channels)]), wires_of(units.products)
    )
    targets = np.tile(np.arange(channels), rows)
    total = summed(wires_of(said), targets, channels)
    places = _weighted_inputs(builder, exponents, source, powers)
    depthwise = node.op is Op.DEPTHWISE_CONV2D
    fan_in = units.weight.shape[1]
    unit, column = np.divmod(np.arange(channels * fan_in), fan_in)
    place = column * channels + unit if depthwise else column
    weights = weighted(units.weight, powers_of_two(8)).plus(-128)
    terms = builder.product("weights times inputs", weights, wires_of(places[place]))
    builder.zero("products", summed(wires_of(terms), unit, channels) - total)


class _Exponents:
    """Of the challenge: for each output row, for each input element, and for each place of the window the elements
    that it sees and the power that takes them to their windows' weights."""

    def __init__(self, circuit: Circuit, index: int) -> None:
        node = circuit.nodes[index]
        samples, shape = circuit.samples, circuit.shape_of(node.inputs[0])
        size = prod(shape)
        sample = np.arange(samples)[:, None]
        if node.op is Op.DENSE:
            self.outputs = np.arange(samples)
            self.inputs = np.repeat(np.arange(samples), size)
            element = np.arange(size)
            self.seen = (sample * size + element).reshape(-1)
            self.places = np.tile(element, samples)
            self.moves = np.zeros(size, dtype=np.int64)
            self.largest = samples - 1
            return
        width, channels = shape[1], shape[2]
        rows, columns = node.output_shape[:2]
        y, x = np.divmod(np.arange(shape[0] * width), width)
        down = (y + node.padding[0]) // node.stride[0]
        across = (x + node.padding[1]) // node.stride[1]
        pixel = down * columns + across
        top = max(int(pixel.max()), rows * columns - 1)
        length = top + 1
        self.outputs = (sample * length + top - np.arange(rows * columns)).reshape(-1)
        self.inputs = np.repeat((sample * length + top - pixel).reshape(-1), channels)
        sources = window_sources(circuit, index)
        position, place = np.nonzero(sources >= 0)
        seen = (sources[position, place] * channels)[:, None] + np.arange(channels)
        at = (place * channels)[:, None] + np.arange(channels)
        self.seen = (sample * size + seen.reshape(-1)).reshape(-1)
        self.places = np.tile(at.reshape(-1), samples)
        kernel_y, kernel_x = np.divmod(np.arange(prod(node.kernel)), node.kernel[1])
        moves = kernel_y // node.stride[0] * columns + kernel_x // node.stride[1]
        self.moves = np.repeat(moves, channels)
        self.largest = max(samples * length - 1, int(self.moves.max()))


def _powers(builder: Builder, challenge: Wires, largest: int) -> Wires:
    """Wires of challenge^0 .. challenge^largest, by doubling: few batches."""
    powers: Wires = np.concatenate([builder.define("powers", constants(1, 1)), challenge])
    while len(powers) <= largest:
        more = min(len(powers), largest + 1 - len(powers))
        step = builder.product("powers", wires_of(powers[-1:]), wires_of(powers[1:2]))
        made = builder.product("powers", wires_of(powers[1:more]), wires_of(np.repeat(step, more - 1)))
        powers = np.concatenate([powers, step, made])
    return powers


def _weighted_inputs(builder: Builder, exponents: _Exponents, source: Callable[[Wires], Sum], powers: Wires) -> Wires:
    """For each place of the window and channel: the sum of what it sees, weighted; one wire each."""
    elements = source(np.arange(len(exponents.inputs)))
    made = builder.product("weighted inputs", elements, wires_of(powers[exponents.inputs]))
    sums = summed(wires_of(made[exponents.seen]), exponents.places, len(exponents.moves))
    places: Wires = builder.product("places", sums, wires_of(powers[exponents.moves]))
    return places
