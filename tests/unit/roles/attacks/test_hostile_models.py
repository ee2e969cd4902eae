"""Models and test sets made to keep validators from their work: what is honest is scored all the same."""

import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from offchain.chain.views import Model, TestSet
from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.evaluator import evaluate
from offchain.model.files import encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.limits import MAX_OUTPUT_ELEMENTS, MAX_TEST_SAMPLES, ModelLimits
from offchain.model.roots import compute_model_root, compute_test_root
from offchain.model.scores import total_score
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.protocol.scores import ABSTAIN, ScoreFunction
from offchain.roles.scoring import ScoringTask, Verdict, score_models, work_of
from offchain.storage.bounds import Progress
from offchain.storage.cid import Cid
from offchain.storage.local import LocalStore
from offchain.storage.store import Store, open_store
from offchain.types import CidDigest, Root
from tests.simulation.evm import account

LIMITS = ModelLimits(max_model_bytes=64 << 20, max_tensor_bytes=32 << 20)
SAMPLES = 60
SIDE = 8


@dataclass(frozen=True)
class Revealed:
    """A model in the store, as its reveal names it."""

    network: IntegerNetwork
    root: Root
    cid: CidDigest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"local:{tmp_path}")


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(3)
    inputs = rng.integers(-127, 128, (SAMPLES, SIDE, SIDE, 1)).astype(np.int8)
    return Dataset(inputs, (np.arange(SAMPLES) % 3).astype(np.int32))


def weighted(op: Op, source: int, shape: Shape, fan_in: int, seed: int) -> Node:
    rng = np.random.default_rng(seed)
    units = shape[-1]
    scale = Requantisation(np.full(units, 1000, np.int32), np.full(units, 16, np.uint8))
    weight = rng.integers(-2, 3, (units, fan_in)).astype(np.int8)
    plain = Node(op, (source,), shape, -128, 127, weight=weight, bias=np.zeros(units, np.int32), requantisation=scale)
    return replace(plain, kernel=(3, 3), padding=(1, 1, 1, 1)) if op is Op.CONV2D else plain


def network(*nodes: Node) -> IntegerNetwork:
    return IntegerNetwork((SIDE, SIDE, 1), nodes, 1.0)


def honest(seed: int) -> IntegerNetwork:
    return network(weighted(Op.DENSE, 0, (3,), SIDE * SIDE, seed))


def deep(channels: int, layers: int) -> IntegerNetwork:
    """One convolution after the other, and of the last one three elements."""
    first = weighted(Op.CONV2D, 0, (SIDE, SIDE, channels), 9, 1)
    next_one = weighted(Op.CONV2D, 1, (SIDE, SIDE, channels), 9 * channels, 2)
    rest = (replace(next_one, inputs=(layer,)) for layer in range(1, layers))
    return network(first, *rest, Node(Op.SLICE, (layers,), (3,), -128, 127))


def reveal(store: Store, made: IntegerNetwork) -> Revealed:
    def keep(content: bytes) -> FileRef:
        return FileRef(cid=store.add(content), size=len(content))

    root = compute_model_root(made)
    parts = {"graph": keep(encode_graph(made)), "weights": keep(encode_weights(made)), "float_weights": keep(b"")}
    return Revealed(made, root, store.add(ModelManifest(model_root=root, **parts).to_bytes()).digest)


def task(store: Store, data: Dataset, *models: Revealed) -> ScoringTask:
    test = TestSet(compute_test_root(data.inputs, data.labels), store.add(data.to_bytes()).digest, len(data))
    shown = tuple(Model(account(1), place, model.root, model.cid) for place, model in enumerate(models))
    return ScoringTask(ScoreFunction.ACCURACY, test, shown, LIMITS, max_test_bytes=10**8)


def exact(made: IntegerNetwork, data: Dataset) -> Verdict:
    return Verdict(total_score(ScoreFunction.ACCURACY, evaluate(made, data.inputs), data.labels))


def after(calls: int) -> Callable[[], bool]:
    """Time that is up when it was asked for `calls` times: a clock that no machine's speed disturbs."""
    clock = count()
    return lambda: next(clock) >= calls


def test_a_model_of_endless_cost_does_not_keep_the_others_from_their_scores(store: Store, data: Dataset) -> None:
    many = Dataset(np.repeat(data.inputs, 50, axis=0), np.repeat(data.labels, 50))
    monster, good, better = deep(256, 14), honest(1), honest(2)
    assert work_of(monster) * len(many) > 2**40
    work = task(store, many, *(reveal(store, made) for made in (monster, good, better)))
    verdicts = score_models(store, work, out_of_time=after(20), pause=lambda: None)
    assert verdicts[0].score == ABSTAIN
    assert "out of time" in (verdicts[0].reason or "")
    assert verdicts[1:] == (exact(good, many), exact(better, many))


def test_small_steps_give_the_score_of_one_evaluation(store: Store, data: Dataset) -> None:
    made = deep(64, 6)
    many = Dataset(np.tile(data.inputs, (8, 1, 1, 1)), np.tile(data.labels, 8))
    assert work_of(made) * len(many) > 2**32
    work = task(store, many, reveal(store, made))
    assert score_models(store, work, out_of_time=lambda: False, pause=lambda: None) == (exact(made, many),)


class SlowStore(LocalStore):
    """Gives one piece of content only when it is let go: a host that never finishes sending."""

    def __init__(self, path: Path, slow: CidDigest) -> None:
        super().__init__(path, seconds=60, clock=time.monotonic)
        self._slow = Cid(slow)
        self.go = threading.Event()

    def read(self, cid: Cid, *, max_bytes: int, size: int | None = None, progress: Progress | None = None) -> bytes:
        if cid == self._slow:
            self.go.wait()
        return super().read(cid, max_bytes=max_bytes, size=size, progress=progress)


def test_content_that_trickles_in_delays_nobody_elses_model(store: Store, data: Dataset, tmp_path: Path) -> None:
    trickling, good = reveal(store, honest(1)), reveal(store, honest(2))
    work = task(store, data, trickling, good)
    slow = SlowStore(tmp_path, trickling.cid)
    try:
        verdicts = score_models(slow, work, out_of_time=after(10), pause=lambda: None)
    finally:
        slow.go.set()
    assert verdicts == (Verdict(ABSTAIN, "out of time"), exact(good.network, data))


def test_an_enormous_output_takes_bounded_memory(store: Store, data: Dataset) -> None:
    units, times = MAX_OUTPUT_ELEMENTS, 80_000 // SAMPLES
    wide = network(weighted(Op.DENSE, 0, (units,), SIDE * SIDE, 1))
    many = Dataset(np.repeat(data.inputs, times, axis=0), np.repeat(data.labels, times))
    work = task(store, many, reveal(store, wide))
    at_once = 4 * units * len(many)
    tracemalloc.start()
    verdicts = score_models(store, work, out_of_time=lambda: False, pause=lambda: None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert verdicts[0].reason is None
    assert peak < at_once / 3


def test_a_model_of_endless_units_is_refused_before_its_root_is_computed(store: Store, data: Dataset) -> None:
    units = 1 << 20
    first = weighted(Op.DENSE, 0, (1,), SIDE * SIDE, 1)
    made = network(first, weighted(Op.DENSE, 1, (units,), 1, 2), Node(Op.SLICE, (2,), (3,), -128, 127))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("offchain.roles.package.compute_model_root", unreachable)
        root = Root(b"r" * 32)

        def keep(content: bytes) -> FileRef:
            return FileRef(cid=store.add(content), size=len(content))

        parts = {"graph": keep(encode_graph(made)), "weights": keep(encode_weights(made)), "float_weights": keep(b"")}
        cid = store.add(ModelManifest(model_root=root, **parts).to_bytes()).digest
        verdicts = score_models(
            store, task(store, data, Revealed(made, root, cid)), out_of_time=lambda: False, pause=lambda: None
        )
    assert verdicts[0].score == ABSTAIN
    assert "units" in (verdicts[0].reason or "")


def unreachable(_: IntegerNetwork) -> Root:
    raise AssertionError("the root of a refused model was computed")


def test_a_model_for_other_inputs_is_abstained_from(store: Store, data: Dataset) -> None:
    other = IntegerNetwork((5,), (weighted(Op.DENSE, 0, (3,), 5, 1),), 1.0)
    verdicts = score_models(
        store, task(store, data, reveal(store, other)), out_of_time=lambda: False, pause=lambda: None
    )
    assert verdicts[0].score == ABSTAIN


def test_an_announced_test_set_of_endless_samples_is_refused_unread(store: Store, data: Dataset) -> None:
    work = task(store, data)
    nowhere = replace(work.test, sample_count=MAX_TEST_SAMPLES + 1, cid=CidDigest(b"n" * 32))
    with pytest.raises(Rejected, match="samples"):
        score_models(store, replace(work, test=nowhere), out_of_time=lambda: False, pause=lambda: None)


def test_labels_that_no_model_can_give_score_nothing_and_break_nothing(store: Store, data: Dataset) -> None:
    absurd = Dataset(data.inputs, np.full(SAMPLES, 1 - 2**23, dtype=np.int32))
    made = honest(1)
    work = task(store, absurd, reveal(store, made))
    assert score_models(store, work, out_of_time=lambda: False, pause=lambda: None) == (Verdict(0),)
    error = replace(work, function=ScoreFunction.MEAN_ABSOLUTE_ERROR)
    assert score_models(store, error, out_of_time=lambda: False, pause=lambda: None)[0].score == ABSTAIN
