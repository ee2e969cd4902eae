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
from offchain.proofs.bounds import accumulator_bound
from offchain.proofs.circuit import Circuit, scaled_multipliers
from offchain.proofs.field import Element
from offchain.proofs.noir import operations
from offchain.proofs.noir.layout import grid, merged, offset, widths_of
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
    for index in range(len(network.nodes)):
        made |= _outputs(circuit, index, network, tensors)
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


def _outputs(circuit: Circuit, index: int, network: IntegerNetwork, tensors: list[Int64Array]) -> dict[str, Any]:
    """What node `index` adds (`operations.witnesses`), each [samples][elements]."""
    sources = {pool: node for node, pool in merged(circuit).items()}
    source = sources.get(index, index)
    node, widths = network.nodes[source], widths_of(circuit, source)
    inputs = [tensors[tensor] for tensor in node.inputs]
    made: dict[str, Int64Array] = {}
    if source != index:
        made, quotient, rest = _pooled(circuit, index, source, network, inputs)
    else:
        quotient, rest = _quotient(node, widths.rest, inputs)
    made[f"out{index}"] = tensors[index + 1] - offset(circuit, index + 1)
    if widths.over:
        made[f"below{index}"] = np.maximum(node.low - quotient, 0)
        made[f"above{index}"] = np.maximum(quotient - node.high, 0)
    made[f"rest{index}"] = rest
    return {name: _rows(made[name]) for name in operations.witnesses(circuit, index)}


def _pooled(
    circuit: Circuit, index: int, source: int, network: IntegerNetwork, inputs: list[Int64Array]
) -> tuple[dict[str, Int64Array], Int64Array, Int64Array]:
    """largest and gap of a pool with its convolution, and q and rest of the largest accumulators."""
    sums = _accumulators(network.nodes[source], inputs)
    largest = compute_node(_unclamped(network.nodes[index]), [sums])
    rows, columns = grid(circuit, source)
    height, width = circuit.nodes[index].kernel
    gap = largest.repeat(height, axis=1).repeat(width, axis=2) - sums[:, :rows, :columns]
    raised = {f"largest{index}": largest + accumulator_bound(circuit, source), f"gap{index}": gap}
    return raised, *_divided(network.nodes[source], circuit.shift, largest)


def _quotient(node: Node, shift: int, inputs: list[Int64Array]) -> tuple[Int64Array, Int64Array]:
    """q and rest of V = q * 2^shift + rest, int64 (n, *shape) each; of MAX_POOL2D, whose shift is 0, the maximum."""
    made = node.requantisation
    if made is None:
        largest = compute_node(_unclamped(node), inputs)
        return largest, np.zeros_like(largest)
    if node.op is Op.ADD:
        first, second = (int(m) for m in made.multiplier)
        total = inputs[0] * first + inputs[1] * second + (1 << (shift - 1))
        return total >> shift, total & ((1 << shift) - 1)
    return _divided(node, shift, _accumulators(node, inputs))


def _divided(node: Node, shift: int, sums: Int64Array) -> tuple[Int64Array, Int64Array]:
    """q and rest of V = sums * M + 2^(shift - 1), which are within int64 though V may not be."""
    if node.requantisation is None:
        raise Bug(f"{node.op.name} without requantisation")
    own = node.requantisation.shift.astype(np.int64)
    value = sums * node.requantisation.multiplier.astype(np.int64) + (np.int64(1) << (own - 1))
    quotient = value >> own
    return quotient, (value - (quotient << own)) << (shift - own)


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
        "best": (flat.max(axis=1) - offset(circuit, len(circuit.nodes))).tolist(),
        "winner": flat.argmax(axis=1).tolist(),
        "right": claimed.tolist(),
    }


def _rows(values: Int64Array) -> list[list[int]]:
    rows: list[list[int]] = values.reshape(len(values), -1).tolist()
    return rows
