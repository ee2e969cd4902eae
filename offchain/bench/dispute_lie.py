"""A lie about one element of one node, for measuring: everything before it is true, so the game goes all the way."""

from dataclasses import dataclass

import numpy as np

from offchain.dispute.evidence import Evidence, Work
from offchain.dispute.steps import finished, terms_of
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

    def parts(self, sample: int, node: int, element: int, bounds: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
        """The false part is always the first."""
        true = super().parts(sample, node, element, bounds)
        if (node, element) != (self._falsehood.node, self._falsehood.element) or bounds[0][0] != 0:
            return true
        return (true[0] + self._excess(sample), *true[1:])

    def _excess(self, sample: int) -> int:
        """What has to be added to the reduction for the false element to come out: it is monotonic, so by halving."""
        found = self.node(self._falsehood.node)
        place = self._falsehood.element
        opening = self.open_unit(found.index, place)
        (whole,) = super().parts(sample, found.index, place, ((0, terms_of(found)),))
        width = 4 if found.index + 1 == len(self.work.network.nodes) else 1
        data = self.trace(sample).data(found.index + 1)
        wanted = int.from_bytes(data[place * width : (place + 1) * width], "big", signed=True)
        low, high = -(1 << 60), 1 << 60
        while low < high:
            middle = (low + high) // 2
            if finished(found, opening.unit, whole + middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _make_trace(self, sample: int) -> TraceTree:
        network = self.work.network
        tensors = [np.array(tensor) for tensor in trace_sample(network, self.work.inputs[sample])]
        if sample == self._falsehood.sample:
            disturbed = tensors[self._falsehood.node + 1].reshape(-1)
            # Within the clamp, else there are no parts that it could come of.
            high = network.nodes[self._falsehood.node].high
            disturbed[self._falsehood.element] += 1 if disturbed[self._falsehood.element] < high else -1
            self._rule(tensors[-1].reshape(-1))
        return TraceTree(network, tensors)

    def _rule(self, output: Int64Array) -> None:
        """Makes the output say what the claim says: the label's value the largest, or another one."""
        chosen = self._label if self._right else (self._label + 1) % len(output)
        output[chosen] = output.max() + 1
