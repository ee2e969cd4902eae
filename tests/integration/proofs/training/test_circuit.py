"""The circuit of a step against the arithmetic in NumPy, and what each of its constraints is for."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.barretenberg import Barretenberg, Program
from offchain.proofs.noir.tools import run_program
from offchain.proofs.training.generator import GROUPS, circuit_source
from offchain.proofs.training.prove import StepProver
from offchain.proofs.training.sgd import Batch, State, initial_state, step
from offchain.proofs.training.witness import Salted, SaltedBatch, step_inputs
from tests.integration.proofs.training import conftest
from tests.integration.proofs.training.adversary import Step
from tests.integration.proofs.training.forgeries import SHAPE, forgeries, ordinary

STEPS = 200
SALTS = tuple(Element(salt) for salt in (1, ORDER - 1, 2**200))


class Circuit:
    """A compiled circuit that is asked about many inputs at once."""

    def __init__(self, barretenberg: Barretenberg, source: str) -> None:
        self._tools = barretenberg.tools
        self._program: Program = barretenberg.compile(source)

    def satisfied(self, cases: Sequence[dict[str, Any]], folder: Path) -> list[bool]:
        (folder / "cases.json").write_text(json.dumps([as_text(case) for case in cases]))
        words = [self._tools.node, Path(__file__).with_name("many.mjs"), self._tools.modules, self._program.path]
        words += [folder / "cases.json", folder / "answers.json"]
        run_program([str(word) for word in words], {}, seconds=600).succeeded("solving")
        answers: list[bool] = json.loads((folder / "answers.json").read_text())
        return answers


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


def random_step(seed: int) -> tuple[State, Batch]:
    """A state and a batch: ordinary ones, zeros, and the ends of the ranges."""
    rng = np.random.default_rng(seed)
    scale = (0, 1, 40, 300, 2000)[seed % 5]
    weights = tuple(rng.integers(-scale, scale + 1, (o, i)) for i, o in ((4, 8), (8, 3)))
    biases = (rng.integers(-(2**12), 2**12, 8) * (seed % 3), rng.integers(-(2**18), 2**18, 3) * (seed % 2))
    inputs = (rng.integers(0, 32, (3, 4)), np.zeros((3, 4), np.int64), np.full((3, 4), 31))[seed // 5 % 3]
    if seed % 7 == 0:
        weights[0][0, :2] = (-(2**15), 2**15 - 1)
    if seed % 11 == 0:
        biases[0][:] = -(weights[0] @ inputs[0])  # sums of exactly 0
    return State(weights, biases), Batch(inputs, rng.integers(0, 3, 3))


def test_the_circuit_takes_numpys_step_and_none_beside_it(circuit: Circuit, tmp_path: Path) -> None:
    cases: list[dict[str, Any]] = []
    seed = 0
    while len(cases) < 2 * STEPS:
        seed += 1
        state, batch = random_step(seed)
        try:
            after = step(SHAPE, state, batch)
        except Rejected:
            continue  # out of the declared bounds
        beside = State(after.weights, (after.biases[0], after.biases[1] + np.array([0, 0, 1])))
        for new in (after, beside):
            old, salted = Salted(state, SALTS[0]), SaltedBatch(batch, SALTS[1])
            _, inputs = step_inputs(SHAPE, old, salted, Salted(new, SALTS[2]), Element(9))
            cases.append({**inputs, "on": [1] * len(GROUPS), "free_challenge": 0})
    answers = circuit.satisfied(cases, tmp_path)
    assert answers == [True, False] * STEPS
    assert seed < 3 * STEPS


def test_two_proofs_of_one_step_differ_and_hold_for_their_statement_only(prover: StepProver) -> None:
    shape = conftest.SHAPE
    state = initial_state(shape, bytes(32))
    batch = Batch(np.array([[1, 0, 16], [31, 2, 3]]), np.array([1, 0]))
    words = (Salted(state, SALTS[0]), SaltedBatch(batch, SALTS[1]), Salted(step(shape, state, batch), SALTS[2]))
    one, two = (prover.prove_step(shape, *words, Element(5)) for _ in range(2))
    assert one.statement == two.statement
    assert one.data != two.data
    assert prover.verify(shape, one)


def as_text(value: Any) -> Any:
    """As Noir reads numbers."""
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [as_text(item) for item in value]
    return hex(int(value) % ORDER)
