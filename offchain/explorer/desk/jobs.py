"""Long work for the page: a bounded number at once, with progress, given up when nobody asks for it any more."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from offchain.errors import Rejected, Retryable
from offchain.explorer.desk.refusals import Faulty, NotKnown
from offchain.explorer.desk.words import field_of, in_fields

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class CancelledError(Exception):
    """Nobody wants the result any more."""


@dataclass(slots=True)
class Job(Generic[Result]):
    """One piece of work. `step`: what it does now, in words; `fault`: the field of the request that is wrong."""

    id: str
    name: str
    asked_at: float
    state: JobState = "queued"
    step: str = "waiting for its turn"
    error: str | None = None
    fault: str | None = None
    result: Result | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class Progress:
    """What a job tells of itself, and asks: whether it is still wanted."""

    def __init__(self, job: "Job[Any]", unwanted: Callable[[], bool]) -> None:
        self._job = job
        self.should_stop = unwanted

    def say(self, step: str) -> None:
        """What comes now. Raises CancelledError when nobody wants it."""
        if self.should_stop():
            raise CancelledError
        self._job.step = step


class Jobs(Generic[Result]):
    """Jobs of one kind, in `threads` threads. `most`: how many are kept, finished ones too.

    `interest`: seconds without a question after which a job is given up.
    """

    def __init__(
        self,
        threads: int,
        *,
        most: int = 32,
        interest: float = 60.0,
        scrub: Callable[[str], str] = lambda text: text,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`scrub` takes out of an error what is of this machine only."""
        self._pool = ThreadPoolExecutor(threads, "desk")
        self._most = most
        self._interest = interest
        self._scrub = scrub
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, Job[Result]] = {}

    def start(
        self, work: Callable[[Progress], Result], *, name: str = "", on_end: Callable[[], None] = lambda: None
    ) -> Job[Result]:
        """Runs `work` as soon as a thread is free; the job of that `name`, if one is under way or done.

        `on_end` is called once, whatever happens. Raises Retryable when too many wait.
        """
        with self._lock:
            known = next((job for job in self._jobs.values() if name and job.name == name and _is_good(job)), None)
            if known is not None:
                known.asked_at = self._clock()
                on_end()
                return known
            self._make_room()
            job: Job[Result] = Job(secrets.token_hex(8), name, self._clock())
            self._jobs[job.id] = job
        self._pool.submit(self._run, job, work, on_end)
        return job

    def find(self, number: str, *, wait: float = 0.0) -> Job[Result]:
        """The job, after at most `wait` seconds for its end. Raises NotKnown."""
        with self._lock:
            job = self._jobs.get(number)
        if job is None:
            raise NotKnown(f"{number}: no such job; it may have been forgotten, start it again")
        job.asked_at = self._clock() + wait
        job.over.wait(wait)
        return job

    def stop(self, number: str) -> Job[Result]:
        """Gives a job up. Raises NotKnown."""
        job = self.find(number)
        job.stop.set()
        return job

    def close(self) -> None:
        """Gives all up, and waits until they have ended."""
        with self._lock:
            for job in self._jobs.values():
                job.stop.set()
        self._pool.shutdown()

    def _is_unwanted(self, job: Job[Result]) -> bool:
        return job.stop.is_set() or self._clock() - job.asked_at > self._interest

    def _make_room(self) -> None:
        over = [job for job in self._jobs.values() if job.over.is_set()]
        for job in over[: max(len(self._jobs) - self._most + 1, 0)]:
            del self._jobs[job.id]
        if len(self._jobs) >= self._most:
            raise Retryable("the desk has too much to do; try again when something is done")

    def _run(self, job: Job[Result], work: Callable[[Progress], Result], on_end: Callable[[], None]) -> None:
        progress = Progress(job, lambda: self._is_unwanted(job))
        try:
            progress.say("starting")
            job.state = "running"
            job.result = work(progress)
            job.state = "done"
        except CancelledError:
            job.state = "cancelled"
        except (Rejected, Retryable) as error:
            message = self._scrub(str(error))
            job.fault = error.field if isinstance(error, Faulty) else field_of(message)
            job.error, job.state = in_fields(message), "failed"
        except MemoryError:
            job.error, job.state = "this machine has too little memory for it; give less data", "failed"
        except Exception:
            job.error, job.state = "the desk has a bug; the server's log has the trace", "failed"
            logger.exception("a job of the desk")
        finally:
            on_end()
            job.over.set()


def _is_good(job: Job[Result]) -> bool:
    return job.state in ("queued", "running", "done") and not job.stop.is_set()
