"""How large the numbers in a circuit can become: from the graph and the public widths of its parameters alone.

Every network whose parameters pass the circuit's range checks stays within these bounds on every input, so they are
what excludes wrap-around in the field and carries between packed values (docs/accuracy-circuit.md).
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from offchain.model.graph import Op
from offchain.model.windows import WEIGHTED

if TYPE_CHECKING:
    from offchain.proofs.circuit import Circuit

_LARGEST_WEIGHT = 128


def product_bound(circuit: Circuit, index: int) -> int:
    """The largest magnitude that the sum of products of weights and inputs can have, without the bias."""
    low, high = circuit.bounds_of(circuit.nodes[index].inputs[0])
    return circuit.fan_in(index) * max(abs(low), abs(high)) * _LARGEST_WEIGHT


def accumulator_bound(circuit: Circuit, index: int) -> int:
    """The largest magnitude of a weighted node's accumulator."""
    return product_bound(circuit, index) + (1 << circuit.nodes[index].bias_bits)


def shift_of(circuit: Circuit, index: int) -> int:
    """The shift of a requantising node: its own where it is in the graph, else the circuit's; 0 for MAX_POOL2D."""
    node = circuit.nodes[index]
    return circuit.shift if node.op in WEIGHTED else node.shift


def scaled_range(circuit: Circuit, index: int) -> tuple[int, int]:
    """The least and the largest V = accumulator * multiplier + 2^(shift - 1); of MAX_POOL2D the maximum itself."""
    node = circuit.nodes[index]
    if node.op is Op.MAX_POOL2D:
        return circuit.bounds_of(node.inputs[0])
    half = 1 << (shift_of(circuit, index) - 1)
    if node.op in WEIGHTED:
        largest = ((1 << node.multiplier_bits) - 1) * accumulator_bound(circuit, index)
        return half - largest, half + largest
    ranges = [circuit.bounds_of(tensor) for tensor in node.inputs]
    # A window over padding sees zeros, and fewer elements.
    terms = prod(node.kernel)
    least = sum(m * terms * min(low, 0) for m, (low, _) in zip(node.multipliers, ranges, strict=True))
    most = sum(m * terms * max(high, 0) for m, (_, high) in zip(node.multipliers, ranges, strict=True))
    return half + least, half + most


def headroom(circuit: Circuit, index: int) -> int:
    """Bits that |q - clamp(q)| of a node has at most, q = V >> shift; 0 where no value can be out of bounds."""
    node = circuit.nodes[index]
    least, most = (bound >> shift_of(circuit, index) for bound in scaled_range(circuit, index))
    return max(node.low - least, most - node.high, 0).bit_length()
