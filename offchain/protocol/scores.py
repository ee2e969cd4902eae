"""Ranges of the score functions; twin of `contracts/libraries/ScoreFunctions.sol`.

What one sample scores is said in `offchain/model/scores.py`; here is what a sum over samples can be at all.
"""

from enum import IntEnum

from offchain.types import Ppm


class ScoreFunction(IntEnum):
    """Score functions are part of the protocol; the values are those of the contracts' enum."""

    NONE = 0
    ACCURACY = 1
    MEAN_ABSOLUTE_ERROR = 2
    TOP3_ACCURACY = 3
    TOP5_ACCURACY = 4
    MEAN_SQUARED_ERROR = 5
    CROSS_ENTROPY = 6

    @property
    def is_top_k(self) -> bool:
        """Whether a sample scores 1 or 0, by the place of the label's output."""
        return self in (ScoreFunction.ACCURACY, ScoreFunction.TOP3_ACCURACY, ScoreFunction.TOP5_ACCURACY)

    @property
    def is_regression(self) -> bool:
        """Whether the label is a number that the model's one output is compared with."""
        return self in (ScoreFunction.MEAN_ABSOLUTE_ERROR, ScoreFunction.MEAN_SQUARED_ERROR)


ABSTAIN = -(2**63)
"""Stands for "I could not score this model"; no honest sum can reach it."""

MAX_SAMPLE_ERROR = 2**24
"""The largest error one sample can add: in output units, for cross-entropy in units of 2^-16 bit."""

MAX_SQUARED_ERROR = 2**40
"""The largest squared error one sample can add."""

MAX_SAMPLES = 2**21
"""The most samples of a test set: the worst sum over them is an int64, and not `ABSTAIN`."""

PPM = 1_000_000
"""Parts per million in one."""

NO_MINIMUM = -(2**63)
"""A `minimumScorePpm` that every score reaches."""


def in_range(function: ScoreFunction, score: int, samples: int) -> bool:
    """Whether `score` can be the sum over `samples` samples of `function` at all."""
    if function is ScoreFunction.NONE:
        return False
    if function.is_top_k:
        return 0 <= score <= samples
    worst = MAX_SQUARED_ERROR if function is ScoreFunction.MEAN_SQUARED_ERROR else MAX_SAMPLE_ERROR
    return -samples * worst <= score <= 0


def best_ppm(function: ScoreFunction) -> int:
    """The best mean score per sample there can be, in millionths of a unit."""
    return PPM if function.is_top_k else 0


def reaches(score: int, samples: int, minimum_ppm: int) -> bool:
    """Whether the mean per sample is at least `minimum_ppm` millionths of a unit."""
    return score * PPM >= minimum_ppm * samples


def mean_ppm(score: int, samples: int) -> Ppm:
    """The mean score per sample in millionths of a unit, rounded down; for display and comparison, never for money."""
    return Ppm(score * PPM // samples)
