"""Lies differ from the truth, stay within the function's range, and can be told as a story."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.model.scores import sample_scores
from offchain.protocol.scores import ABSTAIN, ScoreFunction, in_range
from offchain.roles.lies import Conspiracy, CopyWithNoise, FlipOneSample, Truth
from offchain.roles.stories import bend, forge_output
from offchain.types import OrderId
from tests.simulation.evm import account

PROVIDERS = (account(1), account(2), account(3))


def truth(*scores: int, function: ScoreFunction = ScoreFunction.ACCURACY) -> Truth:
    return Truth(OrderId(1), scores, PROVIDERS[: len(scores)], function, 48)


def test_one_sample_is_flipped_within_the_range() -> None:
    assert FlipOneSample(1)(truth(40, 47)) == (40, 48)
    assert FlipOneSample(0)(truth(48, 47)) == (47, 47)
    assert FlipOneSample(0)(truth(ABSTAIN, 47)) == (ABSTAIN, 47)
    assert FlipOneSample(0)(truth(0, function=ScoreFunction.MEAN_ABSOLUTE_ERROR)) == (-1,)


def test_conspirators_agree_and_tell_the_truth_about_the_others() -> None:
    lie = Conspiracy(PROVIDERS[0], margin=3)
    assert lie(truth(20, 40, 30)) == (43, 40, 30)
    assert lie(truth(20, 47, 30)) == (48, 47, 30)
    assert lie(truth(20, 48, 30)) == (48, 48, 30), "a draw, for there is nothing better"
    assert Conspiracy(account(9))(truth(20, 47)) == (20, 47)


@given(st.lists(st.integers(0, 48), min_size=1, max_size=3), st.integers(1, 5))
def test_a_copy_is_never_the_original(scores: list[int], noise: int) -> None:
    told = CopyWithNoise(lambda _: tuple(scores), noise)(truth(*[0] * len(scores)))
    assert all(a != b and abs(a - b) <= noise and 0 <= a <= 48 for a, b in zip(told, scores, strict=True))


@given(st.lists(st.integers(0, 1), min_size=1, max_size=50), st.data())
def test_a_story_adds_up_to_its_claim(hits: list[int], data: st.DataObject) -> None:
    true = np.array(hits, dtype=np.int64)
    claim = data.draw(st.integers(0, len(hits)))
    told = bend(true, claim, ScoreFunction.ACCURACY)
    assert int(told.sum()) == claim
    assert set(told.tolist()) <= {0, 1}
    assert int((told != true).sum()) == abs(claim - sum(hits))


@given(st.lists(st.integers(-(2**24), 0), min_size=1, max_size=9), st.data())
def test_a_story_about_errors_adds_up_too(errors: list[int], data: st.DataObject) -> None:
    true = np.array(errors, dtype=np.int64)
    claim = data.draw(st.integers(-(2**24) * len(errors), 0))
    told = bend(true, claim, ScoreFunction.MEAN_ABSOLUTE_ERROR)
    assert int(told.sum()) == claim
    assert all(in_range(ScoreFunction.MEAN_ABSOLUTE_ERROR, int(score), 1) for score in told)


@pytest.mark.parametrize(
    "function",
    [
        ScoreFunction.ACCURACY,
        ScoreFunction.TOP3_ACCURACY,
        ScoreFunction.MEAN_ABSOLUTE_ERROR,
        ScoreFunction.MEAN_SQUARED_ERROR,
    ],
)
def test_a_forged_output_scores_what_is_told(function: ScoreFunction) -> None:
    regression = function.is_regression
    true = np.arange(1 if regression else 7, dtype=np.int64)
    for label in (0, 1, 6):
        for wanted in (0, -9, -(2**20)) if regression else (0, 1):
            forged = forge_output(true, function, wanted, label).astype(np.int32)
            scored = sample_scores(function, forged[None], np.array([label], dtype=np.int32))
            assert int(scored[0]) == wanted, (label, wanted)
