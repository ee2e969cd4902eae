"""Scores for people: what a sum of integers means in bits, or in the client's own units."""

from __future__ import annotations

from offchain.model.score_tables import LOSS_BITS
from offchain.protocol.manifest import Preprocessing
from offchain.protocol.scores import ScoreFunction


def error_unit(function: ScoreFunction, preprocessing: Preprocessing | None) -> float | None:
    """What one unit of an error score is worth: bits, or with the order's preprocessing label units or their square.

    None for the functions that count samples, and for a regression without its preprocessing.
    """
    if function is ScoreFunction.CROSS_ENTROPY:
        return 1 / (1 << LOSS_BITS)
    if not function.is_regression or preprocessing is None or preprocessing.label_scale is None:
        return None
    scale = preprocessing.label_scale
    return scale * scale if function is ScoreFunction.MEAN_SQUARED_ERROR else scale


def describe_score(function: ScoreFunction, score: int, samples: int, preprocessing: Preprocessing | None) -> str:
    """The mean of a score over its samples: a share, or the mean error that it is minus of.

    Without the order's preprocessing a regression's error can only be said in the integer steps of its labels.
    """
    mean, unit = abs(score) / max(samples, 1), error_unit(function, preprocessing)
    if function.is_top_k:
        return f"{mean:.2%}"
    if unit is None:
        return f"{mean:.4g} steps" + ("²" if function is ScoreFunction.MEAN_SQUARED_ERROR else "")
    return f"{mean * unit:.4g}" + (" bits" if function is ScoreFunction.CROSS_ENTROPY else "")
