"""Scores per sample and their sums."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.model.graph import IntegerNetwork
from offchain.model.score_tables import exp2_table, log2_table
from offchain.model.scores import check_scorable, sample_scores, total_score
from offchain.protocol.scores import MAX_SAMPLE_ERROR, MAX_SQUARED_ERROR, ScoreFunction, in_range
from tests.unit.model.networks import dense_node

OUTPUT = st.integers(-(2**23) + 1, 2**23 - 1)
TOP = {ScoreFunction.ACCURACY: 1, ScoreFunction.TOP3_ACCURACY: 3, ScoreFunction.TOP5_ACCURACY: 5}
FUNCTIONS = [function for function in ScoreFunction if function is not ScoreFunction.NONE]
EXP2: list[int] = exp2_table().tolist()
LOG2: list[int] = log2_table().tolist()


def naive_score(function: ScoreFunction, outputs: list[int], label: int) -> int:
    """One sample by the definition in docs/integer-networks.md, with Python's integers."""
    if function.is_regression:
        error = abs(outputs[0] - label)
        if function is ScoreFunction.MEAN_ABSOLUTE_ERROR:
            return -min(error, 2**24)
        return -min(error * error, 2**40)
    if function.is_top_k:
        if not 0 <= label < len(outputs):
            return 0
        ranked = sorted(range(len(outputs)), key=lambda j: (-outputs[j], j))
        return int(label in ranked[: TOP[function]])
    if not 0 <= label < len(outputs):
        return -(2**24)
    high, total = max(outputs), 0
    for z in outputs:
        drop = high - z
        total += 0 if drop >= 24 * 256 else EXP2[drop & 255] >> (drop >> 8)
    b = total.bit_length() - 1
    m = total >> (b - 24)
    i, r = (m >> 16) & 255, m & 0xFFFF
    log = (b - 24) * 65536 + LOG2[i] + (((LOG2[i + 1] - LOG2[i]) * r) >> 16)
    return -min((high - outputs[label]) * 256 + log, 2**24)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """Outputs near each other, far apart, and equal; labels also beside the classes."""
    classes = draw(st.integers(1, 12))
    value = draw(st.sampled_from([OUTPUT, st.integers(-3, 3), st.integers(-9000, 9000), st.integers(-300, 300)]))
    rows = draw(st.lists(st.lists(value, min_size=classes, max_size=classes), min_size=1, max_size=8))
    label = st.one_of(st.integers(0, classes - 1), st.integers(-2, classes + 2), st.integers(-(2**31), 2**31 - 1))
    return rows, draw(st.lists(label, min_size=len(rows), max_size=len(rows)))


@settings(max_examples=500, deadline=None)
@given(batches(), st.sampled_from(FUNCTIONS))
def test_every_function_follows_its_definition(batch: tuple[list[list[int]], list[int]], fn: ScoreFunction) -> None:
    rows, labels = batch
    rows = [row[:1] for row in rows] if fn.is_regression else rows
    outputs, targets = np.array(rows, dtype=np.int32), np.array(labels, dtype=np.int32)
    scores = sample_scores(fn, outputs, targets)
    assert scores.dtype == np.int64
    assert scores.tolist() == [naive_score(fn, row, label) for row, label in zip(rows, labels, strict=True)]
    total = total_score(fn, outputs, targets)
    assert total == sum(scores.tolist())
    assert in_range(fn, total, len(rows))


def test_the_tables_are_what_they_say() -> None:
    assert len(EXP2) == 256
    assert len(LOG2) == 257
    assert (EXP2[0], LOG2[0], LOG2[256]) == (2**24, 0, 2**16)
    assert all(EXP2[f] == round(2.0 ** (24 - f / 256)) for f in range(256))
    assert all(LOG2[i] == round(65536 * math.log2(1 + i / 256)) for i in range(257))
    # No value is so near a half that another precision would round it otherwise.
    for exact in [2.0 ** (24 - f / 256) for f in range(1, 256)] + [65536 * math.log2(1 + i / 256) for i in range(257)]:
        assert abs(exact % 1 - 0.5) > 1e-6


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 40), st.floats(0, 24), st.integers(0, 2**32 - 1))
def test_the_cross_entropy_is_near_the_real_one(classes: int, spread: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs = np.rint(random.normal(0, spread * 256, (20, classes))).astype(np.int32)
    labels = random.integers(0, classes, 20).astype(np.int32)
    loss = -sample_scores(ScoreFunction.CROSS_ENTROPY, outputs, labels) / 65536
    bits = outputs / 256
    real = np.log2(np.exp2(bits - bits.max(axis=1, keepdims=True)).sum(axis=1)) + bits.max(axis=1)
    expected = np.minimum(real - bits[np.arange(20), labels], 256)
    assert np.abs(loss - expected).max() <= (2 + classes / 100) / 65536


def test_the_cross_entropy_of_thousands_of_classes() -> None:
    for classes in (1000, 4096):
        outputs = np.zeros((1, classes), dtype=np.int32)
        loss = -total_score(ScoreFunction.CROSS_ENTROPY, outputs, np.array([7], dtype=np.int32))
        assert loss / 65536 == pytest.approx(math.log2(classes), abs=1e-4)


def test_the_cross_entropy_is_capped() -> None:
    outputs = np.array([[2**23 - 1, -(2**23) + 1]], dtype=np.int32)
    for label, expected in ((0, 0), (1, -MAX_SAMPLE_ERROR), (2, -MAX_SAMPLE_ERROR), (-1, -MAX_SAMPLE_ERROR)):
        assert total_score(ScoreFunction.CROSS_ENTROPY, outputs, np.array([label], dtype=np.int32)) == expected


def test_accuracy_takes_the_lowest_index_on_a_tie() -> None:
    outputs = np.array([[5, 5, 1], [1, 5, 5], [-3, -3, -3], [0, 1, 2]], dtype=np.int32)
    assert sample_scores(ScoreFunction.ACCURACY, outputs, np.array([0, 1, 0, 2], dtype=np.int32)).tolist() == [1] * 4
    assert sample_scores(ScoreFunction.ACCURACY, outputs, np.array([1, 2, 2, 0], dtype=np.int32)).tolist() == [0] * 4


def test_the_first_places_count_lower_indices_first_on_a_tie() -> None:
    outputs = np.zeros((6, 6), dtype=np.int32)
    labels = np.arange(6, dtype=np.int32)
    assert sample_scores(ScoreFunction.TOP3_ACCURACY, outputs, labels).tolist() == [1, 1, 1, 0, 0, 0]
    assert sample_scores(ScoreFunction.TOP5_ACCURACY, outputs, labels).tolist() == [1, 1, 1, 1, 1, 0]


def test_labels_that_no_output_has_score_nothing() -> None:
    outputs = np.zeros((2, 3), dtype=np.int32)
    for function in TOP:
        assert total_score(function, outputs, np.array([-1, 3], dtype=np.int32)) == 0


def test_errors_are_capped_and_do_not_overflow() -> None:
    outputs = np.array([[10], [-(2**23) + 1], [0]], dtype=np.int32)
    labels = np.array([13, 2**31 - 1, -(2**31)], dtype=np.int32)
    scores = sample_scores(ScoreFunction.MEAN_ABSOLUTE_ERROR, outputs, labels)
    assert scores.tolist() == [-3, -MAX_SAMPLE_ERROR, -MAX_SAMPLE_ERROR]
    squares = sample_scores(ScoreFunction.MEAN_SQUARED_ERROR, outputs, labels)
    assert squares.tolist() == [-9, -MAX_SQUARED_ERROR, -MAX_SQUARED_ERROR]


def test_what_does_not_fit_is_refused() -> None:
    outputs, labels = np.zeros((2, 3), dtype=np.int32), np.zeros(2, dtype=np.int32)
    with pytest.raises(Rejected, match="model: 3 outputs; mean absolute error scores a model with one"):
        sample_scores(ScoreFunction.MEAN_ABSOLUTE_ERROR, outputs, labels)
    with pytest.raises(Rejected, match="labels: 1 for 2 outputs"):
        sample_scores(ScoreFunction.ACCURACY, outputs, labels[:1])
    with pytest.raises(Bug):
        sample_scores(ScoreFunction.NONE, outputs, labels)
    network = IntegerNetwork((4,), (dense_node(np.ones((2, 4)), np.zeros(2), 1, 1),), 1.0)
    for function in (ScoreFunction.ACCURACY, ScoreFunction.TOP3_ACCURACY, ScoreFunction.CROSS_ENTROPY):
        check_scorable(function, network)
    with pytest.raises(Rejected, match="model: 2 outputs; mean squared error"):
        check_scorable(ScoreFunction.MEAN_SQUARED_ERROR, network)
