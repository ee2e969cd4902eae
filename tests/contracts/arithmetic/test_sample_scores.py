"""What one sample scores, on chain and by `offchain/model/scores.py`; and the tables, computed anew."""

import re
from pathlib import Path

import numpy as np
import pytest

from offchain.model.score_tables import exp2_table, log2_table
from offchain.model.scores import sample_scores
from offchain.protocol.scores import ScoreFunction
from tests.contracts.arithmetic.asking import Harness
from tests.unit.model.networks import Generator

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = [function for function in ScoreFunction if function is not ScoreFunction.NONE]
SINGLE = {ScoreFunction.MEAN_ABSOLUTE_ERROR, ScoreFunction.MEAN_SQUARED_ERROR}
SAMPLES = 1_000
LONG_SAMPLES = 100_000
AT_ONCE = 200
INT32 = (-(2**31), 2**31 - 1)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_scores(evm: Harness, function: ScoreFunction) -> None:
    check_scores(evm, function, SAMPLES, seed=5)


@pytest.mark.long
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_many_scores(evm: Harness, function: ScoreFunction) -> None:
    check_scores(evm, function, LONG_SAMPLES, seed=6)


@pytest.mark.parametrize(("name", "table"), [("EXP2", exp2_table()), ("LOG2", log2_table())])
def test_tables(name: str, table: np.ndarray) -> None:
    source = (ROOT / "contracts/arithmetic/ScoreTables.sol").read_text(encoding="utf-8")
    found = re.search(rf"{name} =\s*((?:hex\"[0-9a-f]+\"\s*)+);", source)
    assert found is not None
    data = bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', found[1])))
    assert data == table.astype(">u4").tobytes()


def test_drops_at_the_edge_of_what_counts(evm: Harness) -> None:
    drops = np.array([0, 1, 255, 256, 6142, 6143, 6144, 6145, 6399, 6400, 2**24, 2**32 - 1], dtype=np.int64)
    outputs = np.stack([np.full(len(drops), INT32[1]), INT32[1] - drops], axis=1).astype(np.int32)
    for label in (0, 1):
        labels = np.full(len(drops), label, dtype=np.int32)
        assert ask(evm, ScoreFunction.CROSS_ENTROPY, outputs, labels) == expected(
            ScoreFunction.CROSS_ENTROPY, outputs, labels
        )


def test_the_most_outputs(evm: Harness) -> None:
    rng = np.random.default_rng(7)
    outputs = rng.integers(-3000, 3000, (2, 4096)).astype(np.int32)
    outputs[1] = 77
    labels = np.array([17, 4095], dtype=np.int32)
    for function in set(FUNCTIONS) - SINGLE:
        assert ask(evm, function, outputs, labels) == expected(function, outputs, labels)


def check_scores(evm: Harness, function: ScoreFunction, samples: int, seed: int) -> None:
    """Compares the scores of random samples, a group with one number of outputs at a time."""
    rng = np.random.default_rng([seed, function])
    for _ in range(0, samples, AT_ONCE):
        classes = 1 if function in SINGLE else int(rng.integers(1, 40))
        outputs = _outputs(rng, classes)
        labels = _labels(rng, function, outputs)
        assert ask(evm, function, outputs, labels) == expected(function, outputs, labels)


def ask(evm: Harness, function: ScoreFunction, outputs: np.ndarray, labels: np.ndarray) -> tuple[int, ...]:
    """The contract's scores."""
    rows = [row.tobytes() for row in outputs.astype(">i4")]
    return evm.scores(function, rows, [int(label) for label in labels])


def expected(function: ScoreFunction, outputs: np.ndarray, labels: np.ndarray) -> tuple[int, ...]:
    """The package's scores."""
    return tuple(int(score) for score in sample_scores(function, outputs, labels))


def _outputs(rng: Generator, classes: int) -> np.ndarray:
    """Few different values, so that there are ties; logits; any int32; the ends of it."""
    shape = (AT_ONCE, classes)
    match rng.integers(4):
        case 0:
            return rng.integers(-2, 3, shape).astype(np.int32)
        case 1:
            return (rng.normal(size=shape) * 10.0 ** rng.uniform(1, 5)).astype(np.int32)
        case 2:
            return rng.integers(*INT32, shape, endpoint=True).astype(np.int32)
        case _:
            return rng.choice(np.array([*INT32, 0, -1, 1]), shape).astype(np.int32)


def _labels(rng: Generator, function: ScoreFunction, outputs: np.ndarray) -> np.ndarray:
    """For classes also labels that no output has; for numbers near the outputs, at the caps, and anything."""
    if function not in SINGLE:
        return rng.integers(-2, outputs.shape[1] + 2, len(outputs)).astype(np.int32)
    near = outputs[:, 0] + rng.choice([-(2**24), -(2**20), -(2**20) + 1, -1, 0, 3, 2**20 - 1, 2**24 - 1], AT_ONCE)
    anything = rng.integers(*INT32, AT_ONCE, endpoint=True)
    return np.clip(np.where(rng.integers(2, size=AT_ONCE), near, anything), *INT32).astype(np.int32)
