"""A witness: what the prover knows, put onto the layout's wires; the rest follows by solving the constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.errors import Bug
from offchain.model import oracle
from offchain.model.graph import Int64Array, IntegerNetwork, Node, Op
from offchain.model.windows import WEIGHTED
from offchain.proofs.circuit import Circuit, scaled_multipliers
from offchain.proofs.field import ORDER, Element
from offchain.proofs.groth16 import vectors
from offchain.proofs.groth16.layout import Layout, Scale, Winner, scale_shift, window_sources
from offchain.proofs.groth16.limbs import Words
from offchain.proofs.groth16.r1cs import ONE, System, Wires
from offchain.proofs.statement import Chunk, Statement

Integers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Solved:
    """A witness, Montgomery rows (wires, 4), and (a . w, b . w) of every constraint."""

    wires: Words
    a: Words
    b: Words


def public_inputs(statement: Statement) -> tuple[int, int]:
    """The two public inputs of the circuit: c, a hash of the four numbers, and modelHash + c chunkHash + c^2 correct +
    c^3 prover. Two numbers and not four save 12,300 gas; the contract computes them as this does."""
    numbers = statement.elements()
    challenge = int.from_bytes(keccak(encode(["uint256"] * 4, list(numbers))), "big") >> 3
    model, chunk, correct, prover = numbers
    return challenge, (model + challenge * (chunk + challenge * (correct + challenge * prover))) % ORDER


def make_witness(
    circuit: Circuit,
    system: System,
    layout: Layout,
    network: IntegerNetwork,
    chunk: Chunk,
    statement: Statement,
    salt: Element,
) -> Solved:
    """The witness of a true statement; `statement.correct` may be less than what is true. Raises Bug if it is not."""
    wires = assign(circuit, system, layout, network, chunk, statement, salt)
    a, b = vectors.solve(system, wires)
    broken = broken_groups(system, Solved(wires, a, b))
    if broken:
        raise Bug(f"constraints do not hold: {', '.join(sorted(broken))}")
    return Solved(wires, a, b)


def assign(
    circuit: Circuit,
    system: System,
    layout: Layout,
    network: IntegerNetwork,
    chunk: Chunk,
    statement: Statement,
    salt: Element,
) -> Words:
    """Montgomery rows (wires, 4) with all wires set that no constraint defines."""
    wires = np.zeros((system.wires, 4), dtype=np.uint64)
    wires[ONE] = vectors.ONE
    _put(wires, layout.public, list(public_inputs(statement)))
    _put(wires, layout.salt, [salt])
    _put(wires, layout.prover, [statement.prover])
    _put_bits(wires, layout.inputs, chunk.inputs.astype(np.int64).reshape(-1) + 128)
    _put_bits(wires, layout.labels, chunk.labels.astype(np.int64))
    tensors = oracle.trace(network, chunk.inputs)
    for index, node in enumerate(network.nodes):
        inputs = [tensors[tensor] for tensor in node.inputs]
        if node.op in WEIGHTED:
            _put_units(circuit, wires, layout, index, node)
        value = _values(circuit, wires, layout, index, node, inputs)
        if index in layout.scales:
            _put_scale(circuit, wires, layout, index, node, value, tensors[index + 1])
    outputs = tensors[-1].reshape(len(chunk), -1)
    _put_winner(wires, layout.winner, network.nodes[-1], outputs, chunk, statement.correct)
    return wires


def broken_groups(system: System, solved: Solved) -> frozenset[str]:
    """The groups with a constraint that does not hold; none for a witness of a true statement."""
    rows = np.flatnonzero(vectors.broken(system, solved.wires, solved.a, solved.b))
    return frozenset(name for name, first, last in system.groups if np.any((rows >= first) & (rows < last)))


def _put(wires: Words, where: Wires, values: list[int]) -> None:
    wires[where.reshape(-1)] = vectors.to_montgomery([value % ORDER for value in values])


def _put_small(wires: Words, where: Wires, values: Integers) -> None:
    """Integers of either sign below 2^62 in magnitude."""
    flat = values.reshape(-1).astype(np.int64)
    rows = np.zeros((len(flat), 4), dtype=np.uint64)
    rows[:, 0] = np.abs(flat).astype(np.uint64)
    rows = vectors.from_plain(rows)
    negative = flat < 0
    rows[negative] = vectors.times(rows[negative], ORDER - 1)
    wires[where.reshape(-1)] = rows


def _put_bits(wires: Words, where: Wires, values: Integers) -> None:
    """Bits of values >= 0, one for each row of `where` (…, bits); int64 or Python integers."""
    flat = where.reshape(-1, where.shape[-1])
    if np.any(values < 0) or np.any(values >> flat.shape[1]):
        raise Bug(f"a value does not fit {flat.shape[1]} bits")
    bits = (values.reshape(-1, 1) >> np.arange(flat.shape[1]).astype(values.dtype)) & 1
    _put_flags(wires, flat, bits.astype(bool))


def _put_flags(wires: Words, where: Wires, flags: npt.NDArray[np.bool_]) -> None:
    wires[where.reshape(-1)[flags.reshape(-1)]] = vectors.ONE


def _put_units(circuit: Circuit, wires: Words, layout: Layout, index: int, node: Node) -> None:
    if node.weight is None or node.bias is None:
        raise Bug(f"{node.op.name} without weights")
    units = layout.units[index]
    _put_bits(wires, units.weight, node.weight.astype(np.int64) + 128)
    _put_bits(wires, units.bias, node.bias.astype(np.int64) + (1 << circuit.nodes[index].bias_bits))
    multipliers = scaled_multipliers(node, circuit.shift)
    _put_bits(wires, units.multiplier, np.array(multipliers, dtype=object))
    wires[units.inverse] = vectors.inverses(vectors.to_montgomery(multipliers))


def _values(
    circuit: Circuit, wires: Words, layout: Layout, index: int, node: Node, inputs: list[Int64Array]
) -> Integers:
    """What is requantised, (n, channels): accumulators of weighted nodes, sums of others. Sets products and pools."""
    if node.op is Op.MAX_POOL2D:
        return _put_pool(wires, layout, index, node, inputs[0])
    if node.op is Op.ADD and node.requantisation is not None:
        first, second = (int(m) for m in node.requantisation.multiplier)
        total: Integers = inputs[0] * first + inputs[1] * second
        return total.reshape(-1, 1)
    if node.op is Op.AVERAGE_POOL2D and node.requantisation is not None:
        sums: Integers = oracle._windows(node, inputs[0], 0).sum(axis=(3, 4)) * int(node.requantisation.multiplier[0])
        return sums.reshape(-1, 1)
    units, bias = layout.units[index], node.bias
    if bias is None:
        raise Bug(f"{node.op.name} without bias")
    products = _products(circuit, index, node, inputs[0])
    _put_small(wires, units.products, products)
    return products + bias.astype(np.int64)


def _products(circuit: Circuit, index: int, node: Node, x: Int64Array) -> Int64Array:
    """Weights times inputs, (rows, units)."""
    weight = node.weight
    if weight is None:
        raise Bug(f"{node.op.name} without weights")
    wide = weight.astype(np.float64)  # exact: sums stay below 2^53, and BLAS multiplies floats only
    if node.op is Op.DENSE:
        result = x.reshape(len(x), -1).astype(np.float64) @ wide.T
    else:
        sources = window_sources(circuit, index)
        pixels = x.reshape(len(x), -1, x.shape[-1]).astype(np.float64)
        padded = np.concatenate([pixels, np.zeros((len(x), 1, x.shape[-1]))], axis=1)
        windows = padded[:, sources]
        if node.op is Op.DEPTHWISE_CONV2D:
            result = np.einsum("npkc,ck->npc", windows, wide)
        else:
            result = windows.reshape(len(x) * len(sources), -1) @ wide.T
    return result.reshape(-1, len(weight)).astype(np.int64)


def _put_pool(wires: Words, layout: Layout, index: int, node: Node, x: Int64Array) -> Integers:
    pool = layout.pools[index]
    largest: Integers = oracle._windows(node, x, np.iinfo(np.int64).min).max(axis=(3, 4)).reshape(-1)
    _put_small(wires, pool.largest, largest)
    _put_bits(wires, pool.gaps, largest[pool.targets] - x.reshape(-1)[pool.sources])
    return largest.reshape(-1, 1)


def _put_scale(
    circuit: Circuit, wires: Words, layout: Layout, index: int, node: Node, value: Integers, output: Int64Array
) -> None:
    scale = layout.scales[index]
    shift = scale_shift(circuit, index) or 0
    out = output.reshape(value.shape)
    lower, upper, excess = _excess(node, shift, scale.excess.shape[1], value, out)
    _put_flags(wires, scale.lower, lower)
    _put_flags(wires, scale.upper, upper)
    _put_bits(wires, scale.excess, excess.reshape(-1))
    _put_outputs(wires, scale, node, out)


def _put_outputs(wires: Words, scale: Scale, node: Node, out: Integers) -> None:
    if len(scale.output):
        _put_bits(wires, scale.output, out.reshape(-1) - node.low)
    if len(scale.room):
        _put_bits(wires, scale.room, node.high - out.reshape(-1))


def _excess(
    node: Node, shift: int, bits: int, value: Integers, out: Integers
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Integers]:
    """(held at the lower bound, at the upper bound, excess of `synthesis._requantised`). value: before the multiplier
    of a weighted node, after it of others; (n, channels)."""
    made = node.requantisation
    multiplier, shifts = np.array([1], dtype=object), np.array([0], dtype=object)
    if made is not None:
        shifts = made.shift.astype(object)
        multiplier = made.multiplier.astype(object) if node.op in WEIGHTED else multiplier
    # What fits int64 is left to it; wide shifts and bounds are rare, and Python integers hold them.
    reach = max(bits, shift + max(abs(node.low), abs(node.high)).bit_length() + 1)
    kind: Any = np.int64 if reach < 62 else object
    halves = np.array([1 << int(s) >> 1 for s in shifts], dtype=kind)
    own = value.astype(kind) * multiplier.astype(kind) + halves
    shifts = shifts.astype(kind)
    quotients = own >> shifts
    lower, upper = (quotients < node.low).astype(bool), (quotients > node.high).astype(bool)
    e = (own - (out.astype(kind) << shifts)) << (shift - shifts)
    turned = ((1 << shift) - 1) - e
    return lower, upper, np.where(lower, turned, e)


def _put_winner(wires: Words, winner: Winner, node: Node, outputs: Int64Array, chunk: Chunk, correct: int) -> None:
    samples, classes = outputs.shape
    choice = outputs.argmax(axis=1)  # the first of equal ones
    best = outputs.max(axis=1)
    _put_flags(wires, winner.choice, np.arange(classes) == choice[:, None])
    _put_bits(wires, winner.best, best - node.low)
    if len(winner.room):
        _put_bits(wires, winner.room, node.high - best)
    _put_bits(wires, winner.margin, best - node.low - (choice > 0))
    _put_bits(wires, winner.gaps, (best[:, None] - outputs - (np.arange(classes) < choice[:, None])).reshape(-1))
    right = np.flatnonzero(choice == chunk.labels)
    if len(right) < correct:
        raise Bug(f"{correct} right samples are claimed, {len(right)} are")
    _put_flags(wires, winner.right, np.isin(np.arange(samples), right[:correct]))
