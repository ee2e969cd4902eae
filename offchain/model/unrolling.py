"""Recurrent layers as graphs: one copy of the cell for each step, in the operations that a contract can compute.

The gates that share the sigmoid are one dense node, one table and a slice each, which takes fewer nodes than a node and
a table each. What the first step multiplies by its state, which is zero, is left out. `footprint.py` counts the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.model.float_graph import CURVE_CAPS, FloatArray, GraphBuilder


@dataclass(frozen=True, slots=True)
class CellWeights:
    """A torch cell's parameters, float64: gates below each other, `input` (gates * units, features), `state` (gates *
    units, units), biases (gates * units,). Gates are i, f, g, o for an LSTM and r, z, n for a GRU."""

    input: FloatArray
    state: FloatArray
    input_bias: FloatArray
    state_bias: FloatArray

    @property
    def units(self) -> int:
        """Numbers in the state."""
        return self.state.shape[1]


class _Gate:
    """One gate's rows; `weight` reads input and state together."""

    def __init__(self, cell: CellWeights, index: int, sign: float = 1.0) -> None:
        rows = slice(index * cell.units, (index + 1) * cell.units)
        self.input, self.state = sign * cell.input[rows], sign * cell.state[rows]
        self.input_bias, self.state_bias = sign * cell.input_bias[rows], sign * cell.state_bias[rows]
        self.weight = np.hstack([self.input, self.state])
        self.bias = self.input_bias + self.state_bias


def sequence_parts(builder: GraphBuilder, source: int, steps: int, features: int) -> list[int]:
    """The steps of a tensor one by one; a tensor of one step is itself."""
    return [source] if steps == 1 else [builder.part(source, step * features, (features,)) for step in range(steps)]


def join_states(builder: GraphBuilder, states: Sequence[int], units: int) -> int:
    """All states as an image (steps, 1, units)."""
    joined = states[0]
    for state in states[1:]:
        joined = builder.joined(joined, state)
    return builder.part(joined, 0, (len(states), 1, units))


def unroll_lstm(builder: GraphBuilder, steps: Sequence[int], cell: CellWeights) -> list[int]:
    """The state after each step, tensor ids, for the tensor ids of the steps (features,)."""
    i, f, g, o = (_Gate(cell, index) for index in range(4))
    states: list[int] = []
    memory = 0
    for x in steps:
        if not states:
            first_in, first_out = _sigmoids(builder, x, [(i.input, i.bias), (o.input, o.bias)])
            fresh = _tanh_dense(builder, x, g.input, g.bias)
            memory, gate = builder.product(first_in, fresh), first_out
        else:
            both = builder.joined(x, states[-1])
            enter, keep, gate = _sigmoids(builder, both, [(gate.weight, gate.bias) for gate in (i, f, o)])
            fresh = _tanh_dense(builder, both, g.weight, g.bias)
            memory = builder.sum(builder.product(keep, memory), builder.product(enter, fresh))
        states.append(builder.product(gate, builder.curve(memory, "tanh"), reach=1.0))
    return states


def unroll_gru(builder: GraphBuilder, steps: Sequence[int], cell: CellWeights) -> list[int]:
    """Like `unroll_lstm`. The new state is z * state + (1 - z) * n; 1 - z is a gate of its own, sigmoid(-x)."""
    r, z, n = (_Gate(cell, index) for index in range(3))
    other = _Gate(cell, 1, -1.0)
    states: list[int] = []
    for x in steps:
        if not states:
            reset, fresh = _sigmoids(builder, x, [(r.input, r.bias), (other.input, other.bias)])
            weight = np.hstack([n.input, np.diag(n.state_bias)])
            proposal = _tanh_dense(builder, builder.joined(x, reset), weight, n.input_bias)
            states.append(builder.product(fresh, proposal, reach=1.0))
            continue
        state = states[-1]
        gates = [(gate.weight, gate.bias) for gate in (r, z, other)]
        reset, keep, fresh = _sigmoids(builder, builder.joined(x, state), gates)
        recalled = builder.product(reset, builder.dense(state, n.state, n.state_bias))
        before = builder.sum(builder.dense(x, n.input, n.input_bias), recalled, cap=CURVE_CAPS["tanh"])
        proposal = builder.curve(before, "tanh")
        states.append(builder.sum(builder.product(keep, state), builder.product(fresh, proposal), reach=1.0))
    return states


def _sigmoids(builder: GraphBuilder, source: int, gates: Sequence[tuple[FloatArray, FloatArray]]) -> list[int]:
    """The sigmoid of each gate, by its (weight, bias)."""
    weight, bias = np.vstack([w for w, _ in gates]), np.concatenate([b for _, b in gates])
    opened = builder.curve(builder.dense(source, weight, bias, cap=CURVE_CAPS["sigmoid"]), "sigmoid")
    units = len(gates[0][1])
    return [builder.part(opened, place * units, (units,)) for place in range(len(gates))]


def _tanh_dense(builder: GraphBuilder, source: int, weight: FloatArray, bias: FloatArray) -> int:
    return builder.curve(builder.dense(source, weight, bias, cap=CURVE_CAPS["tanh"]), "tanh")
