"""What models are trained for and judged by."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.model.evaluator import evaluate
from offchain.model.objective import best_temperature, mean_score, task_of
from offchain.model.scores import total_score
from offchain.model.search import SearchSettings, hold_out, search
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.suitability import default_function
from offchain.protocol.scores import ScoreFunction
from tests.unit.training.test_training import never, order

FUNCTIONS = [function for function in ScoreFunction if function is not ScoreFunction.NONE]
QUICK = SearchSettings(configurations=2, first_cycle=4, max_epochs=12, patience=1)
BITS = 65536


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FUNCTIONS), st.integers(2, 7))
def test_the_mean_score_is_the_integer_score_in_its_unit(seed: int, function: ScoreFunction, classes: int) -> None:
    random = np.random.default_rng(seed)
    columns = 1 if function.is_regression else classes
    outputs = random.integers(-900, 900, (20, columns)).astype(np.int32)
    labels = random.integers(0, classes, 20).astype(np.int32)
    exact = total_score(function, outputs, labels) / 20
    if function is ScoreFunction.CROSS_ENTROPY:
        assert mean_score(outputs / 256, labels, function) == pytest.approx(exact / BITS, abs=1e-4)
    else:
        assert mean_score(outputs, labels, function) == pytest.approx(exact)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_the_temperature_undoes_over_and_underconfidence(seed: int, factor: float) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (400, 3))
    chances = np.exp2(logits) / np.exp2(logits).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < random.random((400, 1))).sum(axis=1).clip(max=2).astype(np.int32)
    found = best_temperature(logits * factor, labels)
    assert math.log(found / factor) == pytest.approx(0, abs=0.5)
    tempered = mean_score(logits * factor / found, labels, ScoreFunction.CROSS_ENTROPY)
    for other in (0.9, 1.1, factor):
        assert tempered >= mean_score(logits * factor / (found * other), labels, ScoreFunction.CROSS_ENTROPY) - 1e-6


def test_every_task_has_a_default_among_its_own_functions() -> None:
    for task in ("classification", "regression"):
        assert task_of(default_function(task)) == task
    assert {task_of(function) for function in FUNCTIONS} == {"classification", "regression"}


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if not f.is_regression])
def test_classifiers_for_every_score(function: ScoreFunction) -> None:
    train, test, _, _ = order("digits")
    spec = spec_from_shorthand("mlp:32", input_shape=(8, 8, 1), outputs=10)
    *_, last = search(spec, train, function, seed=0, should_stop=never, settings=QUICK)
    outputs = evaluate(last.network, test.inputs)
    mean = total_score(function, outputs, test.labels) / len(test)
    # What the search judged by is what the protocol counts, on the same samples.
    held = hold_out(train, function, QUICK.holdout_fraction, 0).holdout
    judged = total_score(function, evaluate(last.network, held.inputs), held.labels) / len(held)
    if function is ScoreFunction.CROSS_ENTROPY:
        assert last.network.output_scale == 1 / 256
        assert judged / BITS == pytest.approx(last.integer.score, abs=1e-3)
        assert -mean / BITS < 0.4  # bits; guessing costs log2(10) = 3.3
        # At the temperature that was found, no other would do much better on the hold-out.
        assert best_temperature(evaluate(last.network, held.inputs) / 256, held.labels) == pytest.approx(1, abs=0.05)
    else:
        assert judged == pytest.approx(last.integer.score)
        assert mean > (0.94 if function is ScoreFunction.ACCURACY else 0.98)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.is_regression])
def test_regressions_for_every_score(function: ScoreFunction) -> None:
    train, test, _, _ = order("diabetes")
    spec = spec_from_shorthand("mlp:16", input_shape=(10,), outputs=1)
    *_, last = search(spec, train, function, seed=0, should_stop=never, settings=QUICK)
    score = total_score(function, evaluate(last.network, test.inputs), test.labels)
    squared = function is ScoreFunction.MEAN_SQUARED_ERROR
    constant = np.full((len(test), 1), np.mean(train.labels) if squared else np.median(train.labels)).astype(np.int32)
    assert score > 0.85 * total_score(function, constant, test.labels)


def test_the_squared_error_is_trained_for() -> None:
    """A skewed label whose mean and median lie far apart: who minimises squares predicts the mean."""
    from offchain.data.dataset import Dataset

    random = np.random.default_rng(0)
    labels = np.where(random.random(600) < 0.8, 0, 1000).astype(np.int32)
    data = Dataset(random.integers(-100, 100, (600, 3)).astype(np.int8), labels)
    spec = spec_from_shorthand("mlp:4", input_shape=(3,), outputs=1)
    middle = {}
    for function in (ScoreFunction.MEAN_SQUARED_ERROR, ScoreFunction.MEAN_ABSOLUTE_ERROR):
        *_, last = search(spec, data, function, seed=0, should_stop=never, settings=QUICK)
        middle[function] = float(evaluate(last.network, data.inputs).mean())
    assert middle[ScoreFunction.MEAN_SQUARED_ERROR] == pytest.approx(200, abs=60)
    assert middle[ScoreFunction.MEAN_ABSOLUTE_ERROR] < 130
