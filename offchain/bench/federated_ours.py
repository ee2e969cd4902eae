"""Assay's aggregation rules in the bench's process."""

from __future__ import annotations

import time

import numpy as np

from offchain.bench.federated_worker import Job, Result, Rules, serve
from offchain.federated.aggregation.blocks import Vector
from offchain.federated.aggregation.rule import Rule, RuleId, aggregate

_COPIED = 1 << 25
"""int64 words of a buffer that no cache holds."""


def _rule(data: list[Vector], job: Job) -> Result:
    rule = Rule(RuleId(job["id"]), job["parameter"], job["selected"])
    return aggregate(rule, data, job["weights"], threads=1).aggregate


def _bandwidth(_data: list[Vector], _job: Job) -> Result:
    """Bytes a second, read and written, of the better of three copies."""
    source, target = np.ones(_COPIED, np.int64), np.ones(_COPIED, np.int64)
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        np.copyto(target, source)
        best = max(best, 2 * source.nbytes / (time.perf_counter() - began))
    return np.array([best])


if __name__ == "__main__":
    rules: Rules = {"ours": _rule, "bandwidth": _bandwidth}
    serve(lambda made, _: made, rules)
