"""A step of SGD in integers against plain Python, its bounds, and what it learns."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from offchain.errors import Rejected
from offchain.model.files import encode_weights
from offchain.model.oracle import evaluate_slowly
from offchain.proofs.training.commitments import batch_hash, derived_salt, packed, state_hash
from offchain.proofs.training.export import network_of
from offchain.proofs.training.generator import GROUPS, circuit_source
from offchain.proofs.training.sgd import Batch, State, initial_state, predict, step, trace_step
from offchain.proofs.training.shape import SCALE, StepShape, parse_shape

SHAPE = StepShape((3, 5, 4, 2), 3, (6, 11, 9), weight_bits=16, activation_bits=20, error_bits=20)


def case(seed: int, shape: StepShape = SHAPE) -> tuple[State, Batch]:
    rng = np.random.default_rng(seed)
    weights = tuple(rng.integers(-900, 901, (o, i)) for i, o in pairwise(shape.sizes))
    biases = tuple(rng.integers(-(2**14), 2**14, units) for units in shape.sizes[1:])
    inputs = rng.integers(0, 32, (shape.batch, shape.sizes[0]))
    return State(weights, biases), Batch(inputs, rng.integers(0, shape.sizes[-1], shape.batch))


def plain_step(shape: StepShape, state: State, batch: Batch) -> tuple[list[list[list[int]]], list[list[int]]]:
    """The same by the book, one sample and one number after the other, with Python's own integers."""
    layers, scales = range(shape.layers), [shape.input_scale] + [SCALE] * (shape.layers - 1)
    weights = [w.tolist() for w in state.weights]
    biases = [b.tolist() for b in state.biases]
    of_weights = [[[0] * len(row) for row in w] for w in weights]
    of_biases = [[0] * len(b) for b in biases]
    for sample, label in zip(batch.inputs.tolist(), batch.labels.tolist(), strict=True):
        into, sums = [sample], []
        for i in layers:
            sums.append([b + sum(map(int.__mul__, row, into[i])) for row, b in zip(weights[i], biases[i], strict=True)])
            into.append([max(z, 0) // 2 ** scales[i] for z in sums[i]])
        error = [z // 2 ** scales[-1] - 2**SCALE * (k == label) for k, z in enumerate(sums[-1])]
        for i in reversed(layers):
            for k, e in enumerate(error):
                of_biases[i][k] += e
                for j, a in enumerate(into[i]):
                    of_weights[i][k][j] += e * a
            back = [nearest(sum(e * weights[i][k][j] for k, e in enumerate(error)), SCALE) for j in range(len(into[i]))]
            error = [v if i and sums[i - 1][j] >= 0 else 0 for j, v in enumerate(back)]
    for i in layers:
        for k, row in enumerate(weights[i]):
            biases[i][k] -= nearest(of_biases[i][k] * 2 ** scales[i], shape.rates[i])
            for j in range(len(row)):
                row[j] -= nearest(of_weights[i][k][j], shape.rates[i] + scales[i])
    return weights, biases


def nearest(value: int, shift: int) -> int:
    return floor(Fraction(value, 2**shift) + Fraction(1, 2))


def test_a_step_is_what_plain_arithmetic_says() -> None:
    for seed in range(60):
        state, batch = case(seed)
        if seed % 3 == 0:
            state.biases[0][:] = -(state.weights[0] @ batch.inputs[0])  # sums of exactly 0, whose units are on
        after = step(SHAPE, state, batch)
        weights, biases = plain_step(SHAPE, state, batch)
        assert [w.tolist() for w in after.weights] == weights
        assert [b.tolist() for b in after.biases] == biases


@pytest.mark.parametrize(("sizes", "rates"), [((64, 32, 10), (8, 8)), ((64, 32, 24, 10), (8, 8, 9))])
def test_it_learns_the_digits(sizes: tuple[int, ...], rates: tuple[int, ...]) -> None:
    images, labels = load_digits(return_X_y=True)
    images, labels = images.astype(np.int64), labels.astype(np.int64)
    shape, rng = StepShape(sizes, 32, rates), np.random.default_rng(0)
    order = rng.permutation(len(images))
    training, held = order[600:], order[:600]
    state = initial_state(shape, bytes(32))
    for _ in range(1000):
        chosen = rng.choice(training, 32)
        state = step(shape, state, Batch(images[chosen], labels[chosen]))
    assert (predict(shape, state, images[held]) == labels[held]).mean() >= 0.9


def test_what_leaves_its_bits_is_refused_with_a_way_out() -> None:
    state, batch = case(1)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"activation_bits": 10}, "sums of layer 0 leave their 15 bits: train with a larger rate or more activation"),
        ({"input_bits": 4}, "inputs of a batch leave their 4 bits"),
        ({"error_bits": 10}, "leave their"),
    )
    for changes, what in cases:
        with pytest.raises(Rejected, match=what):
            step(replace(SHAPE, **changes), state, batch)
    for wrong in (
        (State(state.weights[:2], state.biases), batch),
        (State(tuple(w * 64 for w in state.weights), state.biases), batch),
        (State(tuple(w.astype(np.int32) for w in state.weights), state.biases), batch),
        (state, Batch(batch.inputs[:2], batch.labels)),
        (state, Batch(batch.inputs, batch.labels + 2)),
        (state, Batch(-batch.inputs, batch.labels)),
    ):
        with pytest.raises(Rejected):
            step(SHAPE, *wrong)


def test_declared_bits_hold_whatever_the_bounds_admit() -> None:
    """No number of an admitted step has more bits than the circuit gives it."""
    for seed in range(40):
        state, batch = case(seed)
        trace = trace_step(SHAPE, state, batch)
        for i in range(SHAPE.layers):
            bits = SHAPE.product_bits(i)
            assert abs(trace.sums[i]).max() < 2 ** SHAPE.sum_bits(i) < 2 ** (bits.forward - 1)
            assert abs(trace.gradients[i]).max() < 2 ** (bits.gradient - 1)
            assert i == 0 or abs(trace.returned[i - 1]).max() < 2 ** (bits.backward - 1)


def test_a_description_is_canonical_and_names_the_shape() -> None:
    assert parse_shape(SHAPE.description()) == SHAPE
    assert replace(SHAPE, batch=4).circuit_hash != SHAPE.circuit_hash
    for data in (
        b"",
        b"[]",
        b"null",
        b"[" * 5000,
        SHAPE.description() + b" ",
        SHAPE.description().replace(b'"batch":3', b'"batch":3.0'),
        SHAPE.description().replace(b'"batch":3', b'"batch":true'),
        SHAPE.description().replace(b'"batch":3', b'"batch":300'),
        SHAPE.description().replace(b'"rates":[6', b'"rates":["6"'),
        SHAPE.description().replace(b'"batch"', b'"bitch"'),
    ):
        with pytest.raises(Rejected, match="circuit's"):
            parse_shape(data)


def test_hashes_tell_everything_apart() -> None:
    state, batch = case(2)
    salt = derived_salt(b"s" * 32, "state", 3)
    seen = {state_hash(SHAPE, state, salt), state_hash(SHAPE, state, salt + 1)}
    for changed in (*state.weights, *state.biases):
        changed.reshape(-1)[-1] += 1
        seen.add(state_hash(SHAPE, state, salt))
    seen |= {batch_hash(SHAPE, batch, salt), batch_hash(SHAPE, batch, salt + 1)}
    for edited in (batch.inputs, batch.labels):
        edited[..., -1] ^= 1
        seen.add(batch_hash(SHAPE, batch, salt))
    assert len(seen) == 2 + 6 + 2 + 2
    assert len({derived_salt(b"s" * 32, kind, i) for kind in ("state", "batch") for i in range(5)}) == 10
    assert packed(100, np.array([3, 2, 1])) == (3 << 100 | 2, 1)


def test_a_state_becomes_the_int8_network_that_predicts_alike() -> None:
    images, _ = load_digits(return_X_y=True)
    images = images.astype(np.int64)
    for shape in (
        StepShape((64, 32, 10), 32, (8, 8)),
        StepShape((64, 10), 32, (9,)),
        StepShape((64, 24, 12, 10), 32, (9, 9, 9)),
    ):
        state = initial_state(shape, b"n" * 32)
        network = network_of(shape, state, images[:400])
        outputs = evaluate_slowly(network, images.astype(np.int8))
        assert (outputs.argmax(1) == predict(shape, state, images)).mean() > 0.93
        assert encode_weights(network_of(shape, state, images[:400])) == encode_weights(network)
    with pytest.raises(Rejected, match="no int8"):
        network_of(replace(shape, input_bits=8), state, images)
    with pytest.raises(Rejected, match="nothing activates"):
        network_of(shape, state, images * 0)


def test_with_all_switches_on_the_tests_circuit_is_the_products() -> None:
    """What tests show of the one by leaving groups of constraints out holds for the other."""
    for shape in (SHAPE, StepShape((64, 10), 32, (2,))):
        library, main = circuit_source(shape).split("fn main(")
        same, switched = circuit_source(shape, switched=True).split("fn main(")
        assert same == library
        used = {int(index) for index in re.findall(r"\bon\[(\d+)\]", switched)}
        assert len(used) == len(GROUPS) if shape.layers > 1 else used
        for extra in (f"    on: [Field; {len(GROUPS)}],\n", "    free_challenge: Field,\n"):
            assert extra in switched
            switched = switched.replace(extra, "")
        switched = re.sub(r"\bon\[\d+\]", "1", switched)
        switched = switched.replace(" + (1 - 1) * free_challenge", "").replace("let r = 1 * ", "let r = ")
        assert switched == main
