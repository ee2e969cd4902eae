"""Every operation, on chain and by the oracle: random nodes, real openings, the real StepVerifier.

The long battery asks for 100,000 elements of each of the 11 operations and finishes 25,000 from parts of each of the 5
that have any; with 100,000 samples of each score function (`test_sample_scores.py`) it took 21 minutes on a machine
with 2 cores, busy with other work (5 minutes of CPU in Python, the rest is Anvil's), and found no difference.
"""

import numpy as np
import pytest

from offchain.model.graph import Op
from offchain.model.windows import WINDOWED
from tests.contracts.arithmetic.asking import Harness
from tests.contracts.arithmetic.drawing import Drawn, draw
from tests.unit.model.networks import Generator

STEPS = 1_000
LONG_STEPS = 100_000
ELEMENTS = 100
"""Of one node, at most."""
DIVISIBLE = WINDOWED | {Op.DENSE}


@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_elements(evm: Harness, op: Op) -> None:
    check_elements(evm, op, STEPS, seed=1)


@pytest.mark.parametrize("op", sorted(DIVISIBLE), ids=lambda op: op.name)
def test_parts(evm: Harness, op: Op) -> None:
    check_parts(evm, op, STEPS // 4, seed=2)


@pytest.mark.long
@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_many_elements(evm: Harness, op: Op) -> None:
    check_elements(evm, op, LONG_STEPS, seed=3)


@pytest.mark.long
@pytest.mark.parametrize("op", sorted(DIVISIBLE), ids=lambda op: op.name)
def test_many_parts(evm: Harness, op: Op) -> None:
    check_parts(evm, op, LONG_STEPS // 4, seed=4)


def check_elements(evm: Harness, op: Op, steps: int, seed: int) -> None:
    """Asks for at least `steps` elements of nodes with this operation."""
    rng = np.random.default_rng([seed, op])
    asked = 0
    while asked < steps:
        drawn = draw(op, rng, ELEMENTS)
        found = evm.elements(drawn.batch)
        assert found == drawn.expected, _difference(drawn, found)
        asked += len(found)


def check_parts(evm: Harness, op: Op, steps: int, seed: int) -> None:
    """Asks for at least `steps` elements, finished from parts that are cut anywhere."""
    rng = np.random.default_rng([seed, op])
    asked = 0
    while asked < steps:
        drawn = draw(op, rng, ELEMENTS // 4)
        terms = evm.terms(drawn.batch)
        found = evm.finished(drawn.batch, [_cuts(rng, terms) for _ in drawn.expected])
        assert found == drawn.expected, _difference(drawn, found)
        asked += len(found)


def _cuts(rng: Generator, terms: int) -> list[int]:
    inner = rng.integers(0, terms + 1, int(rng.integers(0, 6)))
    return [int(cut) for cut in np.unique([0, *inner, terms])]


def _difference(drawn: Drawn, found: tuple[int, ...]) -> str:
    pairs = zip(drawn.batch.elements, drawn.expected, found, strict=True)
    wrong = [pair for pair in pairs if pair[1] != pair[2]]
    return f"{drawn.batch.node.node}: (element, oracle, contract) {wrong[:5]}"
