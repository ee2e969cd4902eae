"""How a circuit's numbers lie on its wires: widths, which values share a packed element, which nodes are one."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from offchain.errors import Rejected
from offchain.model.graph import Op
from offchain.model.windows import WEIGHTED
from offchain.proofs.bounds import accumulator_bound, headroom, scaled_range, shift_of
from offchain.proofs.circuit import Circuit, whole_limbs

PACKED_BITS = 248
"""Bits of packed values in one field element, which has 253.6."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Widths of the witnesses of a node that requantises, in bits.

    most: the largest output, raised by `offset`; output: of it; limit: the same again where `output` bits hold more
    than `most` and nothing else excludes it, else 0; over: of what is clamped off, 0 where no value can be out of
    bounds; rest: of the remainder.
    """

    most: int
    output: int
    limit: int
    over: int
    rest: int


@dataclass(frozen=True, slots=True)
class Packing:
    """A weighted node's values, `each` to an element: raised by `raised` they have `bits` bits.

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

    @property
    def factors(self) -> list[int]:
        """What the values of one element are multiplied by: the first one is most significant."""
        return [1 << self.bits * place for place in reversed(range(self.each))]

    def place(self, position: str, unit: str) -> tuple[str, str]:
        """Which element the value of a position and a unit is in, and at which place; Noir expressions all."""
        if self.by_position:
            return f"({position} / {self.each}) * {self.units} + {unit}", f"{position} % {self.each}"
        return f"{position} * {-(-self.units // self.each)} + {unit} / {self.each}", f"{unit} % {self.each}"


def widths_of(circuit: Circuit, index: int) -> Widths:
    """Widths of node `index`."""
    node = circuit.nodes[index]
    most, over = node.high - node.low, whole_limbs(headroom(circuit, index))
    bits = most.bit_length()
    exact = most == (1 << bits) - 1
    return Widths(most, bits, 0 if exact or over == 0 else bits, over, shift_of(circuit, index))


def merged(circuit: Circuit) -> dict[int, int]:
    """Convolutions whose outputs only go into a MAX_POOL2D over windows that don't overlap: {node: the pool's node}.

    Requantising and clamping never put a larger accumulator below a smaller one, for multipliers are not negative; so
    the largest of the outputs is the output of the largest accumulator, and only that one is requantised.
    """
    found = {}
    for index, node in enumerate(circuit.nodes):
        readers = [i for i, other in enumerate(circuit.nodes) if index + 1 in other.inputs]
        if node.op in (Op.CONV2D, Op.DEPTHWISE_CONV2D) and len(readers) == 1 and _is_plain_pool(circuit, readers[0]):
            found[index] = readers[0]
    return found


def _is_plain_pool(circuit: Circuit, index: int) -> bool:
    node = circuit.nodes[index]
    plain = node.op is Op.MAX_POOL2D and node.kernel == node.stride and not any(node.padding)
    return plain and headroom(circuit, index) == 0


def offset(circuit: Circuit, tensor: int) -> int:
    """What a tensor's elements are less than their witnesses: the least value of the node that makes them."""
    sources = {pool + 1: node + 1 for node, pool in merged(circuit).items()}
    return circuit.bounds_of(sources.get(tensor, tensor))[0]


def grid(circuit: Circuit, index: int) -> tuple[int, int]:
    """Rows and columns of a node's output; of a merged convolution, those that its pool covers."""
    node = circuit.nodes[index]
    pool = merged(circuit).get(index)
    if pool is not None:
        rows, columns, _ = circuit.nodes[pool].output_shape
        return rows * circuit.nodes[pool].kernel[0], columns * circuit.nodes[pool].kernel[1]
    return (node.output_shape[0], node.output_shape[1]) if len(node.output_shape) == 3 else (1, 1)


def packing_of(circuit: Circuit, index: int) -> Packing:
    """The packing of weighted node `index`: its values V, or of a merged convolution its accumulators.

    It has room for what the witnesses can say and for what is true of any network that passes the range checks: so two
    equal elements hold equal values, without carries. Raises Rejected where an element would not hold one.
    """
    least, most = _accumulators(circuit, index) if index in merged(circuit) else _scaled(circuit, index)
    bits = (most - least).bit_length()
    if bits > PACKED_BITS:
        raise Rejected(f"node {index}: values of {bits} bits; make the circuit with narrower multipliers")
    positions, units, each = prod(grid(circuit, index)), circuit.nodes[index].units, PACKED_BITS // bits
    by_position = -(-positions // each) * units < positions * -(-units // each)
    return Packing(-least, bits, each, positions, units, by_position)


def accumulator_bits(circuit: Circuit, index: int) -> int:
    """Bits of a weighted node's accumulator, raised by `accumulator_bound`."""
    return (2 * accumulator_bound(circuit, index)).bit_length()


def weighted(circuit: Circuit) -> list[int]:
    """The nodes that have units."""
    return [index for index, node in enumerate(circuit.nodes) if node.op in WEIGHTED]


def tap_count(circuit: Circuit, index: int) -> int:
    """Weights of node `index`."""
    return circuit.nodes[index].units * circuit.fan_in(index)


def _scaled(circuit: Circuit, index: int) -> tuple[int, int]:
    node, widths = circuit.nodes[index], widths_of(circuit, index)
    over = (1 << widths.over) - 1
    least = (node.low - over) << widths.rest
    most = ((node.low + (1 << widths.output) + over) << widths.rest) - 1
    true = scaled_range(circuit, index)
    return min(least, true[0]), max(most, true[1])


def _accumulators(circuit: Circuit, index: int) -> tuple[int, int]:
    """The largest of a window, below 2^bits when raised, less a gap below 2^bits."""
    bits, bound = accumulator_bits(circuit, index), accumulator_bound(circuit, index)
    return -bound - (1 << bits) + 1, (1 << bits) - 1 - bound
