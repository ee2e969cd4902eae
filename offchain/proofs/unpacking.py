"""What the elements of an opened message are worth: a network, or a chunk of test samples. Pure.

Whoever has proven something about a model has its numbers in their ranges, with one exception: the statement admits
scaled multipliers that no integer network has. These are found here as the contract finds them. Twin of
`HandoverVerifier.sol`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from eth_abi.abi import encode

from offchain.errors import Bug
from offchain.model.graph import IntegerNetwork, Node, Requantisation
from offchain.model.limits import BIAS_BOUND, MULTIPLIER_BOUND
from offchain.model.windows import WEIGHTED
from offchain.proofs.circuit import MULTIPLIER_BITS, Circuit, CircuitNode, as_node
from offchain.proofs.statement import Chunk
from offchain.protocol.hashing import keccak

_PACKED_BITS: Final = 248
_WEIGHT_BITS, _BIAS_BITS, _LABEL_BITS = 8, 32, 16
_BIAS_OFFSET: Final = 1 << 31
_OWN_ELEMENTS: Final = 2
"""Salt and prover, after the parameters."""


@dataclass(frozen=True, slots=True)
class NodeLayout:
    """Where a weighted node's scaled multipliers begin among the model's elements, and how many units it has."""

    first: int
    units: int


@dataclass(frozen=True, slots=True)
class MultiplierFault:
    """A scaled multiplier that no integer network has.

    node: counted among the weighted ones; unit: within it; element: the one that holds it.
    """

    node: int
    unit: int
    element: int


def element_count(circuit: Circuit) -> int:
    """Elements of the circuit's models, salt and prover included."""
    return sum(_elements_of(circuit, index) for index in _weighted(circuit)) + _OWN_ELEMENTS


def layout_of(circuit: Circuit) -> tuple[NodeLayout, ...]:
    """Where the multipliers of each weighted node are, in order."""
    found, start = [], 0
    for index in _weighted(circuit):
        biases = start + _groups(circuit.nodes[index].units * circuit.fan_in(index), _WEIGHT_BITS)
        units = circuit.nodes[index].units
        found.append(NodeLayout(biases + _groups(units, _BIAS_BITS), units))
        start += _elements_of(circuit, index)
    return tuple(found)


def layout_hash(circuit: Circuit) -> bytes:
    """The `layoutHash` of an order for the circuit, 32 bytes."""
    rows = [(node.first, node.units) for node in layout_of(circuit)]
    return keccak(encode(["uint256", "(uint32,uint32)[]"], [circuit.shift, rows]))


def chunk_element_count(circuit: Circuit) -> int:
    """Elements of the circuit's chunks; twin of `chunkElements`."""
    each = _groups(prod(circuit.input_shape), _WEIGHT_BITS)
    return circuit.samples * each + _groups(circuit.samples, _LABEL_BITS)


def chunk_overfills(circuit: Circuit, elements: Sequence[int]) -> int | None:
    """The first element of a chunk that is larger than what is packed into one; None where all are packed samples."""
    size = prod(circuit.input_shape)
    sizes = _packed_bits(size, _WEIGHT_BITS) * circuit.samples + _packed_bits(circuit.samples, _LABEL_BITS)
    return next((at for at, (value, bits) in enumerate(zip(elements, sizes, strict=True)) if value >> bits), None)


def unpack_chunk(circuit: Circuit, elements: Sequence[int]) -> Chunk:
    """The samples of a chunk's elements, none of which overfills."""
    size = prod(circuit.input_shape)
    each = _groups(size, _WEIGHT_BITS)
    rows = [_unpack(_WEIGHT_BITS, elements[at : at + each], size) for at in range(0, circuit.samples * each, each)]
    inputs = (np.array(rows, dtype=np.int16) - 128).astype(np.int8).reshape(circuit.samples, *circuit.input_shape)
    labels = _unpack(_LABEL_BITS, elements[circuit.samples * each :], circuit.samples)
    return Chunk(inputs, np.array(labels, dtype=np.int32))


def multiplier_fault(circuit: Circuit, elements: Sequence[int]) -> MultiplierFault | None:
    """The first multiplier that no integer network has; twin of `breaksMultiplier`."""
    bits = MULTIPLIER_BITS + circuit.shift
    for node, place in enumerate(layout_of(circuit)):
        for unit, scaled in enumerate(_unpack(bits, elements[place.first :], place.units)):
            if unscaled(scaled, circuit.shift) is None:
                return MultiplierFault(node, unit, place.first + unit // (_PACKED_BITS // bits))
    return None


def unscaled(scaled: int, shift: int) -> tuple[int, int] | None:
    """(m, s) with m * 2^(shift - s) = scaled, 0 < m < 2^22 and the smallest 1 <= s <= shift; None if there are none."""
    if scaled == 0:
        return None
    twos = min((scaled & -scaled).bit_length() - 1, shift - 1)
    multiplier = scaled >> twos
    return (multiplier, shift - twos) if multiplier < MULTIPLIER_BOUND else None


def unpack_model(circuit: Circuit, elements: Sequence[int], output_scale: float = 1.0) -> IntegerNetwork:
    """The network of a model's elements, which have no `multiplier_fault`. Salt and prover at the end do not count.

    It computes what was proven, bit by bit; of pairs (multiplier, shift) that do the same it has the smallest shift.
    Only a bias of -2^31, which a circuit of 31 bits admits and no network may have, becomes the next larger one.
    """
    places = iter(layout_of(circuit))
    start = 0
    nodes = []
    for index, node in enumerate(circuit.nodes):
        if node.op not in WEIGHTED:
            nodes.append(_unweighted(node))
            continue
        nodes.append(_weighted_node(circuit, index, elements, start, next(places).first))
        start += _elements_of(circuit, index)
    return IntegerNetwork(circuit.input_shape, tuple(nodes), output_scale)


def _weighted_node(circuit: Circuit, index: int, elements: Sequence[int], start: int, multipliers: int) -> Node:
    node, fan_in, bits = circuit.nodes[index], circuit.fan_in(index), MULTIPLIER_BITS + circuit.shift
    weights = _unpack(_WEIGHT_BITS, elements[start:], node.units * fan_in)
    biases = _unpack(_BIAS_BITS, elements[start + _groups(node.units * fan_in, _WEIGHT_BITS) :], node.units)
    pairs = [unscaled(scaled, circuit.shift) for scaled in _unpack(bits, elements[multipliers:], node.units)]
    known = [pair for pair in pairs if pair is not None]
    if len(known) != len(pairs):
        raise Bug("a multiplier that no network has is to be unpacked")
    scale = Requantisation(
        np.array([m for m, _ in known], dtype=np.int32), np.array([s for _, s in known], dtype=np.uint8)
    )
    plain = as_node(node)
    return Node(
        plain.op,
        plain.inputs,
        plain.output_shape,
        plain.low,
        plain.high,
        plain.kernel,
        plain.stride,
        plain.padding,
        weight=(np.array(weights, dtype=np.int16) - 128).astype(np.int8).reshape(node.units, fan_in),
        bias=np.maximum(np.array(biases, dtype=np.int64) - _BIAS_OFFSET, 1 - BIAS_BOUND).astype(np.int32),
        requantisation=scale,
    )


def _unweighted(node: CircuitNode) -> Node:
    plain = as_node(node)
    if not node.multipliers:
        return plain
    scale = Requantisation(np.array(node.multipliers, dtype=np.int32), np.array([node.shift], dtype=np.uint8))
    return Node(
        plain.op,
        plain.inputs,
        plain.output_shape,
        plain.low,
        plain.high,
        plain.kernel,
        plain.stride,
        plain.padding,
        requantisation=scale,
    )


def _unpack(bits: int, elements: Sequence[int], count: int) -> list[int]:
    """The first `count` values that were packed into the elements from their first on."""
    at_once, mask = _PACKED_BITS // bits, (1 << bits) - 1
    values: list[int] = []
    for element in elements:
        together = min(at_once, count - len(values))
        values += [element >> bits * (together - 1 - i) & mask for i in range(together)]
        if len(values) == count:
            return values
    raise Bug(f"{len(values)} of {count} packed values")


def _packed_bits(count: int, bits: int) -> list[int]:
    """How many bits of each element are used."""
    at_once = _PACKED_BITS // bits
    return [bits * min(at_once, count - start) for start in range(0, count, at_once)]


def _weighted(circuit: Circuit) -> list[int]:
    return [index for index, node in enumerate(circuit.nodes) if node.op in WEIGHTED]


def _elements_of(circuit: Circuit, index: int) -> int:
    units = circuit.nodes[index].units
    weights = _groups(units * circuit.fan_in(index), _WEIGHT_BITS)
    return weights + _groups(units, _BIAS_BITS) + _groups(units, MULTIPLIER_BITS + circuit.shift)


def _groups(values: int, bits: int) -> int:
    return -(-values // (_PACKED_BITS // bits))
