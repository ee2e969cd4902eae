"""How a liar defends a false score for as long as it can. For the demonstration and the tests only.

A story is evidence that contradicts itself nowhere: the scores of some samples are bent until they add up to the claim,
and the outputs of these samples with them. It holds until the contract computes one of those outputs.
"""

import math

import numpy as np

from offchain.dispute.evidence import Evidence
from offchain.dispute.tracing import trace_sample
from offchain.model.graph import Int64Array
from offchain.model.roots import TraceTree
from offchain.protocol.scores import MAX_SAMPLE_ERROR, MAX_SQUARED_ERROR, ScoreFunction

_LOUD = 100
"""An output that stands out."""


class Story(Evidence):
    """Says of a model what adds up to `claim`; true wherever nothing had to be bent."""

    def __init__(self, truth: Evidence, claim: int) -> None:
        count = len(truth.work.inputs)
        true = np.array([truth.total(sample, sample + 1) for sample in range(count)], dtype=np.int64)
        told = bend(true, claim, truth.work.function)
        super().__init__(truth.work, told)
        self._bent = {int(sample): int(told[sample]) for sample in np.flatnonzero(told != true)}

    def _make_trace(self, sample: int) -> TraceTree:
        network = self.work.network
        tensors = list(trace_sample(network, self.work.inputs[sample]))
        wanted = self._bent.get(sample)
        if wanted is not None:
            label = self.work.samples.sample(sample).label
            tensors[-1] = forge_output(tensors[-1], self.work.function, wanted, label)
        return TraceTree(network, tensors)


def bend(true: Int64Array, claim: int, function: ScoreFunction) -> Int64Array:
    """Sample scores, int64 (n,), that add up to `claim`: as few changed as their range allows, the first ones first."""
    best = 1 if function.is_top_k else 0
    worst = 0 if function.is_top_k else -MAX_SAMPLE_ERROR
    if function is ScoreFunction.MEAN_SQUARED_ERROR:
        worst = -MAX_SQUARED_ERROR
    told, missing = true.copy(), claim - int(true.sum())
    for sample in range(len(told)):
        if missing == 0:
            break
        before = int(told[sample])
        told[sample] = min(max(before + missing, worst), best)
        missing -= int(told[sample]) - before
    return told


def forge_output(true: Int64Array, function: ScoreFunction, wanted: int, label: int) -> Int64Array:
    """An output, int64 of `true`'s shape, that scores `wanted` if there is one of a simple form; else the true one.

    Cross-entropy takes few values exactly, so a story about it ends when the output is asked for.
    """
    forged = np.zeros(true.size, dtype=np.int64)
    if function.is_top_k:
        if 0 <= label < true.size:
            forged[label] = _LOUD if wanted else -_LOUD
    elif function is ScoreFunction.MEAN_ABSOLUTE_ERROR:
        forged[0] = label - wanted
    elif function is ScoreFunction.MEAN_SQUARED_ERROR:
        forged[0] = label + math.isqrt(-wanted)
    else:
        return true
    return forged.reshape(true.shape)
