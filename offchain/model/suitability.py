"""Whether a spec can be trained on a data set: clients ask before they pay, providers before they start."""

from __future__ import annotations

from offchain.data.dataset import Dataset
from offchain.data.raw import Task
from offchain.errors import Rejected
from offchain.model.spec import ModelSpec

MIN_SAMPLES = 4


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
