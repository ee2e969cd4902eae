"""What an honest player knows: model, test set, every sample's true score, and the trace of a sample when asked.

Nothing here costs as much as one evaluation of the test set, which has happened before: the scores are its result, and
a game looks at one sample's trace.
"""

from dataclasses import dataclass

import numpy as np

from offchain.dispute.reduction import reduce_terms
from offchain.dispute.state import Setting
from offchain.dispute.steps import WEIGHTED, unit_of
from offchain.dispute.tracing import trace_sample
from offchain.errors import Bug
from offchain.model.graph import Int8Array, Int64Array, IntegerNetwork
from offchain.model.leaves import Descriptor, NodeOpening, Sample, UnitOpening
from offchain.model.roots import ModelTree, SampleTree, TraceTree
from offchain.protocol.scores import ScoreFunction

_KEPT_BYTES = 32 << 20
"""Of tensors that are kept for further moves; one trace is kept, however large."""


@dataclass(frozen=True, slots=True)
class Work:
    """A model and a test set, with their trees.

    inputs: int8 (n, *network.input_shape). function: the order's.
    """

    network: IntegerNetwork
    model: ModelTree
    samples: SampleTree
    inputs: Int8Array
    function: ScoreFunction

    @property
    def setting(self) -> Setting:
        """What a dispute about it refers to."""
        return Setting(
            model_root=self.model.root,
            test_root=self.samples.root,
            sample_count=len(self.inputs),
            score_function=self.function,
            output_size=int(np.prod(self.network.output_shape)),
        )


class Evidence:
    """What one player says about a model on a test set; of an honest player, the truth.

    scores: int64 (n,), of each sample. Traces are made when a game gets to a sample; the last few are kept, for several
    disputes of one model may look at different samples in turn.
    """

    def __init__(self, work: Work, scores: Int64Array) -> None:
        if len(scores) != len(work.inputs):
            raise Bug(f"{len(scores)} scores of {len(work.inputs)} samples")
        self.work = work
        self._sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(scores, dtype=np.int64)])
        self._traces: dict[int, TraceTree] = {}
        """By sample, the one used last at the end."""

    def total(self, low: int, high: int) -> int:
        """The sum of the scores of samples [low, high)."""
        return int(self._sums[high] - self._sums[low])

    def trace(self, sample: int) -> TraceTree:
        """All tensors of one sample."""
        found = self._traces.pop(sample, None)
        if found is None:
            while len(self._traces) >= self._most_traces:
                self._traces.pop(next(iter(self._traces)))
            found = self._make_trace(sample)
        self._traces[sample] = found
        return found

    def sample(self, sample: int) -> tuple[Sample, tuple[bytes, ...]]:
        """A sample's leaf, and its proof up to the test root."""
        return self.work.samples.sample(sample), self.work.samples.prove(sample)

    def node(self, index: int) -> Descriptor:
        """A node of the model."""
        return self.work.model.descriptors[index]

    def open_node(self, index: int) -> NodeOpening:
        """A node with its proof."""
        return self.work.model.open_node(index)

    def open_unit(self, node: int, element: int) -> UnitOpening:
        """The unit behind an element of a reduction; of a pool, which has none, all zero."""
        found = self.node(node)
        return self.work.model.open_unit(node, unit_of(found, element)) if found.op in WEIGHTED else UnitOpening()

    def parts(self, sample: int, node: int, element: int, bounds: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
        """The combined terms of each range of terms of an element's reduction."""
        found = self.node(node)
        data = self.trace(sample).data(found.inputs[0])
        weight = self.work.network.nodes[node].weight
        row = b"" if weight is None else weight[unit_of(found, element)].tobytes()
        return reduce_terms(found, element, bounds, data, row)

    @property
    def _most_traces(self) -> int:
        return max(1, _KEPT_BYTES // self.work.model.descriptors[-1].totals.elements)

    def _make_trace(self, sample: int) -> TraceTree:
        return TraceTree(self.work.network, trace_sample(self.work.network, self.work.inputs[sample]))
