"""How the winner does on the test set, sample by sample: the verified network on the verified data. Pure."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.model.evaluator import Evaluator
from offchain.model.graph import IntegerNetwork
from offchain.model.scores import total_score
from offchain.protocol.manifest import Preprocessing
from offchain.protocol.scores import ScoreFunction
from offchain.reports.story import Check, Confusion, Residuals

BINS = 30

Integers = npt.NDArray[np.integer[Any]]


def check_model(
    network: IntegerNetwork,
    data: Dataset,
    function: ScoreFunction,
    preprocessing: Preprocessing | None,
    *,
    at_once: int,
) -> Check:
    """Evaluates `at_once` samples at a time. Raises Rejected when data and network do not fit the function."""
    evaluator, said, score = Evaluator(network), [], 0
    for start in range(0, len(data), at_once):
        outputs = evaluator(data.inputs[start : start + at_once])
        score += total_score(function, outputs, data.labels[start : start + at_once])
        flat = outputs.reshape(len(outputs), prod(outputs.shape[1:]))
        said.append(flat[:, 0] if function.is_regression else np.argmax(flat, axis=1))
    whole = np.concatenate(said)
    if function.is_regression:
        return residuals(whole, data.labels, preprocessing, score)
    return confusion(whole, data.labels, prod(network.output_shape), score)


def confusion(said: Integers, labels: Integers, classes: int, score: int) -> Confusion:
    """From the class that was said (n,), the first of the largest outputs, and labels (n,)."""
    inside = (labels >= 0) & (labels < classes)
    places = labels[inside].astype(np.int64) * classes + said[inside].astype(np.int64)
    counts = np.bincount(places, minlength=classes * classes)
    rows = counts.reshape(classes, classes)
    return Confusion(
        counts=tuple(tuple(int(count) for count in row) for row in rows),
        outside=int(len(labels) - inside.sum()),
        score=score,
        samples=len(labels),
    )


def residuals(said: Integers, labels: Integers, preprocessing: Preprocessing | None, score: int) -> Residuals:
    """From what was said (n,) and labels (n,), both in the order's integer steps."""
    scale = None if preprocessing is None else preprocessing.label_scale
    errors = (said.astype(np.float64) - labels.astype(np.float64)) * (1.0 if scale is None else scale)
    counts, edges = np.histogram(errors, bins=min(BINS, max(len(errors), 1)))
    return Residuals(
        edges=tuple(float(edge) for edge in edges),
        counts=tuple(int(count) for count in counts),
        mean=float(errors.mean()),
        spread=float(errors.std()),
        mean_absolute=float(np.abs(errors).mean()),
        largest=float(np.abs(errors).max()),
        unit="steps" if scale is None else "label units",
        score=score,
        samples=len(labels),
    )


def most_confused(counts: Sequence[Sequence[int]], limit: int) -> list[tuple[int, int, int]]:
    """The most frequent mistakes: (count, label, said), at most `limit`."""
    wrong = [
        (count, label, said)
        for label, row in enumerate(counts)
        for said, count in enumerate(row)
        if count and label != said
    ]
    return sorted(wrong, key=lambda item: (-item[0], item[1], item[2]))[:limit]
