"""Scores in the units of people, and back."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.data.preprocessing import Quantiser
from offchain.data.raw import build_raw
from offchain.errors import Rejected
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.suitability import require_scored
from offchain.protocol.scores import NO_MINIMUM, ScoreFunction
from offchain.roles.prepare import OrderRequest, minimum_score
from offchain.roles.score_units import describe_score, error_unit

LABELS = Quantiser(offset=(0.0,), scale=(1.0,), label_offset=100.0, label_scale=0.1)


@pytest.mark.parametrize(
    ("function", "score", "shown"),
    [
        (ScoreFunction.ACCURACY, 189, "94.50%"),
        (ScoreFunction.TOP3_ACCURACY, 200, "100.00%"),
        (ScoreFunction.CROSS_ENTROPY, -200 * 65536 // 4, "0.25 bits"),
        (ScoreFunction.MEAN_ABSOLUTE_ERROR, -200 * 423, "42.3"),
        (ScoreFunction.MEAN_SQUARED_ERROR, -200 * 400, "4"),
    ],
)
def test_a_sum_is_shown_as_a_mean_in_its_own_unit(function: ScoreFunction, score: int, shown: str) -> None:
    assert describe_score(function, score, 200, LABELS) == shown


def test_without_the_manifest_errors_are_steps() -> None:
    assert describe_score(ScoreFunction.MEAN_ABSOLUTE_ERROR, -846, 2, None) == "423 steps"
    assert describe_score(ScoreFunction.MEAN_SQUARED_ERROR, -846, 2, None) == "423 steps²"
    assert describe_score(ScoreFunction.CROSS_ENTROPY, -65536, 2, None) == "0.5 bits"
    assert error_unit(ScoreFunction.ACCURACY, LABELS) is None


def test_a_largest_error_is_put_in_the_unit_of_the_order() -> None:
    data = build_raw("t", np.zeros((4, 2)), np.array([1.0, 2.0, 3.0, 4.0]), task="regression")
    spec = spec_from_shorthand("mlp:2", input_shape=(2,), outputs=1)
    request = OrderRequest("t", data, spec, 1, 1, 1, 1, 1, maximum_mean_error=42.0)
    assert request.scored_by is ScoreFunction.MEAN_ABSOLUTE_ERROR
    assert minimum_score(request, LABELS) == -420_000_000
    squared = replace(request, score_function=ScoreFunction.MEAN_SQUARED_ERROR)
    assert minimum_score(squared, LABELS) == -4_200_000_000
    assert minimum_score(replace(squared, maximum_mean_error=1e30), LABELS) == -(2**40) * 10**6
    bits = replace(request, score_function=ScoreFunction.CROSS_ENTROPY, maximum_mean_error=0.5)
    assert minimum_score(bits, LABELS) == -32768 * 10**6
    with pytest.raises(Rejected, match="--minimum-score: a mean error is for regression and cross-entropy"):
        minimum_score(replace(request, score_function=ScoreFunction.ACCURACY), LABELS)
    assert minimum_score(replace(request, maximum_mean_error=None), LABELS) == NO_MINIMUM


def test_a_task_admits_its_own_score_functions() -> None:
    classes = spec_from_shorthand("mlp:2", input_shape=(2,), outputs=4)
    for function in (ScoreFunction.ACCURACY, ScoreFunction.TOP3_ACCURACY, ScoreFunction.CROSS_ENTROPY):
        require_scored(classes, "classification", function)
    with pytest.raises(Rejected, match="--score: with 4 classes every model has the label among the first 5"):
        require_scored(classes, "classification", ScoreFunction.TOP5_ACCURACY)
    with pytest.raises(Rejected, match="this is a classification, which is scored by accuracy, top3"):
        require_scored(classes, "classification", ScoreFunction.MEAN_SQUARED_ERROR)
    with pytest.raises(Rejected, match="this is a regression, which is scored by mae or mse"):
        require_scored(classes, "regression", ScoreFunction.CROSS_ENTROPY)
