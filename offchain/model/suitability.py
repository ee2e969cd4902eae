"""Whether a spec can be trained on a data set: clients ask before they pay, providers before they start."""

from __future__ import annotations

from offchain.data.dataset import Dataset
from offchain.data.raw import Task
from offchain.errors import Rejected
from offchain.model.spec import ModelSpec
from offchain.protocol.scores import ScoreFunction

MIN_SAMPLES = 4


_FIRST = {ScoreFunction.TOP3_ACCURACY: 3, ScoreFunction.TOP5_ACCURACY: 5}


def default_function(task: Task) -> ScoreFunction:
    """What a task is scored by unless its client says otherwise."""
    return ScoreFunction.MEAN_ABSOLUTE_ERROR if task == "regression" else ScoreFunction.ACCURACY


def require_scored(spec: ModelSpec, task: Task, function: ScoreFunction) -> None:
    """Raises Rejected unless the score function is for the task and can tell models of the spec apart."""
    if function.is_regression != (task == "regression"):
        fitting = "mae or mse" if task == "regression" else "accuracy, top3, top5 or cross-entropy"
        raise Rejected(f"--score: this is a {task}, which is scored by {fitting}")
    if spec.outputs <= _FIRST.get(function, 0):
        raise Rejected(
            f"--score: with {spec.outputs} classes every model has the label among the first {_FIRST[function]}; "
            "use accuracy or cross-entropy"
        )


def require_trainable(spec: ModelSpec, data: Dataset, task: Task) -> None:
    """Raises Rejected unless the spec fits the data: sample shape, enough classes, a single unit for regression."""
    if len(data) < MIN_SAMPLES:
        raise Rejected(
            f"training data has {len(data)} samples; at least {MIN_SAMPLES} are needed to train and to hold out"
        )
    outputs = 1 if task == "regression" else spec.outputs
    spec.require(input_shape=data.shape, outputs=outputs)
    lowest, highest = int(data.labels.min()), int(data.labels.max())
    if task == "classification" and not 0 <= lowest <= highest < spec.outputs:
        last = spec.layers[-1].name
        raise Rejected(
            f"spec layer {len(spec.layers)} {last!r} has {spec.outputs} units, but labels go from {lowest} to {highest}"
        )
