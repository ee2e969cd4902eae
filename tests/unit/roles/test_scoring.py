"""What a validator makes of revealed models, honest and not: exact scores, or an abstention with a reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offchain.chain.views import Model, TestSet
from offchain.data.dataset import Dataset
from offchain.errors import Rejected, Retryable
from offchain.model.evaluator import evaluate
from offchain.model.files import encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork, Node, Op
from offchain.model.limits import ModelLimits
from offchain.model.roots import compute_model_root, compute_test_root
from offchain.model.scores import total_score
from offchain.model.search import Candidate, SearchSettings, search
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.protocol.scores import ABSTAIN, ScoreFunction
from offchain.roles.package import pack, unpack
from offchain.roles.scoring import ScoringTask, Verdict, score_models
from offchain.storage.store import Store, open_store
from offchain.types import CidDigest, Root
from tests.unit.roles.views import ME

LIMITS = ModelLimits(max_model_bytes=100_000, max_tensor_bytes=50_000)


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(1)
    labels = (np.arange(120) % 2).astype(np.int32)
    inputs = np.clip(rng.normal(0, 20, (120, 3)) + labels[:, None] * 60, -127, 127).astype(np.int8)
    return Dataset(inputs, labels)


@pytest.fixture(scope="module")
def candidate(data: Dataset) -> Candidate:
    spec = spec_from_shorthand("mlp:4", input_shape=(3,), outputs=2)
    quick = SearchSettings(configurations=1, first_cycle=2, max_epochs=2, patience=1, fine_tune_epochs=0)
    *_, best = search(spec, data, ScoreFunction.ACCURACY, seed=1, should_stop=lambda: False, settings=quick)
    return best


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"local:{tmp_path}")


def task(store: Store, data: Dataset, *models: tuple[Root, CidDigest]) -> ScoringTask:
    test = TestSet(compute_test_root(data.inputs, data.labels), store.add(data.to_bytes()).digest, len(data))
    shown = tuple(Model(ME, place, root, cid) for place, (root, cid) in enumerate(models))
    return ScoringTask(ScoreFunction.ACCURACY, test, shown, LIMITS, max_test_bytes=10**6)


def score(store: Store, work: ScoringTask, pause: Callable[[], None] = lambda: None) -> tuple[Verdict, ...]:
    return score_models(store, work, out_of_time=lambda: True, pause=pause)


def test_an_honest_model_has_its_exact_score(store: Store, data: Dataset, candidate: Candidate) -> None:
    package = pack(store, candidate.network, candidate.model, LIMITS)
    expected = total_score(ScoreFunction.ACCURACY, evaluate(candidate.network, data.inputs), data.labels)
    assert expected > 90
    work = task(store, data, (package.model_root, package.cid))
    assert score(store, work) == (Verdict(expected),)
    assert compute_model_root(unpack(store, package.cid, package.model_root, LIMITS)) == package.model_root


def test_a_model_is_scored_whatever_it_is_made_of(store: Store, data: Dataset, candidate: Candidate) -> None:
    """What fits the order's sizes could not be proven wrong on chain, so nobody may abstain from it."""
    limits = replace(LIMITS, input_size=3, output_size=2)
    hidden, last = candidate.network.nodes
    narrow, image = replace(last, low=-128, high=127), Node(Op.SLICE, (2,), (1, 1, 2), -128, 127)
    strange = (
        IntegerNetwork((3, 1, 1), (hidden, last), 1.0),
        IntegerNetwork((1, 3, 1), (hidden, narrow, image), 1e-300),
    )
    packages = [pack(store, network, candidate.model, limits) for network in strange]
    work = task(store, data, *((package.model_root, package.cid) for package in packages))
    first, second = score(store, replace(work, limits=limits))
    expected = total_score(ScoreFunction.ACCURACY, evaluate(candidate.network, data.inputs), data.labels)
    assert first == Verdict(expected)
    assert second.reason is None
    for wrong in (replace(limits, input_size=4), replace(limits, output_size=3)):
        with pytest.raises(Rejected):
            pack(store, strange[0], candidate.model, wrong)


def test_a_test_set_of_another_size_is_rejected(store: Store, data: Dataset) -> None:
    work = replace(task(store, data), limits=replace(LIMITS, input_size=4))
    with pytest.raises(Rejected, match="samples of 3 numbers; the order says 4"):
        score(store, work)


def test_what_is_wrong_with_one_model_does_not_touch_the_others(
    store: Store, data: Dataset, candidate: Candidate
) -> None:
    good = pack(store, candidate.network, candidate.model, LIMITS)
    other_root = Root(b"o" * 32)
    bad = {
        "another root": (other_root, good.cid),
        "lying manifest": (other_root, manifest(store, candidate, other_root)),
        "truncated weights": (good.model_root, manifest(store, candidate, good.model_root, cut=3)),
        "no manifest": (good.model_root, store.add(b"not json").digest),
        "nowhere": (good.model_root, CidDigest(b"n" * 32)),
    }
    verdicts = score(store, task(store, data, *bad.values(), (good.model_root, good.cid)))
    for name, verdict in zip(bad, verdicts, strict=False):
        assert (verdict.score, bool(verdict.reason)) == (ABSTAIN, True), name
    assert verdicts[-1].score > 90


def manifest(store: Store, candidate: Candidate, root: Root, *, cut: int = 0) -> CidDigest:
    """A manifest that names real content, or weights with the last bytes cut off, and says whatever root it likes."""

    def keep(content: bytes) -> FileRef:
        return FileRef(cid=store.add(content), size=len(content))

    weights = encode_weights(candidate.network)
    made = ModelManifest(
        graph=keep(encode_graph(candidate.network)),
        weights=keep(weights[: len(weights) - cut]),
        float_weights=keep(b""),
        model_root=root,
    )
    return store.add(made.to_bytes()).digest


def test_a_model_beyond_the_orders_limits_is_not_even_packed(store: Store, data: Dataset, candidate: Candidate) -> None:
    package = pack(store, candidate.network, candidate.model, LIMITS)
    small = ModelLimits(max_model_bytes=50, max_tensor_bytes=50)
    with pytest.raises(Rejected):
        pack(store, candidate.network, candidate.model, small)
    work = replace(task(store, data, (package.model_root, package.cid)), limits=small)
    assert score(store, work)[0].score == ABSTAIN


def test_a_model_that_comes_late_is_waited_for(
    store: Store, data: Dataset, candidate: Candidate, tmp_path: Path
) -> None:
    elsewhere = open_store(f"local:{tmp_path / 'elsewhere'}")
    package = pack(elsewhere, candidate.network, candidate.model, LIMITS)
    work = task(store, data, (package.model_root, package.cid))
    pauses = 0

    def arrive() -> None:
        nonlocal pauses
        pauses += 1
        pack(store, candidate.network, candidate.model, LIMITS)

    verdicts = score_models(store, work, out_of_time=lambda: False, pause=arrive)
    assert (pauses, verdicts[0].reason) == (1, None)


def test_a_test_set_other_than_the_committed_one_is_rejected(store: Store, data: Dataset) -> None:
    work = task(store, data)
    with pytest.raises(Rejected, match="not the test set"):
        score(store, replace(work, test=replace(work.test, root=Root(b"x" * 32))))
    with pytest.raises(Rejected, match="not the test set"):
        score(store, replace(work, test=replace(work.test, sample_count=7)))
    with pytest.raises(Rejected):
        score(store, replace(work, max_test_bytes=10))
    with pytest.raises(Retryable):
        score(store, replace(work, test=replace(work.test, cid=CidDigest(b"n" * 32))))
