"""The circuit of a step against the arithmetic in NumPy, and what each of its constraints is for."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.barretenberg import Barretenberg, Program
from offchain.proofs.training.generator import GROUPS, circuit_source
from offchain.proofs.training.prove import StepProver
from offchain.proofs.training.sgd import Batch, State, initial_state, step
from offchain.proofs.training.shape import StepShape
from offchain.proofs.training.witness import Salted, SaltedBatch, step_inputs
from tests.integration.proofs.accuracy.solving import satisfied
from tests.integration.proofs.training import conftest
from tests.integration.proofs.training.adversary import Step
from tests.integration.proofs.training.forgeries import SHAPE, forgeries, ordinary

SALTS = tuple(Element(salt) for salt in (1, ORDER - 1, 2**200))


class Circuit:
    """A compiled circuit that is asked about many inputs at once."""

    def __init__(self, barretenberg: Barretenberg, source: str) -> None:
        self._barretenberg = barretenberg
        self._program: Program = barretenberg.compile(source)

    def satisfied(self, cases: Sequence[dict[str, Any]], folder: Path) -> list[bool]:
        return satisfied(self._barretenberg, self._program, cases, folder)


@pytest.fixture(scope="module")
def circuit(prover: StepProver) -> Circuit:
    """The one with a switch for each group: with all of them on the constraints are those of the product's."""
    return Circuit(prover.barretenberg, circuit_source(SHAPE, switched=True))


def test_leaving_out_any_group_of_constraints_lets_a_forgery_through(circuit: Circuit, tmp_path: Path) -> None:
    steps = forgeries()
    assert set(steps) == set(GROUPS)
    cases = [step.witness(*off) for group, step in steps.items() for off in ((group,), ())]
    answers = circuit.satisfied(cases, tmp_path)
    through, stopped = answers[::2], answers[1::2]
    assert [group for group, answer in zip(steps, through, strict=True) if not answer] == []
    assert [group for group, answer in zip(steps, stopped, strict=True) if answer] == []
    # The statement is false, or says something of numbers that no state or batch may have
    honest = {group: Step(s.shape, s.weights, s.biases, s.inputs, s.labels).witness() for group, s in steps.items()}
    names = ("new_weights_0", "new_weights_1", "new_biases_0", "new_biases_1", "old_hash", "new_hash", "batch_hash")
    for group, forged in steps.items():
        if not group.endswith("range") or group == "input range":
            assert any(np.any(forged.witness()[name] != honest[group][name]) for name in names), group


def test_an_edited_witness_of_any_kind_satisfies_nothing(circuit: Circuit, tmp_path: Path) -> None:
    honest = ordinary().witness()
    cases, names = [honest], ["honest"]
    for name in honest:
        if name in ("on", "free_challenge"):
            continue
        value = np.array(honest[name], dtype=object)
        for place in {(0,) * value.ndim, tuple(size - 1 for size in value.shape)}:
            edited = value.copy()
            edited[place] += 1
            cases.append(honest | {name: edited.tolist()})
            names.append(f"{name}{list(place)}")
    satisfied = [name for name, answer in zip(names, circuit.satisfied(cases, tmp_path), strict=True) if answer]
    # of all these the statement leaves open only who proves it
    assert satisfied == ["honest", "prover[]"]


def random_step(shape: StepShape, seed: int) -> tuple[State, Batch]:
    """A state and a batch: ordinary ones, zeros, and the ends of the ranges."""
    rng, size, batch = np.random.default_rng(seed), shape.sizes[0], shape.batch
    scale = (0, 1, 40, 300, 2000)[seed % 5]
    weights = tuple(rng.integers(-scale, scale + 1, (o, i)) for i, o in pairwise(shape.sizes))
    biases = tuple(rng.integers(-(2**12), 2**12, units) * (seed % 3) for units in shape.sizes[1:])
    ends = (np.zeros((batch, size), np.int64), np.full((batch, size), 31))
    inputs = (rng.integers(0, 32, (batch, size)), *ends)[seed // 5 % 3]
    if seed % 7 == 0:
        weights[0][0, :2] = (-(2**15), 2**15 - 1)
    if seed % 11 == 0:
        biases[0][:] = -(weights[0] @ inputs[0])  # sums of exactly 0
    return State(weights, biases), Batch(inputs, rng.integers(0, shape.sizes[-1], batch))


def require_equal(circuit: Circuit, shape: StepShape, steps: int, folder: Path, **more: Any) -> None:
    """The circuit takes NumPy's step, and refuses one that differs in the last bias, for so many random ones."""
    cases: list[dict[str, Any]] = []
    seed = 0
    while len(cases) < 2 * steps:
        seed += 1
        state, batch = random_step(shape, seed)
        try:
            after = step(shape, state, batch)
        except Rejected:
            continue  # out of the declared bounds
        last = after.biases[-1] + np.eye(shape.sizes[-1], dtype=np.int64)[0]
        beside = State(after.weights, (*after.biases[:-1], last))
        for new in (after, beside):
            old, salted = Salted(state, SALTS[0]), SaltedBatch(batch, SALTS[1])
            _, inputs = step_inputs(shape, old, salted, Salted(new, SALTS[2]), Element(9))
            cases.append({**inputs, **more})
    assert circuit.satisfied(cases, folder) == [True, False] * steps
    assert seed < 3 * steps + 10


@pytest.mark.parametrize("steps", [20, pytest.param(250, marks=pytest.mark.long)])
def test_the_circuit_takes_numpys_step_and_none_beside_it(circuit: Circuit, tmp_path: Path, steps: int) -> None:
    require_equal(circuit, SHAPE, steps, tmp_path, on=[1] * len(GROUPS), free_challenge=0)


@pytest.mark.long
@pytest.mark.parametrize(
    "shape",
    [
        StepShape((5, 3), 4, (9,), weight_bits=16, activation_bits=18, error_bits=18),
        StepShape((6, 9, 5, 4), 4, (7, 12, 9), weight_bits=16, activation_bits=20, error_bits=20),
        StepShape(
            (3, 12, 11, 10, 2), 5, (9, 8, 10, 9), weight_bits=18, activation_bits=24, error_bits=24, input_scale=8
        ),
    ],
    ids=str,
)
def test_so_do_circuits_of_other_shapes(prover: StepProver, tmp_path: Path, shape: StepShape) -> None:
    require_equal(Circuit(prover.barretenberg, circuit_source(shape)), shape, 60, tmp_path)


@pytest.mark.long
def test_a_step_of_64_32_10_by_a_batch_of_32(prover: StepProver) -> None:
    shape = StepShape((64, 32, 10), 32, (8, 8))
    assert prover.program(shape).gates < 65_500
    state, rng = initial_state(shape, bytes(32)), np.random.default_rng(1)
    batch = Batch(rng.integers(0, 17, (32, 64)), rng.integers(0, 10, 32))
    words = (Salted(state, SALTS[0]), SaltedBatch(batch, SALTS[1]), Salted(step(shape, state, batch), SALTS[2]))
    proof = prover.prove_step(shape, *words, Element(5))
    assert prover.verify(shape, proof)
    other = replace(proof, statement=replace(proof.statement, prover=Element(6)))
    assert not prover.verify(shape, other)
    print(f"witness {proof.witness_seconds:.2f} s, proof {proof.proof_seconds:.2f} s, {len(proof.data)} bytes")


def test_two_proofs_of_one_step_differ_and_hold_for_their_statement_only(prover: StepProver) -> None:
    shape = conftest.SHAPE
    state = initial_state(shape, bytes(32))
    batch = Batch(np.array([[1, 0, 16], [31, 2, 3]]), np.array([1, 0]))
    words = (Salted(state, SALTS[0]), SaltedBatch(batch, SALTS[1]), Salted(step(shape, state, batch), SALTS[2]))
    one, two = (prover.prove_step(shape, *words, Element(5)) for _ in range(2))
    assert one.statement == two.statement
    assert one.data != two.data
    assert prover.verify(shape, one)
