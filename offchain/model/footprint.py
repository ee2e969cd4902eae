"""What a spec becomes as an integer network: nodes, weights and output units, before anything is trained.

A recurrent layer is unrolled (`unrolling.py`), each step with its own nodes and its own copy of the weights, so that
sequences are what the protocol's limit of nodes is felt by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.errors import Rejected
from offchain.model.layers import BatchNorm, Embedding, Flatten, Gru, Lstm
from offchain.model.limits import MAX_NODES, MAX_OUTPUT_ELEMENTS, MAX_WEIGHTS, TABLE_ELEMENTS, UNIT_BYTES
from offchain.model.shapes import Wired, sequence_shape

LSTM_NODES = (9, 13)
"""Nodes of the first step and of each other one, without the one that takes the step out of its input."""
GRU_NODES = (8, 14)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of the integer network: nodes, int8 weights (tables included), and units, the rows that they stand in.

    tensor_bytes: of the largest node, its weights or four bytes for each of its units.
    """

    nodes: int
    weights: int
    units: int
    tensor_bytes: int

    @property
    def model_bytes(self) -> int:
        """What `maxModelBytes` of an order bounds: each unit has a bias, a multiplier and a shift beside its row."""
        return self.weights + UNIT_BYTES * self.units


def footprint(wired: Sequence[Wired]) -> Footprint:
    """Adds up the layers; a few bytes more than the network when batch normalisation is folded away."""
    nodes = sum(_nodes(item, wired) for item in wired)
    tables = sum(_tables(item) for item in wired)
    weights = sum(_weights(item) for item in wired) + TABLE_ELEMENTS * tables
    largest = max(_largest(item) for item in wired)
    return Footprint(nodes, weights, sum(_units(item) for item in wired) + tables, largest)


def require_within_limits(wired: Sequence[Wired]) -> None:
    """Raises Rejected, in one line, when the integer network has more nodes or weights than the protocol allows."""
    made = footprint(wired)
    last = wired[-1]
    if last.output_shape[0] > MAX_OUTPUT_ELEMENTS:
        raise Rejected(f"spec layer {len(wired)} {last.layer.name!r}: at most {MAX_OUTPUT_ELEMENTS:,} outputs")
    if made.nodes > MAX_NODES:
        longest = max(wired, key=lambda item: _nodes(item, wired))
        advice = "use fewer layers"
        if isinstance(longest.layer, Lstm | Gru):
            steps = sequence_shape(longest.input_shape)[0]
            most = longest_sequence(longest, spare=MAX_NODES - made.nodes + _nodes(longest, wired))
            advice = f"layer {longest.layer.name!r} has {steps} steps, at most {max(most, 0)} fit: shorten the sequence"
        raise Rejected(f"spec becomes {made.nodes} nodes when it is unrolled; the limit is {MAX_NODES}: {advice}")
    if made.weights > MAX_WEIGHTS:
        raise Rejected(
            f"spec becomes {made.weights:,} weights when it is unrolled; the limit is {MAX_WEIGHTS:,}: "
            "use fewer units or steps"
        )


def longest_sequence(item: Wired, *, spare: int) -> int:
    """The most steps that a recurrent layer may have when `spare` nodes are left for it."""
    first, other = LSTM_NODES if isinstance(item.layer, Lstm) else GRU_NODES
    return 1 + (spare - first - 1) // (other + 1)


def reads_states(item: Wired, wired: Sequence[Wired]) -> bool:
    """Whether a recurrent layer reads another one's states, which need not be taken out of a tensor."""
    if not isinstance(item.layer, Lstm | Gru) or item.reads[0] < 0:
        return False
    source = wired[item.reads[0]].layer
    return isinstance(source, Lstm | Gru) and source.sequences


def _tables(item: Wired) -> int:
    """Three curves in each step of an LSTM, two of a GRU; one where the activation is one."""
    if isinstance(item.layer, Lstm | Gru):
        return (3 if isinstance(item.layer, Lstm) else 2) * sequence_shape(item.input_shape)[0]
    return 1 if getattr(item.layer, "activation", "none") in ("sigmoid", "tanh") else 0


def _nodes(item: Wired, wired: Sequence[Wired]) -> int:
    layer, curved = item.layer, _tables(item)
    if isinstance(layer, Flatten):
        return 0
    if isinstance(layer, BatchNorm):
        return curved
    if not isinstance(layer, Lstm | Gru):
        return 1 + curved
    steps, _ = sequence_shape(item.input_shape)
    first, other = LSTM_NODES if isinstance(layer, Lstm) else GRU_NODES
    slices = 0 if steps == 1 or reads_states(item, wired) else steps
    readers = [reader for reader in wired if item.index in reader.reads]
    joined = layer.sequences and any(not reads_states(reader, wired) for reader in readers)
    return first + (steps - 1) * other + slices + (steps if joined else 0)


def _weights(item: Wired) -> int:
    match item.layer:
        case Lstm(units=units):
            steps, features = sequence_shape(item.input_shape)
            return 3 * units * features + (steps - 1) * 4 * units * (features + units)
        case Gru(units=units):
            steps, features = sequence_shape(item.input_shape)
            first = 2 * units * features + units * (features + units)
            return first + (steps - 1) * units * (4 * features + 4 * units)
        case BatchNorm():
            return 0
        case Embedding():
            return item.weights
        case _:
            return item.weights - _units(item)


def _largest(item: Wired) -> int:
    """Bytes of the layer's largest node: its weights, or four for each of its units."""
    if not isinstance(item.layer, Lstm | Gru):
        return max(_weights(item), 4 * _units(item), TABLE_ELEMENTS * _tables(item))
    units, (steps, features) = item.layer.units, sequence_shape(item.input_shape)
    if steps > 1:
        rows, fan_in = 3 * units, features + units
    elif isinstance(item.layer, Lstm) or features > units:
        rows, fan_in = 2 * units, features
    else:
        rows, fan_in = units, features + units
    return max(rows * fan_in, 4 * rows, 8 * units, TABLE_ELEMENTS)


def _units(item: Wired) -> int:
    match item.layer:
        case Lstm(units=units):
            return units * (4 * sequence_shape(item.input_shape)[0] - 1)
        case Gru(units=units):
            return units * (5 * sequence_shape(item.input_shape)[0] - 2)
        case BatchNorm():
            return 0
        case Embedding(vocabulary=rows):
            return rows
        case _:
            return item.output_shape[-1] if item.weights else 0
