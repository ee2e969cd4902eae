"""Flower's aggregation rules in the bench's process; runs in Flower's own environment, on the same data in float32.

Where Flower has no such rule (the geometric median) it is put together from what it has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict  # type: ignore[import-not-found]
from flwr.server.strategy import aggregate as flower  # type: ignore[import-not-found]
from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords  # type: ignore[import-not-found]
from flwr.supercore.differential_privacy import (  # type: ignore[import-not-found]
    compute_clip_model_update,
    get_norm,
)
from numpy.typing import NDArray

from offchain.bench.federated_worker import SCALE, Job, Result, Rules, serve

Updates = list[NDArray[np.float32]]


def _prepared(made: list[NDArray[np.int16]], job: Job) -> Any:
    """float32 in place of int16, one at a time, so that both are never held whole; `records` has them serialised."""
    floating = (made.pop(0) / np.float32(SCALE) for _ in range(len(made)))
    if "records" not in job:
        return list(floating)
    return [
        RecordDict({"a": ArrayRecord({"update": Array(update)}), "m": MetricRecord({"num-examples": weight})})
        for update, weight in zip(floating, job["weights"], strict=True)
    ]


def _results(data: Updates, weights: list[int] | None = None) -> list[tuple[list[NDArray[np.float32]], int]]:
    return [([update], weight) for update, weight in zip(data, weights or [1] * len(data), strict=True)]


def _mean(data: Updates, job: Job) -> Result:
    return _only(flower.aggregate(_results(data, job["weights"])))


def _mean_of_records(data: list[Any], _job: Job) -> Result:
    """FedAvg of the newer interface. Its arrays come serialised; that they are unpacked is part of what it does."""
    return np.asarray(aggregate_arrayrecords(data, "num-examples")["update"].numpy())


def _median(data: Updates, _job: Job) -> Result:
    return _only(flower.aggregate_median(_results(data)))


def _trimmed_mean(data: Updates, job: Job) -> Result:
    return _only(flower.aggregate_trimmed_avg(_results(data), job["parameter"] / 1e6))


def _clipped_mean(data: Updates, job: Job) -> Result:
    """As its fixed clipping does at the server: each update is clipped against the model, here zero."""
    clipped, model = [], [np.zeros_like(data[0])]
    for update in data:
        parameters = [update]
        compute_clip_model_update(parameters, model, job["parameter"] / SCALE)
        clipped.append(parameters[0])
    return _only(flower.aggregate(_results(clipped)))


def _krum(data: Updates, job: Job) -> Result:
    return _only(flower.aggregate_krum(_results(data), job["hostile"], 0))


def _multi_krum(data: Updates, job: Job) -> Result:
    return _only(flower.aggregate_krum(_results(data), job["hostile"], job["kept"]))


def _bulyan(data: Updates, job: Job) -> Result:
    return _only(flower.aggregate_bulyan(_results(data), job["hostile"], flower.aggregate_krum, to_keep=0))


def _geometric_median(data: Updates, job: Job) -> Result:
    """Weiszfeld's algorithm (RFA) of Flower's weighted mean and norm."""
    z = _only(flower.aggregate(_results(data)))
    for _ in range(job["selected"]):
        lengths = [max(1 / SCALE, get_norm([update - z])) for update in data]
        z = _only(flower.aggregate([([u], 1 / length) for u, length in zip(data, lengths, strict=True)]))
    return z


def _only(layers: list[NDArray[Any]]) -> Result:
    return layers[0]


if __name__ == "__main__":
    rules: Rules = {
        "MEAN": _mean,
        "MEAN of records": _mean_of_records,
        "MEDIAN": _median,
        "TRIMMED_MEAN": _trimmed_mean,
        "CLIPPED_MEAN": _clipped_mean,
        "KRUM": _krum,
        "MULTI_KRUM": _multi_krum,
        "GEOMETRIC_MEDIAN": _geometric_median,
        "BULYAN": _bulyan,
    }
    serve(_prepared, rules)
