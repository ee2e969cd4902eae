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


ABSTAIN = -(2**63)
"""Stands for "I could not score this model"; no honest sum can reach it."""

MAX_SAMPLE_ERROR = 2**24
"""The largest error one sample can add, in output units."""

PPM = 1_000_000
"""Parts per million in one."""

NO_MINIMUM = -(2**63)
"""A `minimumScorePpm` that every score reaches."""


def in_range(function: ScoreFunction, score: int, samples: int) -> bool:
    """Whether `score` can be the sum over `samples` samples of `function` at all."""
    match function:
        case ScoreFunction.ACCURACY:
            return 0 <= score <= samples
        case ScoreFunction.MEAN_ABSOLUTE_ERROR:
            return -samples * MAX_SAMPLE_ERROR <= score <= 0
        case _:
            return False


def best_ppm(function: ScoreFunction) -> int:
    """The best mean score per sample there can be, in millionths of a unit."""
    return PPM if function is ScoreFunction.ACCURACY else 0


def reaches(score: int, samples: int, minimum_ppm: int) -> bool:
    """Whether the mean per sample is at least `minimum_ppm` millionths of a unit."""
    return score * PPM >= minimum_ppm * samples


def mean_ppm(score: int, samples: int) -> Ppm:
    """The mean score per sample in millionths of a unit, rounded down; for display and comparison, never for money."""
    return Ppm(score * PPM // samples)
