"""One step of stochastic gradient descent in integers, exact: the arithmetic that the circuit proves.

Squared error against one-hot labels, int64. What goes forward is shifted (`>>`, a floor), what changes parameters is
rounded to the nearest: floors would raise every weight by half a unit a step. Source of the scheme:
docs/training-proofs.md; fixed-point SGD as in Gupta et al. 2015, to the nearest in place of stochastic rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.proofs.training.shape import BIAS_BITS, SCALE, StepShape
from offchain.protocol.hashing import keccak

Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Parameters between steps.

    :param weights: of each layer, int64 (units, inputs), in the shape's signed bits
    :param biases: of each layer, int64 (units,), in 32 signed bits
    """

    weights: tuple[Ints, ...]
    biases: tuple[Ints, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """:param inputs: int64 (batch, sizes[0]), in [0, 2**input_bits)
    :param labels: int64 (batch,), in [0, classes)
    """

    inputs: Ints
    labels: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """All that a step computes; of each layer, first to last.

    :param sums: z, int64 (batch, units)
    :param activations: what comes into the layer, int64 (batch, inputs)
    :param errors: int64 (batch, units)
    :param returned: the errors times the weights, before the shift, int64 (batch, inputs); of all layers but the first
    :param gradients: summed over the batch, int64 (units, inputs)
    """

    sums: tuple[Ints, ...]
    activations: tuple[Ints, ...]
    errors: tuple[Ints, ...]
    returned: tuple[Ints, ...]
    gradients: tuple[Ints, ...]
    after: State


def trace_step(shape: StepShape, state: State, batch: Batch) -> Trace:
    """The step from `state` by `batch`, with all that it computes on the way.

    :raises Rejected: state or batch out of shape, or a number that leaves its declared bits
    """
    check_state(shape, state)
    check_batch(shape, batch)
    sums, activations = _forward(shape, state, batch.inputs)
    errors, returned = _backward(shape, state, sums, batch.labels)
    gradients = tuple(e.T @ a for e, a in zip(errors, activations, strict=True))
    layers = range(shape.layers)
    after = State(
        tuple(state.weights[i] - rounded(gradients[i], shape.weight_shift(i)) for i in layers),
        tuple(state.biases[i] - rounded(errors[i].sum(0), shape.bias_shift(i)) for i in layers),
    )
    check_state(shape, after)
    return Trace(sums, activations, errors, returned, gradients, after)


def step(shape: StepShape, state: State, batch: Batch) -> State:
    """The state after the step; raises like `trace_step`."""
    return trace_step(shape, state, batch).after


def predict(shape: StepShape, state: State, inputs: Ints) -> Ints:
    """The class of each input, int64 (n,): the largest sum, the first on a tie. Raises Rejected like a step."""
    sums, _ = _forward(shape, state, inputs)
    classes: Ints = sums[-1].argmax(1)
    return classes


def layer_inputs(shape: StepShape, state: State, inputs: Ints) -> tuple[Ints, ...]:
    """What comes into each layer, and last the logits, int64 (n, …), all but the first with `SCALE`; or Rejected."""
    sums, activations = _forward(shape, state, inputs)
    return (*activations, sums[-1] >> shape.scale_before(shape.layers - 1))


def initial_state(shape: StepShape, seed: bytes) -> State:
    """The state that `seed` stands for, the same for everybody: weights uniform in ±sqrt(6 / inputs) (He et al. 2015)
    by keccak256 in counter mode, biases 0."""
    weights = []
    for layer, (inputs, units) in enumerate(zip(shape.sizes, shape.sizes[1:], strict=False)):
        limit = min(isqrt(6 * 4**SCALE // inputs), 2 ** (shape.weight_bits - 1) - 1)
        words = -(-inputs * units // 4)
        stream = b"".join(keccak(b"initial" + seed + bytes([layer]) + i.to_bytes(4, "big")) for i in range(words))
        drawn = np.frombuffer(stream, dtype=">u8")[: inputs * units] % np.uint64(2 * limit + 1)
        weights.append(drawn.astype(np.int64).reshape(units, inputs) - limit)
    return State(tuple(weights), tuple(np.zeros(units, np.int64) for units in shape.sizes[1:]))


def rounded(values: Ints, shift: int) -> Ints:
    """`values` / 2**shift to the nearest, halves up; exact for a shift below 1."""
    return (values + half(shift)) >> shift if shift > 0 else values << -shift


def half(shift: int) -> int:
    """What a floor needs to become the nearest."""
    return 1 << (shift - 1)


def check_state(shape: StepShape, state: State) -> None:
    """:raises Rejected: a state of another shape or out of its bits"""
    layers = list(zip(shape.sizes, shape.sizes[1:], strict=False))
    if [w.shape for w in state.weights] != [(o, i) for i, o in layers] or [b.shape for b in state.biases] != [
        (o,) for _, o in layers
    ]:
        raise Rejected(f"a state of training is not of the shape {'-'.join(map(str, shape.sizes))}: give one that is")
    for layer, (weights, biases) in enumerate(zip(state.weights, state.biases, strict=True)):
        bits = shape.weight_bits
        _require(weights, -(2 ** (bits - 1)), bits, f"weights of layer {layer}", "a larger rate or more weight bits")
        _require(biases, -(2 ** (BIAS_BITS - 1)), BIAS_BITS, f"biases of layer {layer}", "a larger rate")


def check_batch(shape: StepShape, batch: Batch) -> None:
    """:raises Rejected: a batch of another shape, inputs out of their bits, or a label that is no class"""
    if batch.inputs.shape != (shape.batch, shape.sizes[0]) or batch.labels.shape != (shape.batch,):
        raise Rejected(f"a batch is not of {shape.batch} samples with {shape.sizes[0]} inputs each: give one that is")
    _require(batch.inputs, 0, shape.input_bits, "inputs of a batch", "more input bits")
    if len(batch.labels) and not 0 <= batch.labels.min() <= batch.labels.max() < shape.sizes[-1]:
        raise Rejected(f"a batch has a label outside [0, {shape.sizes[-1]}): give the labels of the network's classes")


def _forward(shape: StepShape, state: State, inputs: Ints) -> tuple[tuple[Ints, ...], tuple[Ints, ...]]:
    sums, activations = [], [inputs]
    for layer in range(shape.layers):
        z = activations[-1] @ state.weights[layer].T + state.biases[layer]
        bits = shape.sum_bits(layer)
        _require(z, -(2**bits), bits + 1, f"sums of layer {layer}", "a larger rate or more activation and error bits")
        sums.append(z)
        if layer < shape.layers - 1:
            activations.append(np.maximum(z, 0) >> shape.scale_before(layer))
    return tuple(sums), tuple(activations)


def _backward(
    shape: StepShape, state: State, sums: Sequence[Ints], labels: Ints
) -> tuple[tuple[Ints, ...], tuple[Ints, ...]]:
    last = shape.layers - 1
    wanted = np.eye(shape.sizes[-1], dtype=np.int64)[labels] << SCALE
    errors = [(sums[last] >> shape.scale_before(last)) - wanted]
    returned: list[Ints] = []
    for layer in range(last, 0, -1):
        product = errors[0] @ state.weights[layer]
        error, bits = rounded(product, SCALE), shape.error_bits
        _require(error, -(2**bits), bits + 1, f"errors of layer {layer - 1}", "a larger rate or more error bits")
        returned.insert(0, product)
        errors.insert(0, error * (sums[layer - 1] >= 0))
    return tuple(errors), tuple(returned)


def _require(values: Ints, least: int, bits: int, what: str, way_out: str) -> None:
    """Refuses what is not in [least, least + 2**bits)."""
    if values.dtype != np.int64:
        raise Rejected(f"{what} are {values.dtype}: give int64")
    if values.size and not least <= int(values.min()) <= int(values.max()) < least + 2**bits:
        raise Rejected(f"{what} leave their {bits} bits: train with {way_out}")
