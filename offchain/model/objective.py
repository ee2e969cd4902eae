"""What a model is trained for and judged by, for each score function.

A loss is what gradients descend; a judgement is the score itself on samples kept back, as the protocol would count it,
with a loss beside it that breaks ties.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor

from offchain.data.raw import Task
from offchain.errors import Bug
from offchain.model.float_model import Scaling
from offchain.protocol.scores import ScoreFunction

FloatArray = npt.NDArray[np.float64]

BITS_PER_NAT = 1 / math.log(2)
_L1_BETA = 0.5
"""Standard deviations within which the loss of an absolute error is quadratic."""
_TEMPERATURES = (0.05, 20.0)
_GOLDEN = (math.sqrt(5) - 1) / 2

TOP_K = {ScoreFunction.ACCURACY: 1, ScoreFunction.TOP3_ACCURACY: 3, ScoreFunction.TOP5_ACCURACY: 5}


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a model did on the hold-out: mean score per sample (higher is better) and loss, which breaks ties.

    A hold-out has few samples and many models get the same number right; the loss tells which of them is surer.
    """

    score: float
    loss: float

    def better_than(self, other: Judgement | None) -> bool:
        """Higher score, or the same score with less loss."""
        return other is None or (self.score, -self.loss) > (other.score, -other.loss)


def task_of(function: ScoreFunction) -> Task:
    """The only task that a score function is for."""
    return "regression" if function.is_regression else "classification"


def training_loss(
    function: ScoreFunction, outputs: Tensor, labels: Tensor, scaling: Scaling, *, label_smoothing: float
) -> Tensor:
    """The loss to descend, for outputs (n, units) as the module gives them and integer labels (n,).

    Cross-entropy for all that has classes (smoothed labels help the ranking of outputs, but not their probabilities);
    for a regression the squared error, or for the absolute one smooth L1, of standardised labels.
    """
    if not function.is_regression:
        smoothing = 0.0 if function is ScoreFunction.CROSS_ENTROPY else label_smoothing
        return F.cross_entropy(outputs, labels.long(), label_smoothing=smoothing)
    return _regression_loss(function, outputs[:, 0], (labels.float() - scaling.output_offset) / scaling.output_scale)


def judge(function: ScoreFunction, outputs: FloatArray, labels: npt.NDArray[np.int32], scaling: Scaling) -> Judgement:
    """Judges outputs (n, units) as `predict` gives them: logits (in bits for CROSS_ENTROPY), or label units."""
    score = mean_score(outputs, labels, function)
    if not function.is_regression:
        return Judgement(score, -score if function is ScoreFunction.CROSS_ENTROPY else _nats(outputs, labels))
    values, targets = (torch.from_numpy(part / scaling.output_scale) for part in (outputs[:, 0], labels))
    return Judgement(score, float(_regression_loss(function, values, targets)))


def mean_score(
    outputs: FloatArray | npt.NDArray[np.int32], labels: npt.NDArray[np.int32], function: ScoreFunction
) -> float:
    """The mean score per sample of real outputs (n, units); higher is better.

    The share of samples with the label among the first; or minus the mean error in label units, its square, or the
    cross-entropy in bits, for which the outputs are base-2 logits in bits. Without the caps of the integer scores.
    """
    if function in TOP_K:
        if TOP_K[function] == 1:
            return float(np.mean(np.argmax(outputs, axis=1) == labels))
        first = np.argsort(-outputs.astype(np.float64), axis=1, kind="stable")[:, : TOP_K[function]]
        return float(np.mean((first == labels[:, np.newaxis]).any(axis=1)))
    match function:
        case ScoreFunction.CROSS_ENTROPY:
            return -_nats(outputs * math.log(2), labels) * BITS_PER_NAT
        case ScoreFunction.MEAN_ABSOLUTE_ERROR:
            return -float(np.mean(np.abs(outputs[:, 0].astype(np.float64) - labels)))
        case ScoreFunction.MEAN_SQUARED_ERROR:
            return -float(np.mean(np.square(outputs[:, 0].astype(np.float64) - labels)))
        case _:
            raise Bug(f"score function {function} scores nothing")


def best_temperature(outputs: FloatArray, labels: npt.NDArray[np.int32]) -> float:
    """What to divide base-2 logits (n, units) in bits by for the least cross-entropy (Guo et al. 2017, section 4.2).

    Between 1/20 and 20, by golden-section search; the cross-entropy is convex in the inverse.
    """
    low, high = (1 / value for value in reversed(_TEMPERATURES))

    def loss(inverse: float) -> float:
        return -mean_score(outputs * inverse, labels, ScoreFunction.CROSS_ENTROPY)

    while high - low > 1e-3 * high:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    inverse = (low + high) / 2
    return 1 / inverse if loss(inverse) < loss(1.0) else 1.0


def tempered(scaling: Scaling, temperature: float) -> Scaling:
    """The scaling of a float model whose logits are divided by a temperature."""
    return scaling.model_copy(update={"output_scale": scaling.output_scale / temperature})


def _regression_loss(function: ScoreFunction, values: Tensor, targets: Tensor) -> Tensor:
    if function is ScoreFunction.MEAN_SQUARED_ERROR:
        return F.mse_loss(values, targets)
    return F.smooth_l1_loss(values, targets, beta=_L1_BETA)


def _nats(logits: FloatArray | npt.NDArray[np.int32], labels: npt.NDArray[np.int32]) -> float:
    """Mean cross-entropy; NumPy, because torch's threads cost more than so few numbers."""
    below = logits - logits.max(axis=1, keepdims=True).astype(np.float64)
    chosen = below[np.arange(len(below)), labels]
    return float(np.mean(np.log(np.exp(below).sum(axis=1)) - chosen))
