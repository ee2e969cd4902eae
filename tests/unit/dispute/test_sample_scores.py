"""The referee's scores against the evaluator's, and against the definition."""

import math

import numpy as np
import pytest

from offchain.dispute.sample_scores import EXP2, sample_score
from offchain.model.scores import sample_scores
from offchain.protocol.scores import ScoreFunction

CLASSES = [
    ScoreFunction.ACCURACY,
    ScoreFunction.TOP3_ACCURACY,
    ScoreFunction.TOP5_ACCURACY,
    ScoreFunction.CROSS_ENTROPY,
]
SINGLE = [ScoreFunction.MEAN_ABSOLUTE_ERROR, ScoreFunction.MEAN_SQUARED_ERROR]
BOUND = 2**23 - 1


def score(function: ScoreFunction, outputs: list[int], label: int) -> int:
    return sample_score(function, np.array(outputs).astype(">i4").tobytes(), label)


@pytest.mark.parametrize("function", CLASSES)
@pytest.mark.parametrize("spread", [2, 300, 5000, BOUND])
def test_classes_score_like_the_evaluator(function: ScoreFunction, spread: int) -> None:
    rng = np.random.default_rng(spread)
    for classes in (1, 2, 3, 6, 10, 1000):
        outputs = rng.integers(-spread, spread, (60, classes), dtype=np.int32)
        labels = rng.integers(-1, classes + 1, 60, dtype=np.int32)
        expected = sample_scores(function, outputs, labels)
        found = [score(function, list(row), int(label)) for row, label in zip(outputs, labels, strict=True)]
        assert found == expected.tolist()


@pytest.mark.parametrize("function", SINGLE)
def test_numbers_score_like_the_evaluator(function: ScoreFunction) -> None:
    edges = [0, 1, -1, BOUND, -BOUND, 2**20, -(2**20), 2**20 + 1, 2**31 - 1, -(2**31)]
    outputs = np.array([[a] for a in edges for _ in edges], dtype=np.int32)
    labels = np.array([b for _ in edges for b in edges], dtype=np.int32)
    expected = sample_scores(function, outputs, labels)
    found = [score(function, [int(row[0])], int(label)) for row, label in zip(outputs, labels, strict=True)]
    assert found == expected.tolist()


def test_ties_go_to_the_lower_index() -> None:
    assert score(ScoreFunction.ACCURACY, [5, 5, 5], 0) == 1
    assert score(ScoreFunction.ACCURACY, [5, 5, 5], 1) == 0
    assert score(ScoreFunction.TOP3_ACCURACY, [5, 5, 5, 5], 2) == 1
    assert score(ScoreFunction.TOP3_ACCURACY, [5, 5, 5, 5], 3) == 0


def test_cross_entropy_is_the_logarithm_it_stands_for() -> None:
    for outputs, label in (([0, 0], 0), ([256, 0, -256], 1), ([1000, 900, -4000], 2), ([0] * 1000, 7)):
        exact = math.log2(sum(2 ** (value / 256) for value in outputs)) - outputs[label] / 256
        assert -score(ScoreFunction.CROSS_ENTROPY, outputs, label) / 65536 == pytest.approx(exact, abs=2e-4)
    assert EXP2[0] == 2**24
