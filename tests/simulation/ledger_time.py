"""Virtual time for the ledger's simulation: one queue for all, and a wall clock of its own for each replica."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from offchain.ledger.types import Millis

EPOCH = 1_700_000_000_000
"""Unix time at which every simulation starts, milliseconds."""


@dataclass(slots=True)
class Queue:
    """What is going to happen, by virtual time in milliseconds; ties go by the order of their scheduling."""

    now: float = 0.0
    steps: int = 0
    _heap: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _count: int = 0

    def after(self, delay: float, action: Callable[[], object]) -> None:
        """Runs `action` in `delay` milliseconds."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + delay, self._count, action))

    def run(self, until: float, done: Callable[[], bool]) -> bool:
        """Runs until `done` (asked after every step) says so, or time is up. Says which."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, action = heapq.heappop(self._heap)
            self.steps += 1
            action()
            if done():
                return True
        self.now = max(self.now, until)
        return False


@dataclass(slots=True)
class Clock:
    """A replica's idea of time. `rate`: its seconds for a true one; `offset` jumps when somebody sets the clock."""

    queue: Queue
    offset: int = 0
    rate: float = 1.0

    def wall(self) -> Millis:
        """Unix time as this replica sees it."""
        return Millis(EPOCH + self.offset + int(self.queue.now * self.rate))

    def true_delay(self, after: int) -> float:
        """How long a timer really takes: timers run on the drifting oscillator, but don't jump."""
        return after / self.rate
