"""How a circuit's numbers lie on its wires: widths, and which values share a packed element."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from offchain.errors import Rejected
from offchain.model.graph import Op
from offchain.model.windows import WEIGHTED
from offchain.proofs.bounds import headroom, scaled_range, shift_of
from offchain.proofs.circuit import Circuit

PACKED_BITS = 248
"""Bits of packed values in one field element, which has 253.6."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Widths of a node's witnesses, in bits; 0 where there are none.

    most: the largest output above `low`; output: of it; limit: the same again, or 0 where `output` bits hold no more than
    `most`; over: of what is clamped off (0 where no value can be out of bounds); rest: of the remainder.
    """

    most: int
    output: int
    limit: int
    over: int
    rest: int


@dataclass(frozen=True, slots=True)
class Packing:
    """Values V of a weighted node, `each` to an element: raised by `raised` they have `bits` bits.

    An element holds values of one position along the units, or (`by_position`) of one unit along the positions,
    whichever takes fewer elements.
    """

    raised: int
    bits: int
    each: int
    positions: int
    units: int
    by_position: bool

    @property
    def elements(self) -> int:
        """Elements of one sample."""
        if self.by_position:
            return -(-self.positions // self.each) * self.units
        return self.positions * -(-self.units // self.each)


def widths_of(circuit: Circuit, index: int) -> Widths:
    """Widths of node `index`."""
    node = circuit.nodes[index]
    most = node.high - node.low
    bits = most.bit_length()
    return Widths(most, bits, 0 if most == (1 << bits) - 1 else bits, headroom(circuit, index), shift_of(circuit, index))


def packing_of(circuit: Circuit, index: int) -> Packing:
    """The packing of weighted node `index`.

    It has room for what the witnesses can say and for what is true of any network that passes the range checks: so two
    equal elements hold equal values, without carries. Raises Rejected where an element would not hold one.
    """
    node, widths = circuit.nodes[index], widths_of(circuit, index)
    over = (1 << widths.over) - 1
    said = ((node.low - over) << widths.rest, ((node.high + over + 1) << widths.rest) - 1)
    true = scaled_range(circuit, index)
    least, most = min(said[0], true[0]), max(said[1], true[1])
    bits = (most - least).bit_length()
    if bits > PACKED_BITS:
        raise Rejected(f"node {index}: values of {bits} bits; make the circuit with narrower multipliers")
    positions, units, each = prod(node.output_shape[:-1]), node.output_shape[-1], PACKED_BITS // bits
    by_position = -(-positions // each) * units < positions * -(-units // each)
    return Packing(-least, bits, each, positions, units, by_position)


def factors(packing: Packing) -> list[int]:
    """What the values of one element are multiplied by: the first one is most significant."""
    return [1 << packing.bits * place for place in reversed(range(packing.each))]


def needs_clamp(circuit: Circuit, index: int) -> bool:
    """Whether a node's output is anything but an input's element: all but a MAX_POOL2D within its input's bounds."""
    return circuit.nodes[index].op is not Op.MAX_POOL2D or widths_of(circuit, index).over > 0


def weighted(circuit: Circuit) -> list[int]:
    """The nodes that have units."""
    return [index for index, node in enumerate(circuit.nodes) if node.op in WEIGHTED]


def tap_count(circuit: Circuit, index: int) -> int:
    """Weights of node `index`."""
    return circuit.nodes[index].units * circuit.fan_in(index)
