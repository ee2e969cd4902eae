"""A lie about one element of one node, for measuring: everything before it is true, so the game goes all the way."""

from dataclasses import dataclass

import numpy as np

from offchain.dispute.evidence import Evidence, Work
from offchain.dispute.tracing import trace_sample
from offchain.model.graph import Int32Array, Int64Array
from offchain.model.roots import TraceTree


@dataclass(frozen=True, slots=True)
class Falsehood:
    """The sample whose score is false by one, and the node and element (row-major) at which its trace begins to be."""

    sample: int
    node: int
    element: int


class LyingEvidence(Evidence):
    """What a liar claims of a model's accuracy. Scores int64 (n,) are the true ones, labels int32 (n,)."""

    def __init__(self, work: Work, scores: Int64Array, labels: Int32Array, falsehood: Falsehood) -> None:
        claimed = scores.copy()
        claimed[falsehood.sample] = 1 - claimed[falsehood.sample]
        super().__init__(work, claimed)
        self._falsehood = falsehood
        self._label = int(labels[falsehood.sample])
        self._right = bool(claimed[falsehood.sample])

    def _make_trace(self, sample: int) -> TraceTree:
        network = self.work.network
        tensors = [np.array(tensor) for tensor in trace_sample(network, self.work.inputs[sample])]
        if sample == self._falsehood.sample:
            disturbed = tensors[self._falsehood.node + 1].reshape(-1)
            disturbed[self._falsehood.element] += 1 if disturbed[self._falsehood.element] < 0 else -1
            self._rule(tensors[-1].reshape(-1))
        return TraceTree(network, tensors)

    def _rule(self, output: Int64Array) -> None:
        """Makes the output say what the claim says: the label's value the largest, or another one."""
        chosen = self._label if self._right else (self._label + 1) % len(output)
        output[chosen] = output.max() + 1
