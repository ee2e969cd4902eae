"""Scores the revealed models of an order: fetched within limits, verified, evaluated exactly; or abstains, and why.

Models come from strangers, and one of them must not keep a validator from scoring the others: all are fetched at the
same time, so that slow content delays nobody else's; what is there is verified smallest first and evaluated in small
steps, the cheapest model first, so that a costly one takes only the time that is left; and what is not done when time
is up is abstained from.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

from offchain.chain.views import Model, TestSet
from offchain.data.dataset import Dataset
from offchain.errors import Rejected, Retryable
from offchain.model.evaluator import Evaluator
from offchain.model.graph import IntegerNetwork
from offchain.model.limits import MAX_TEST_SAMPLES, ModelLimits
from offchain.model.roots import compute_test_root
from offchain.model.scores import check_scorable, total_score
from offchain.model.windows import multiply_accumulates
from offchain.protocol.scores import ABSTAIN, ScoreFunction
from offchain.roles.package import Parcel, download, open_parcel
from offchain.storage.cid import Cid
from offchain.storage.store import Store

T = TypeVar("T")

_STEP_WORK = 1 << 29
"""Work between two looks at the clock, a fraction of a second; what takes no more is done even when time is up."""
_STEP_OUTPUTS = 1 << 23
"""Output elements that exist at once."""
_WORK_OF_AN_ELEMENT = 16
"""Multiply-accumulates that take about as long as rescaling and storing one element."""
_PATIENCE = 0.5
"""Seconds between two looks at the clock while nothing has arrived."""


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


def fetch_test_set(store: Store, test: TestSet, *, max_bytes: int, input_size: int | None = None) -> Dataset:
    """The released test set, verified against the root and count on chain, and the order's `input_size` if given.

    Raises Retryable when it cannot be had now, Rejected when it is too large, malformed, or another one.
    """
    cid = Cid(test.cid)
    if test.sample_count > MAX_TEST_SAMPLES:
        raise Rejected(f"{cid}: a test set of {test.sample_count} samples; at most {MAX_TEST_SAMPLES} are scored")
    data = Dataset.from_bytes(store.read(cid, max_bytes=max_bytes), max_bytes=max_bytes, name=str(cid))
    if len(data) != test.sample_count or compute_test_root(data.inputs, data.labels) != test.root:
        raise Rejected(f"{cid}: not the test set that the client committed to (root 0x{test.root.hex()})")
    if input_size is not None and prod(data.shape) != input_size:
        raise Rejected(f"{cid}: samples of {prod(data.shape)} numbers; the order says {input_size}")
    return data


def score_models(
    store: Store, task: ScoringTask, *, out_of_time: Callable[[], bool], pause: Callable[[], None]
) -> tuple[Verdict, ...]:
    """A verdict on each model, in order of reveal.

    What is unavailable is asked for again, after `pause`, until `out_of_time`; then it is abstained from, as is what
    has not been evaluated by then. What is malformed, too large or not what was revealed is abstained from at once.
    `out_of_time` and `pause` are called from several threads. Raises like `fetch_test_set`.
    """
    data = fetch_test_set(store, task.test, max_bytes=task.max_test_bytes, input_size=task.limits.input_size)
    return _Judging(store, task, data, out_of_time, pause).run()


def scores_of(verdicts: Sequence[Verdict]) -> tuple[int, ...]:
    """The scores alone."""
    return tuple(verdict.score for verdict in verdicts)


def work_of(network: IntegerNetwork) -> int:
    """What one sample costs, in multiply-accumulates."""
    elements = sum(prod(node.output_shape) for node in network.nodes)
    return sum(multiply_accumulates(network, node) for node in network.nodes) + _WORK_OF_AN_ELEMENT * elements


def samples_at_once(network: IntegerNetwork) -> int:
    """How many samples to evaluate between two looks at the clock."""
    return max(1, min(_STEP_WORK // work_of(network), _STEP_OUTPUTS // prod(network.output_shape)))


class _Evaluation:
    """A model on its way through the test set, some samples at a time."""

    def __init__(self, task: ScoringTask, data: Dataset, network: IntegerNetwork) -> None:
        self._function, self._data, self._network = task.function, data, network
        self._evaluator: Evaluator | None = None
        self.work = work_of(network)
        self._samples = samples_at_once(network)
        self._next = self._score = 0

    def advance(self, *, out_of_time: bool) -> Verdict | None:
        """Evaluates the next samples; the verdict once there are none left, or no time."""
        if out_of_time and (self._next or self.work > _STEP_WORK):
            return Verdict(ABSTAIN, f"out of time after {self._next} of {len(self._data)} samples")
        if self._evaluator is None:
            self._evaluator = Evaluator(self._network)
        some = slice(self._next, self._next + self._samples)
        try:
            outputs = self._evaluator(self._data.inputs[some])
            self._score += total_score(self._function, outputs, self._data.labels[some])
        except Rejected as error:
            return Verdict(ABSTAIN, str(error))
        self._next += self._samples
        return Verdict(self._score) if self._next >= len(self._data) else None


class _Judging:
    """One task: downloads all at once, opens one model after the other, evaluates the cheapest that is open."""

    def __init__(
        self, store: Store, task: ScoringTask, data: Dataset, out_of_time: Callable[[], bool], pause: Callable[[], None]
    ) -> None:
        self._store, self._task, self._data = store, task, data
        self._out_of_time, self._pause = out_of_time, pause
        self._pool = ThreadPoolExecutor(len(task.models) + 1, "model")
        self._downloads: dict[Future[Parcel], int] = {}
        self._parcels: dict[int, Parcel] = {}
        self._opening: dict[Future[_Evaluation], int] = {}
        self._evaluations: dict[int, _Evaluation] = {}
        self._verdicts: dict[int, Verdict] = {}

    def run(self) -> tuple[Verdict, ...]:
        """Ends soon after time is up; threads that hang in the store end by themselves."""
        models = self._task.models
        try:
            self._downloads = {self._pool.submit(self._download, model): i for i, model in enumerate(models)}
            while len(self._verdicts) < len(models):
                arrived = self._receive()
                late = self._out_of_time()
                if self._evaluations:
                    self._advance(late)
                elif late and not arrived:
                    break
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
        return tuple(self._verdicts.get(index, Verdict(ABSTAIN, "out of time")) for index in range(len(models)))

    def _download(self, model: Model) -> Parcel:
        while True:
            try:
                return download(self._store, model.cid, model.model_root, self._task.limits)
            except Retryable:
                if self._out_of_time():
                    raise
            self._pause()

    def _open(self, parcel: Parcel, model: Model) -> _Evaluation:
        network = open_parcel(parcel, model.model_root, self._task.limits)
        check_scorable(self._task.function, network)
        return _Evaluation(self._task, self._data, network)

    def _receive(self) -> bool:
        """Takes what the threads have done and gives them more; whether there was anything."""
        under_way: set[Future[Any]] = {*self._downloads, *self._opening}
        done, _ = wait(under_way, timeout=0 if self._evaluations else _PATIENCE, return_when=FIRST_COMPLETED)
        for future in done & self._downloads.keys():
            self._take(future, self._downloads, self._parcels)
        for future in done & self._opening.keys():
            self._take(future, self._opening, self._evaluations)
        if self._parcels and not self._opening:
            # Verifying takes memory, so one at a time; and time, so the smallest first.
            index = min(self._parcels, key=lambda i: (self._parcels[i].size, i))
            opened = self._pool.submit(self._open, self._parcels.pop(index), self._task.models[index])
            self._opening[opened] = index
        return bool(done)

    def _take(self, future: Future[T], waiting: dict[Future[T], int], results: dict[int, T]) -> None:
        index = waiting.pop(future)
        try:
            results[index] = future.result()
        except (Rejected, Retryable) as error:
            self._verdicts[index] = Verdict(ABSTAIN, str(error))

    def _advance(self, late: bool) -> None:
        index = min(self._evaluations, key=lambda i: (self._evaluations[i].work, i))
        verdict = self._evaluations[index].advance(out_of_time=late)
        if verdict is not None:
            self._verdicts[index] = verdict
            del self._evaluations[index]
