"""A step's statement and its circuit's inputs, from the numbers of the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offchain.proofs.field import Element
from offchain.proofs.training.commitments import batch_hash, state_hash
from offchain.proofs.training.sgd import Batch, State, Trace, half, rounded, trace_step
from offchain.proofs.training.shape import BIAS_BITS, SCALE, StepShape

Inputs = Mapping[str, Any]
"""Of the circuit, by name: numbers and nested lists of numbers; sums and products may be negative."""


@dataclass(frozen=True, slots=True)
class StepStatement:
    """What a proof of a step shows: the public inputs, in this order."""

    old_hash: Element
    new_hash: Element
    batch_hash: Element
    prover: Element

    @property
    def public(self) -> tuple[int, int, int, int]:
        """The circuit's public inputs in order."""
        return self.old_hash, self.new_hash, self.batch_hash, self.prover


@dataclass(frozen=True, slots=True)
class Salted:
    """A state and the salt of its hash."""

    state: State
    salt: Element


@dataclass(frozen=True, slots=True)
class SaltedBatch:
    """A batch and the salt of its hash."""

    batch: Batch
    salt: Element


def step_inputs(
    shape: StepShape, old: Salted, batch: SaltedBatch, new: Salted, prover: Element
) -> tuple[StepStatement, Inputs]:
    """The statement that `new` is one step by `batch` from `old`, and all inputs of its circuit.

    The inputs are those of the true step. If `new` is not the state after it, they satisfy no circuit.
    Raises Rejected like a step.
    """
    trace = trace_step(shape, old.state, batch.batch)
    statement = StepStatement(
        state_hash(shape, old.state, old.salt),
        state_hash(shape, new.state, new.salt),
        batch_hash(shape, batch.batch, batch.salt),
        prover,
    )
    inputs: dict[str, Any] = dict(zip(("old_hash", "new_hash", "batch_hash", "prover"), statement.public, strict=True))
    inputs |= {"old_salt": old.salt, "new_salt": new.salt, "batch_salt": batch.salt}
    inputs |= {"inputs": batch.batch.inputs.tolist(), "labels": batch.batch.labels.tolist()}
    inputs["hot"] = np.eye(shape.sizes[-1], dtype=np.int64)[batch.batch.labels].tolist()
    for layer in range(shape.layers):
        inputs |= _parameters(shape, layer, old.state, new.state) | _hints(shape, layer, trace)
    return statement, inputs


def _parameters(shape: StepShape, layer: int, old: State, new: State) -> dict[str, Any]:
    """Raised, so that they are not negative."""
    of_weight, of_bias = 2 ** (shape.weight_bits - 1), 2 ** (BIAS_BITS - 1)
    raised: dict[str, Any] = {}
    for when, state in (("old", old), ("new", new)):
        raised[f"{when}_weights_{layer}"] = (state.weights[layer] + of_weight).tolist()
        raised[f"{when}_biases_{layer}"] = (state.biases[layer] + of_bias).tolist()
    return raised


def _hints(shape: StepShape, layer: int, trace: Trace) -> dict[str, Any]:
    sums, scale = trace.sums[layer], shape.scale_before(layer)
    shift = shape.weight_shift(layer)
    remainder = (trace.gradients[layer] + half(shift)) & (2**shift - 1)
    hints = {f"sums_{layer}": sums.tolist(), f"remainders_{layer}": remainder.tolist()}
    if layer < shape.layers - 1:
        hints[f"signs_{layer}"] = (sums >= 0).astype(np.int64).tolist()
        # ~z is -z - 1
        hints[f"quotients_{layer}"] = (np.where(sums >= 0, sums, ~sums) >> scale).tolist()
    else:
        hints[f"quotients_{layer}"] = ((sums >> scale) + 2**shape.error_bits).tolist()
    if layer > 0:
        returned = trace.returned[layer - 1]
        hints[f"returned_{layer}"] = returned.tolist()
        hints[f"returned_quotients_{layer}"] = (rounded(returned, SCALE) + 2**shape.error_bits).tolist()
    return hints


def same_state(one: State, other: State) -> bool:
    """Whether all parameters are equal."""
    pairs = zip((*one.weights, *one.biases), (*other.weights, *other.biases), strict=False)
    return len(one.weights) == len(other.weights) and all(np.array_equal(a, b) for a, b in pairs)
