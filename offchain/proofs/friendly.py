"""A network that is cheaper to prove and computes nearly the same: short multipliers, one shift.

A quantiser spends all 22 bits of a multiplier, which costs a validator nothing and a prover gates for every value: the
remainder of each requantisation is a witness of `shift` bits. Most of these bits decide nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from offchain.errors import Bug
from offchain.model.graph import IntegerNetwork, Node, Requantisation
from offchain.model.limits import MULTIPLIER_BOUND
from offchain.model.windows import WEIGHTED
from offchain.proofs.bounds import headroom
from offchain.proofs.circuit import Circuit

SHIFT = 14
"""A multiplier near 2^-10, as layers of some hundred inputs have, is then off by at most three parts in a hundred."""


def prover_friendly(network: IntegerNetwork, shift: int = SHIFT) -> IntegerNetwork:
    """The network with every unit's multiplier rounded to `shift` (1 .. 47) where its own shift is larger.

    A weighted last node, of whose outputs only the order matters, is scaled down by a power of two until nothing can
    reach its bounds; `output_scale` grows as much. It is another network, with a root of its own: measure it before it
    is claimed. Nothing is random.
    """
    nodes = tuple(_shortened(node, shift) if node.op in WEIGHTED else node for node in network.nodes)
    made, halvings = replace(network, nodes=nodes), 0
    last = len(nodes) - 1
    while nodes[last].op in WEIGHTED and headroom(Circuit.of(made, 1), last) > 0 and _can_halve(made.nodes[last]):
        halvings += 1
        made = replace(made, nodes=(*nodes[:last], _scaled(nodes[last], halvings)))
    return replace(made, output_scale=network.output_scale * 2.0**halvings)


def _shortened(node: Node, shift: int) -> Node:
    scale = _requantisation(node)
    too_long = np.maximum(scale.shift.astype(np.int64) - shift, 0)
    return _with(node, scale.multiplier / 2.0**too_long, scale.shift.astype(np.int64) - too_long)


def _scaled(node: Node, halvings: int) -> Node:
    scale = _requantisation(node)
    return _with(node, scale.multiplier / 2.0**halvings, scale.shift.astype(np.int64))


def _can_halve(node: Node) -> bool:
    """While each multiplier has bits to lose."""
    return int(_requantisation(node).multiplier.min()) >= 1 << 8


def _with(node: Node, multiplier: np.typing.NDArray[np.float64], shift: np.typing.NDArray[np.int64]) -> Node:
    rounded = np.clip(np.rint(multiplier), 1, MULTIPLIER_BOUND - 1).astype(np.int32)
    return replace(node, requantisation=Requantisation(rounded, shift.astype(np.uint8)))


def _requantisation(node: Node) -> Requantisation:
    if node.requantisation is None:
        raise Bug(f"{node.op.name} without requantisation")
    return node.requantisation
