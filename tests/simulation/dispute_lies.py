"""What liars claim to have evaluated: consistent falsehoods, each with the traces that go with it, and plain noise."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from offchain.dispute.evidence import Evidence, Work
from offchain.dispute.reduction import reduce_terms
from offchain.dispute.sample_scores import sample_score
from offchain.dispute.steps import unit_of
from offchain.dispute.tracing import trace_sample
from offchain.model.graph import Int64Array, IntegerNetwork
from offchain.model.oracle import compute_node
from offchain.model.roots import TraceTree, tensor_bytes
from offchain.protocol.scores import in_range
from tests.simulation.dispute_worlds import Generator, World, rebuilt, score_all

Tensors = list[np.ndarray]
_TRIES = 12
_LIES_TRIED = 20


class FalseEvidence(Evidence):
    """Scores and traces as a liar has them; trees of model and test set are the true ones, which are committed to."""

    def __init__(
        self, work: Work, scores: Int64Array, traces: Mapping[int, Tensors], network: IntegerNetwork | None = None
    ) -> None:
        super().__init__(work, scores)
        self._lies = traces
        self._network = network or work.network

    def _make_trace(self, sample: int) -> TraceTree:
        tensors: Sequence[np.ndarray] | None = self._lies.get(sample)
        return TraceTree(self.work.network, tensors or trace_sample(self._network, self.work.inputs[sample]))

    def parts(self, sample: int, node: int, element: int, bounds: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
        found = self.node(node)
        weight = self._network.nodes[node].weight
        row = b"" if weight is None else weight[unit_of(found, element)].tobytes()
        return reduce_terms(found, element, bounds, self.trace(sample).data(found.inputs[0]), row)


def true_tensors(world: World, sample: int) -> Tensors:
    """The trace of one sample."""
    return list(trace_sample(world.work.network, world.work.inputs[sample]))


def score_of(world: World, sample: int, tensors: Tensors) -> int:
    """What a sample scores with this trace."""
    network = world.work.network
    output = tensor_bytes(network, len(network.nodes), tensors[-1])
    return sample_score(world.work.function, output, int(world.labels[sample]))


def recompute(network: IntegerNetwork, tensors: Tensors, changed: int) -> Tensors:
    """The tensors with everything after tensor `changed` computed again."""
    found = tensors[: changed + 1]
    for node in network.nodes[changed:]:
        found.append(compute_node(node, [found[tensor][None].astype(np.int64) for tensor in node.inputs])[0])
    return found


def disturb(rng: Generator, network: IntegerNetwork, tensor: int, array: np.ndarray) -> np.ndarray:
    """The tensor with one element changed, or a few, or all."""
    changed = array.copy().reshape(-1)
    last = tensor == len(network.nodes)
    count = int(rng.choice([1, 1, 1, min(3, changed.size), changed.size]))
    places = rng.choice(changed.size, count, replace=False)
    wide = last and rng.integers(2)
    bound = 2**31 if wide and rng.integers(2) else 2**23 if wide else 128
    changed[places] = rng.integers(-bound, bound, count)
    if np.array_equal(changed, array.reshape(-1)):
        place = int(rng.choice(places))
        changed[place] += 1 if changed[place] < 127 else -1
    return changed.reshape(array.shape)


def false_trace(rng: Generator, world: World, sample: int, tensor: int) -> Tensors | None:
    """A trace whose first false tensor is `tensor` and that scores another score; None if none was found."""
    network, truth = world.work.network, int(world.scores[sample])
    tensors = true_tensors(world, sample)
    for _ in range(_TRIES):
        lie = [*tensors[:tensor], disturb(rng, network, tensor, tensors[tensor])]
        lie = recompute(network, lie, tensor)
        if score_of(world, sample, lie) != truth:
            return lie
    for _ in range(_TRIES):
        lie[-1] = disturb(rng, network, len(network.nodes), lie[-1])
        if score_of(world, sample, lie) != truth:
            return lie
    return None


def flip_tensor(rng: Generator, world: World, tensor: int | None = None) -> FalseEvidence | None:
    """One sample, or some, evaluated with a false element in one node's output and everything after recomputed."""
    count = len(world.scores)
    scores, traces = world.scores.copy(), {}
    for sample in rng.choice(count, min(count, int(rng.choice([1, 1, 1, 3]))), replace=False):
        where = _some_tensor(rng, world) if tensor is None else tensor
        lie = false_trace(rng, world, int(sample), where)
        if lie is not None:
            traces[int(sample)] = lie
            scores[sample] = score_of(world, int(sample), lie)
    return FalseEvidence(world.work, scores, traces) if traces else None


def _some_tensor(rng: Generator, world: World) -> int:
    """Any node's output; of a wide network mostly the first."""
    nodes = len(world.work.network.nodes)
    return 1 if world.work.inputs[0].size > 5000 and rng.integers(4) else int(rng.integers(1, nodes + 1))


def flip_output(rng: Generator, world: World) -> FalseEvidence | None:
    """One sample's output is false and nothing else."""
    return flip_tensor(rng, world, len(world.work.network.nodes))


def flip_input(rng: Generator, world: World) -> FalseEvidence | None:
    """One sample evaluated on other inputs than the test set's."""
    sample = int(rng.integers(len(world.scores)))
    tensors = true_tensors(world, sample)
    for _ in range(_TRIES):
        lie = recompute(world.work.network, [disturb(rng, world.work.network, -1, tensors[0])], 0)
        scores = world.scores.copy()
        scores[sample] = score_of(world, sample, lie)
        if scores[sample] != world.scores[sample]:
            return FalseEvidence(world.work, scores, {sample: lie})
    return None


def flip_weight(rng: Generator, world: World) -> FalseEvidence | None:
    """Everything evaluated with other parameters of one node than the model's."""
    network = world.work.network
    places = [index for index, node in enumerate(network.nodes) if node.weight is not None]
    if not places or (network.nodes[0].weight is not None and network.nodes[0].weight.size > 1 << 16):
        return None
    for _ in range(3):
        place = int(rng.choice(places))
        node = network.nodes[place]
        assert node.weight is not None
        weight = node.weight.copy().reshape(-1)
        some = rng.choice(weight.size, int(rng.choice([1, weight.size])), replace=False)
        weight[some] = rng.integers(-128, 128, len(some))
        other = rebuilt(node, weight=weight.reshape(node.weight.shape))
        nodes = (*network.nodes[:place], other, *network.nodes[place + 1 :])
        false = IntegerNetwork(network.input_shape, nodes, network.output_scale)
        scores = score_all(false, world.work.function, world.work.inputs, world.labels)
        if scores.sum() != world.score:
            return FalseEvidence(world.work, scores, {}, false)
    return None


def noise(rng: Generator, world: World) -> FalseEvidence | None:
    """Somebody's score with something added, and nothing behind it."""
    scores = world.scores.copy()
    scores[rng.integers(len(scores))] += int(rng.choice([-1, 1, 2, 5, 1000]))
    return FalseEvidence(world.work, scores, {})


def mislabel(rng: Generator, world: World) -> FalseEvidence | None:
    """Scored against labels in another order."""
    labels = rng.permutation(world.labels)
    scores = score_all(world.work.network, world.work.function, world.work.inputs, labels)
    return FalseEvidence(world.work, scores, {})


LIES: tuple[Callable[[Generator, World], FalseEvidence | None], ...] = (
    flip_tensor,
    flip_tensor,
    flip_tensor,
    flip_output,
    flip_input,
    flip_weight,
    noise,
    mislabel,
)


def random_lie(rng: Generator, world: World) -> FalseEvidence:
    """Evidence for another score than the true one, but one that can be revealed."""
    for _ in range(_LIES_TRIED):
        lie = LIES[int(rng.integers(len(LIES)))](rng, world)
        if lie is not None and is_false(world, lie):
            return lie
    # Where every trace scores the same, such as the top five of three, noise alone is a lie; seldom the right noise.
    for change in (-1, 1):
        scores = world.scores.copy()
        scores[0] += change
        lie = FalseEvidence(world.work, scores, {})
        if is_false(world, lie):
            return lie
    raise AssertionError("no lie about this world")


def is_false(world: World, lie: FalseEvidence) -> bool:
    """Whether what is claimed is another score than the true one, within the function's range."""
    count = len(world.scores)
    claimed = lie.total(0, count)
    return claimed != world.score and in_range(world.work.function, claimed, count)
