"""Scores the revealed models of an order: fetched within limits, verified, evaluated exactly; or abstains, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offchain.chain.views import Model, TestSet
from offchain.data.dataset import Dataset
from offchain.errors import Rejected, Retryable
from offchain.model.evaluator import evaluate
from offchain.model.limits import ModelLimits
from offchain.model.roots import compute_test_root
from offchain.model.scores import check_scorable, total_score
from offchain.protocol.scores import ABSTAIN, ScoreFunction
from offchain.roles.package import unpack
from offchain.storage.cid import Cid
from offchain.storage.store import Store


@dataclass(frozen=True, slots=True)
class Verdict:
    """One model's score: a sum over the test set, or ABSTAIN, and then why."""

    score: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ScoringTask:
    """What is to be scored, and within which limits. `max_test_bytes`: the largest test set that is fetched."""

    function: ScoreFunction
    test: TestSet
    models: tuple[Model, ...]
    limits: ModelLimits
    max_test_bytes: int


def fetch_test_set(store: Store, test: TestSet, *, max_bytes: int) -> Dataset:
    """The released test set, verified against the root and count on chain.

    Raises Retryable when it cannot be had now, Rejected when it is too large, malformed, or another one.
    """
    cid = Cid(test.cid)
    data = Dataset.from_bytes(store.read(cid, max_bytes=max_bytes), max_bytes=max_bytes, name=str(cid))
    if len(data) != test.sample_count or compute_test_root(data.inputs, data.labels) != test.root:
        raise Rejected(f"{cid}: not the test set that the client committed to (root 0x{test.root.hex()})")
    return data


def score_models(
    store: Store, task: ScoringTask, *, out_of_time: Callable[[], bool], pause: Callable[[], None]
) -> tuple[Verdict, ...]:
    """A verdict on each model, in order of reveal.

    What is unavailable is asked for again, after `pause`, until `out_of_time`; then it is abstained from. What is
    malformed, too large or not what was revealed is abstained from at once. Raises like `fetch_test_set`.
    """
    data = fetch_test_set(store, task.test, max_bytes=task.max_test_bytes)
    verdicts: dict[int, Verdict] = {}
    missing: dict[int, str] = dict.fromkeys(range(len(task.models)), "out of time")
    while missing:
        for index in list(missing):
            try:
                verdicts[index] = Verdict(_score(store, task, data, task.models[index]))
            except Rejected as error:
                verdicts[index] = Verdict(ABSTAIN, str(error))
            except Retryable as error:
                missing[index] = str(error)
                continue
            del missing[index]
        if missing and out_of_time():
            break
        if missing:
            pause()
    return _in_order(verdicts | {index: Verdict(ABSTAIN, why) for index, why in missing.items()})


def _score(store: Store, task: ScoringTask, data: Dataset, model: Model) -> int:
    network = unpack(store, model.cid, model.model_root, task.limits)
    check_scorable(task.function, network)
    return total_score(task.function, evaluate(network, data.inputs), data.labels)


def _in_order(verdicts: dict[int, Verdict]) -> tuple[Verdict, ...]:
    return tuple(verdicts[index] for index in sorted(verdicts))


def scores_of(verdicts: Sequence[Verdict]) -> tuple[int, ...]:
    """The scores alone."""
    return tuple(verdict.score for verdict in verdicts)
