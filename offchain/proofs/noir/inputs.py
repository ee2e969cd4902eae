"""The witness of a circuit: all that `main` takes, from a network and a chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from offchain.errors import Bug, Rejected
from offchain.model.graph import Int64Array, IntegerNetwork, Node, Op, Requantisation
from offchain.model.oracle import compute_node, trace
from offchain.model.scores import sample_scores
from offchain.model.windows import WEIGHTED
from offchain.proofs.circuit import Circuit, scaled_multipliers
from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.layout import needs_clamp, widths_of
from offchain.proofs.statement import Chunk, chunk_hash, model_hash
from offchain.protocol.scores import ScoreFunction

_UNBOUNDED = 1 << 62
Inputs = Mapping[str, Any]
"""Nested lists of ints, each 0 .. ORDER - 1, by the names of `main`'s inputs."""


def inputs(
    circuit: Circuit, network: IntegerNetwork, chunk: Chunk, salt: Element, prover: Element, correct: int
) -> dict[str, Any]:
    """What `main` takes: public and private inputs. `correct` may be less than is true.

    Raises Rejected when network or chunk don't fit the circuit, or `correct` is more than is true.
    """
    model, test = model_hash(circuit, network, salt, prover), chunk_hash(circuit, chunk)
    tensors = trace(network, chunk.inputs)
    made: dict[str, Any] = {"model_hash": model, "chunk_hash": test, "correct": correct, "prover": prover, "salt": salt}
    for index, node in enumerate(network.nodes):
        if node.op in WEIGHTED:
            made |= _parameters(circuit, index, node)
    made["samples"] = _rows(tensors[0] + 128)
    made["labels"] = chunk.labels.tolist()
    for index, node in enumerate(network.nodes):
        made |= _outputs(circuit, index, node, [tensors[i] for i in node.inputs], tensors[index + 1])
    return made | _score(circuit, tensors[-1], chunk, correct)


def _parameters(circuit: Circuit, index: int, node: Node) -> dict[str, Any]:
    if node.weight is None or node.bias is None:
        raise Bug(f"{node.op.name} without weights")
    raised = node.bias.astype(np.int64) + (1 << circuit.nodes[index].bias_bits)
    return {
        f"weight{index}": (node.weight.reshape(-1).astype(np.int64) + 128).tolist(),
        f"bias{index}": raised.tolist(),
        f"multiplier{index}": scaled_multipliers(node, circuit.shift),
    }


def _outputs(
    circuit: Circuit, index: int, node: Node, sources: list[Int64Array], result: Int64Array
) -> dict[str, Any]:
    """out, below, above and rest of a node, each [samples][elements]."""
    made = {f"out{index}": _rows(result - node.low)}
    if not needs_clamp(circuit, index):
        return made
    quotient, rest = _quotient(circuit, index, node, sources)
    widths = widths_of(circuit, index)
    if widths.over:
        made[f"below{index}"] = _rows(np.maximum(node.low - quotient, 0))
        made[f"above{index}"] = _rows(np.maximum(quotient - node.high, 0))
    if widths.rest:
        made[f"rest{index}"] = _rows(rest)
    return made


def _quotient(
    circuit: Circuit, index: int, node: Node, sources: list[Int64Array]
) -> tuple[Int64Array, Int64Array]:
    """q and rest of V = q * 2^S + rest, int64 (n, *shape) each; S is 0 for MAX_POOL2D."""
    made = node.requantisation
    if made is None:
        return compute_node(_unclamped(node), sources), np.zeros(1, dtype=np.int64)
    shift = made.shift.astype(np.int64)
    if node.op is Op.ADD:
        first, second = (int(m) for m in made.multiplier)
        value = sources[0] * first + sources[1] * second
    else:
        value = _accumulators(node, sources) * made.multiplier.astype(np.int64)
    value = value + (np.int64(1) << (shift - 1))
    quotient = value >> shift
    # The circuit's shift may be larger than the unit's: V and the remainder grow by the same power of two.
    rest = (value - (quotient << shift)) << (widths_of(circuit, index).rest - shift)
    return quotient, rest


def _accumulators(node: Node, sources: list[Int64Array]) -> Int64Array:
    """The sums before requantisation: (2 a + 1) >> 1 is a."""
    if node.requantisation is None:
        raise Bug(f"{node.op.name} without requantisation")
    same = node.requantisation
    identity = Requantisation(np.full_like(same.multiplier, 2), np.full_like(same.shift, 1))
    return compute_node(replace(_unclamped(node), requantisation=identity), sources)


def _unclamped(node: Node) -> Node:
    return replace(node, low=-_UNBOUNDED, high=_UNBOUNDED)


def _score(circuit: Circuit, outputs: Int64Array, chunk: Chunk, correct: int) -> dict[str, Any]:
    flat = outputs.reshape(len(outputs), prod(outputs.shape[1:]))
    right = sample_scores(ScoreFunction.ACCURACY, flat.astype(np.int32), chunk.labels)
    if not 0 <= correct <= right.sum():
        raise Rejected(f"{correct} correct samples cannot be proven; {right.sum()} of {len(right)} are")
    claimed = right * (np.cumsum(right) <= correct)
    return {
        "best": (flat.max(axis=1) - circuit.nodes[-1].low).tolist(),
        "winner": flat.argmax(axis=1).tolist(),
        "right": claimed.tolist(),
    }


def _rows(values: Int64Array) -> list[list[int]]:
    rows: list[list[int]] = values.reshape(len(values), -1).tolist()
    return rows


def as_text(made: Inputs) -> dict[str, Any]:
    """The same with every number as a string, as Noir reads them."""
    return {name: _text(value) for name, value in made.items()}


def _text(value: Any) -> Any:
    return [_text(one) for one in value] if isinstance(value, list) else str(int(value) % ORDER)
