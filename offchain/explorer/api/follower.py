"""The thread that keeps the index up to date. When the node is down it tries again, ever more rarely, and says so."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from offchain.errors import AssayError, Rejected
from offchain.explorer.index.indexer import Step

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
FAILURES = 2
"""In a row, before it is said: a chain that moved under a query is read again, and that is all."""
BUG = "the index met a bug and tries again; the server's log has the trace"
RECEIPTS = 100
"""Asked for at once, while there is nothing else to do."""


class Steps(Protocol):
    """The index's writer."""

    def step(self) -> Step:
        """One range of blocks. Raises Retryable."""

    def fill_receipts(self, limit: int) -> int:
        """Asks for receipts that are missing; how many came. Raises Retryable."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the node answers. `problem`: why it does not; `since`: when it last did, on the monotonic clock."""

    problem: str | None
    since: float


class Follower:
    """`on_step` is called in this thread after every step, `on_receipts` when receipts came; `check` after an outage:
    it raises Rejected when what answers now is not the chain that was indexed."""

    def __init__(
        self,
        indexer: Steps,
        on_step: Callable[[Step], None],
        on_receipts: Callable[[], None],
        *,
        poll_seconds: float,
        check: Callable[[], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._indexer = indexer
        self._on_step = on_step
        self._on_receipts = on_receipts
        self._poll = poll_seconds
        self._check = check
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)
        self.health = Health(None, clock())

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Asks it to end after the step that it is in, and waits for at most so long; whether it has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause, failures = FIRST_PAUSE, 0
        while not self._stop.is_set():
            try:
                wait = self._once()
            except AssayError as error:
                failures += 1
                if failures >= FAILURES:
                    self._note(error)
                wait, pause = pause, min(pause * 2, LONGEST_PAUSE)
            except Exception:
                # Of ours, or of a node that answers what no node does: a page that stands still must say so.
                logger.exception("the index met a bug, and tries again")
                self.health = Health(BUG, self.health.since)
                wait, pause = pause, min(pause * 2, LONGEST_PAUSE)
            else:
                pause, failures = FIRST_PAUSE, 0
            self._stop.wait(wait)

    def _once(self) -> float:
        """One step; the seconds until the next."""
        if self.health.problem is not None:
            self._check()
        step = self._indexer.step()
        self.health = Health(None, self._clock())
        self._on_step(step)
        if not step.caught_up:
            return 0.0
        if self._indexer.fill_receipts(RECEIPTS) == 0:
            return self._poll
        self._on_receipts()
        return 0.0

    def _note(self, error: AssayError) -> None:
        if self.health.problem is None:
            level = logging.WARNING if isinstance(error, Rejected) else logging.INFO
            logger.log(level, "the index waits: %s", error)
        self.health = Health(str(error), self.health.since)
