"""Scores per sample and their sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.model.graph import IntegerNetwork
from offchain.model.scores import check_scorable, sample_scores, total_score
from offchain.protocol.scores import MAX_SAMPLE_ERROR, ScoreFunction, in_range
from tests.unit.model.networks import dense_node

OUTPUT = st.integers(-(2**23) + 1, 2**23 - 1)


def test_accuracy_takes_the_lowest_index_on_a_tie() -> None:
    outputs = np.array([[5, 5, 1], [1, 5, 5], [-3, -3, -3], [0, 1, 2]], dtype=np.int32)
    assert sample_scores(ScoreFunction.ACCURACY, outputs, np.array([0, 1, 0, 2], dtype=np.int32)).tolist() == [1] * 4
    assert sample_scores(ScoreFunction.ACCURACY, outputs, np.array([1, 2, 2, 0], dtype=np.int32)).tolist() == [0] * 4


def test_labels_that_no_output_has_score_nothing() -> None:
    outputs = np.zeros((2, 3), dtype=np.int32)
    assert total_score(ScoreFunction.ACCURACY, outputs, np.array([-1, 3], dtype=np.int32)) == 0


def test_absolute_error_is_capped_and_does_not_overflow() -> None:
    outputs = np.array([[10], [-(2**23) + 1], [0]], dtype=np.int32)
    labels = np.array([13, 2**31 - 1, -(2**31)], dtype=np.int32)
    scores = sample_scores(ScoreFunction.MEAN_ABSOLUTE_ERROR, outputs, labels)
    assert scores.dtype == np.int64
    assert scores.tolist() == [-3, -MAX_SAMPLE_ERROR, -MAX_SAMPLE_ERROR]


@given(rows=st.lists(st.tuples(OUTPUT, OUTPUT), min_size=1, max_size=30))
def test_sums_are_within_the_ranges_that_the_contract_accepts(rows: list[tuple[int, int]]) -> None:
    outputs = np.array([[output] for output, _ in rows], dtype=np.int32)
    labels = np.array([label for _, label in rows], dtype=np.int32)
    for function in (ScoreFunction.ACCURACY, ScoreFunction.MEAN_ABSOLUTE_ERROR):
        total = total_score(function, outputs, labels)
        assert total == sum(sample_scores(function, outputs, labels).tolist())
        assert in_range(function, total, len(rows))
    expected = -sum(min(abs(output - label), MAX_SAMPLE_ERROR) for output, label in rows)
    assert total_score(ScoreFunction.MEAN_ABSOLUTE_ERROR, outputs, labels) == expected


def test_what_does_not_fit_is_refused() -> None:
    outputs, labels = np.zeros((2, 3), dtype=np.int32), np.zeros(2, dtype=np.int32)
    with pytest.raises(Rejected, match="model: 3 outputs"):
        sample_scores(ScoreFunction.MEAN_ABSOLUTE_ERROR, outputs, labels)
    with pytest.raises(Rejected, match="labels: 1 for 2 outputs"):
        sample_scores(ScoreFunction.ACCURACY, outputs, labels[:1])
    with pytest.raises(Bug):
        sample_scores(ScoreFunction.NONE, outputs, labels)
    network = IntegerNetwork((4,), (dense_node(np.ones((2, 4)), np.zeros(2), 1, 1),), 1.0)
    check_scorable(ScoreFunction.ACCURACY, network)
    with pytest.raises(Rejected, match="model: 2 outputs"):
        check_scorable(ScoreFunction.MEAN_ABSOLUTE_ERROR, network)
