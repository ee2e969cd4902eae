"""What a participant knows of revealed models: fetched, verified, scored sample by sample, and kept for the disputes.

Everything is fetched at the same time, so that what hangs keeps nothing else waiting; then one model of an order after
the other is examined, and the worker says which comes next.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from offchain.chain.views import Model
from offchain.errors import Retryable
from offchain.roles.context import RoleContext
from offchain.roles.examination import (
    Examination,
    Finding,
    ModelFiles,
    ModelFound,
    TestData,
    Trouble,
    examine,
    fetch_model,
    fetch_test,
)
from offchain.roles.jobs import Jobs, ThreadEach
from offchain.roles.order_view import OrderView, order_limits
from offchain.roles.package import Parcel
from offchain.roles.worker import raise_from
from offchain.types import OrderId

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds before what could not be had is asked for again; each pause is twice the one before."""

Key = tuple[OrderId, int | None]
"""An order, and a model of it; None for its test set."""


@dataclass(slots=True)
class _Setback:
    """What was in the way, and until when (monotonic seconds) it is left alone."""

    trouble: Trouble
    until: float
    pause: float
    tries: int
    noticed: bool = False


@dataclass(slots=True)
class _File:
    """What is known about one order; setbacks by model index, None for the test set."""

    test: TestData | None = None
    parcels: dict[int, Parcel] = field(default_factory=dict)
    found: dict[int, ModelFound] = field(default_factory=dict)
    setbacks: dict[int | None, _Setback] = field(default_factory=dict)


class Casebook:
    """One participant's findings. `executor` runs the examinations and stays the caller's; so does `fetcher`."""

    def __init__(
        self, context: RoleContext, executor: Executor, *, fetcher: Executor | None = None, max_test_bytes: int
    ) -> None:
        """`fetcher` runs the downloads, by default each in a thread of its own."""
        self._context = context
        self._max_test_bytes = max_test_bytes
        self._fetching: Jobs[Key, Finding] = Jobs(fetcher or ThreadEach())
        self._examining: Jobs[OrderId, Finding] = Jobs(executor)
        self._files: dict[OrderId, _File] = {}

    # What is known

    def found(self, oid: OrderId, index: int) -> ModelFound | None:
        """The model's score and evidence, if they are known."""
        return self._files.get(oid, _File()).found.get(index)

    def test(self, oid: OrderId) -> TestData | None:
        """The order's test set, if it is known."""
        return self._files.get(oid, _File()).test

    def size(self, oid: OrderId, index: int) -> float:
        """Bytes of the model's files; infinite until they are there."""
        parcel = self._files.get(oid, _File()).parcels.get(index)
        return float("inf") if parcel is None else parcel.size

    def trouble(self, oid: OrderId, index: int | None) -> Trouble | None:
        """What was in the way of a model, or of the test set (None), the last time."""
        setback = self._files.get(oid, _File()).setbacks.get(index)
        return None if setback is None else setback.trouble

    def tries(self, oid: OrderId, index: int | None) -> int:
        """How often a model, or the test set (None), was looked for in vain since it was last there."""
        setback = self._files.get(oid, _File()).setbacks.get(index)
        return 0 if setback is None else setback.tries

    # Finding out

    def study(self, view: OrderView, models: Mapping[int, Model]) -> bool:
        """Fetches the test set and these models, and examines them in the order in which they are given.

        In the background; what could not be had is asked for again after a growing pause, what is no good is not.
        Whether a job was started now.
        """
        started = len(self._fetching)
        file = self._files.setdefault(view.oid, _File())
        if file.test is None and self._may_fetch(view.oid, None):
            test = self._context.contracts.test_set(view.oid)
            size = view.order.terms.input_size
            test_job = partial(fetch_test, self._context.store, test, size, self._max_test_bytes)
            self._fetching.start((view.oid, None), test_job)
        limits = order_limits(view)
        for index, model in models.items():
            known = index in file.found or index in file.parcels
            if not known and self._may_fetch(view.oid, index):
                job = partial(fetch_model, self._context.store, index, model, limits)
                self._fetching.start((view.oid, index), job)
        started = len(self._fetching) - started
        return self._examine_next(view, file, models) or started > 0

    def _may_fetch(self, oid: OrderId, index: int | None) -> bool:
        setback = self._files[oid].setbacks.get(index)
        due = setback is None or setback.until <= self._context.clock()
        return due and (oid, index) not in self._fetching

    def _examine_next(self, view: OrderView, file: _File, models: Mapping[int, Model]) -> bool:
        index = next((index for index in models if index in file.parcels), None)
        if view.oid in self._examining or file.test is None or index is None:
            return False
        task = Examination(
            index=index,
            parcel=file.parcels[index],
            root=models[index].model_root,
            limits=order_limits(view),
            function=view.order.terms.score_function,
            test=file.test,
        )
        self._examining.start(view.oid, partial(examine, task))
        return True

    @property
    def jobs(self) -> int:
        """Downloads and evaluations in the background."""
        return len(self._fetching) + len(self._examining)

    def has_news(self) -> bool:
        """Whether a job has handed out something or, once for each, a pause is over."""
        now, over = self._context.clock(), False
        for file in self._files.values():
            for setback in file.setbacks.values():
                if setback.until <= now and not setback.noticed:
                    setback.noticed = over = True
        return over or self._fetching.has_news() or self._examining.has_news()

    def collect(self) -> list[tuple[OrderId, Finding]]:
        """Takes what the jobs have handed out. Raises what ended one of them: a bug."""
        errors = [end.error for end in self._fetching.ended()] + [end.error for end in self._examining.ended()]
        fetched = [(oid, finding) for (oid, _), finding in self._fetching.results()]
        findings = fetched + self._examining.results()
        for oid, finding in findings:
            self._keep(oid, finding)
        for error in errors:
            raise_from(error)
        return findings

    def _keep(self, oid: OrderId, finding: Finding) -> None:
        file = self._files.get(oid)
        if file is None:
            return  # the order is over
        match finding:
            case TestData():
                file.test = finding
                file.setbacks.pop(None, None)
            case ModelFiles(index, parcel):
                file.parcels[index] = parcel
                file.setbacks.pop(index, None)
            case ModelFound(index):
                file.found[index] = finding
                file.parcels.pop(index, None)
            case Trouble(about):
                file.setbacks[about] = self._setback(finding, file.setbacks.get(about))
                if about is not None:
                    file.parcels.pop(about, None)

    def _setback(self, trouble: Trouble, former: _Setback | None) -> _Setback:
        tries = 1 if former is None else former.tries + 1
        if not isinstance(trouble.error, Retryable):
            return _Setback(trouble, float("inf"), 0, tries)
        pause = FIRST_PAUSE if former is None else min(2 * former.pause, LONGEST_PAUSE)
        return _Setback(trouble, self._context.clock() + pause, pause, tries)

    def forget(self, oid: OrderId) -> None:
        """The order is over: lets go of everything about it."""
        if oid in self._examining:
            self._examining.stop(oid)
        self._files.pop(oid, None)

    def close(self) -> None:
        """Stops all examinations; downloads that hang end by themselves."""
        self._examining.stop_all()
