"""A worker whose long work runs in the background: one job for each order, picked up at the start of the next look."""

from abc import abstractmethod
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import ClassVar, Generic

from offchain.roles.context import RoleContext
from offchain.roles.jobs import Ended, Jobs, Result
from offchain.roles.worker import Worker, raise_from
from offchain.types import OrderId


class BackgroundWorker(Worker, Generic[Result]):
    """Owns the jobs and, unless it is given one, their executor. `topic`: what a job does, in one word."""

    topic: ClassVar[str]

    def __init__(
        self, context: RoleContext, *, slots: int, executor: Executor | None, poll_seconds: float | None
    ) -> None:
        """`executor` runs the jobs; by default as many threads as `slots`, owned by the worker."""
        super().__init__(context, poll_seconds=poll_seconds)
        self._owned: ThreadPoolExecutor | None = None
        if executor is None:
            executor = self._owned = ThreadPoolExecutor(slots, self.topic)
        self._jobs: Jobs[OrderId, Result] = Jobs(executor)

    def standing(self) -> dict[str, float]:
        """See Loop."""
        return {**super().standing(), "jobs_running": len(self._jobs)}

    def close(self) -> None:
        """Stops all jobs."""
        self._jobs.stop_all()
        if self._owned is not None:
            self._owned.shutdown()

    @abstractmethod
    def _keep(self, oid: OrderId, result: Result) -> None:
        """Takes what an order's job has handed out."""

    def _job_ended(self, end: Ended[OrderId]) -> None:
        """After an order's job has ended and its failure, if any, has been reported."""

    def _has_news(self) -> bool:
        return self._jobs.has_news() or super()._has_news()

    def _prepare(self) -> None:
        ended = self._jobs.ended()
        for oid, result in self._jobs.results():
            self._acted = True
            self._keep(oid, result)
        for end in ended:
            self._acted = True
            self._attempt(end.key, self.topic, partial(raise_from, end.error))
            self._job_ended(end)
