"""Lets workers take turns and moves the chain's clock on when nothing is left to wait for.

So the windows of a task can be as long as a busy machine needs, and nobody waits for their ends. Only development
chains let anyone move their clock, and the demonstration runs on no other.
"""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from offchain.chain.client import ChainClient
from offchain.errors import Retryable
from offchain.types import Seconds

IDLE_PASSES = 2
"""So many passes in which nobody had anything to do: then all wait for the clock. Two, for a transaction that was
mined after the last look."""

TURN_SECONDS = 3
"""What workers let pass between their turns at what anyone may send (`Intent.patience`)."""

LAST_SECONDS = 40
"""So much of a window is skipped at once."""

BREATH_SECONDS = 0.02
STUCK_SECONDS = 600.0


class Turn(Protocol):
    """A worker as the conductor sees it."""

    @property
    def in_flight(self) -> int:
        """Transactions that are not final."""

    @property
    def busy(self) -> bool:
        """Whether something runs in the background."""

    def tick(self) -> bool:
        """Does what can be done now; whether that was anything."""


def conduct(
    client: ChainClient,
    workers: Callable[[], Iterable[Turn]],
    next_end: Callable[[], Seconds | None],
    is_over: Callable[[], bool],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Goes on until `is_over`.

    `workers`: who is there now (one may be killed between two passes); `next_end`: when the first of the phases that
    are on ends, on the chain's clock, None if none does. Raises Retryable when nothing has moved for ten minutes.
    """
    idle, moved = 0, clock()
    while not is_over():
        if _pass(workers()):
            idle, moved = 0, clock()
        else:
            idle += 1
        if idle >= IDLE_PASSES:
            end = next_end()
            _move_clock(client, _leap(client.now(), end))
            idle, moved = 0, (clock() if end is not None else moved)
        if clock() - moved > STUCK_SECONDS:
            raise Retryable("nothing has moved for ten minutes: the machine may be too busy; run it again")
        sleep(BREATH_SECONDS)


def _pass(workers: Iterable[Turn]) -> bool:
    """Everybody has one turn; whether anybody did anything or still waits for something but the clock."""
    acted = False
    for worker in list(workers):
        acted = worker.tick() or bool(worker.in_flight) or worker.busy or acted
    return acted


def _leap(now: Seconds, end: Seconds | None) -> int:
    """By how many seconds the clock goes on. Some things have turns in the first half of a window."""
    left = 0 if end is None else end - now
    if left <= 0:
        return TURN_SECONDS
    return left // 3 if left > LAST_SECONDS else left


def _move_clock(client: ChainClient, by: int) -> None:
    client.request("evm_increaseTime", by)
    client.request("evm_mine")
