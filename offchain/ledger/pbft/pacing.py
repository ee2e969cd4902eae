"""When the primary proposes: as soon as bundles have ceased to come for a moment.

Every batch costs each link two votes of every replica, and takes one of the numbers that may run at once. Bundles that
were made at one time come in spread over the latencies, so a primary that proposes each alone spends all its numbers on
the nearest creators, and the others wait for a whole agreement. The moment is a share of what agreements take here, so
that it is nothing on fast links.
"""

from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.effects import CancelTimer, SetTimer, Timer
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Millis, Sequence

_QUIET = 16
"""No bundle for a sixteenth of an agreement: those that come at one time are here."""
_PATIENCE = 1
"""No bundle waits longer than an agreement."""
_LONGEST = 4
"""An agreement is taken to last a fourth of the time-out at first, and never longer."""


class Pacing:
    """Of one replica; it matters while that is the primary."""

    def __init__(self, state: State, bundles: Bundles) -> None:
        self._state = state
        self._bundles = bundles
        self._agreement: float | None = None
        self._proposed_at: dict[Sequence, Millis] = {}
        self._known = 0
        self._since = Millis(0)
        self._is_set = False
        self._has_rung = False

    def is_due(self) -> bool:
        """Whether to propose what waits now."""
        self._learn()
        count = len(self._bundles.unproposed)
        if self._has_rung or count >= self._state.config.batch_bundles or self._all_are_here(count):
            return True
        if count == self._known and self._is_set:
            return False
        if self._known == 0:
            self._since = self._state.now
        self._known = count
        agreement = self._longest if self._agreement is None else self._agreement
        left = self._since + agreement / _PATIENCE - self._state.now
        wait = round(min(agreement / _QUIET, left))
        if wait <= 0:
            return True
        self._is_set = True
        self._state.out.append(SetTimer(Timer.BATCH, Millis(wait)))
        return False

    def on_timer(self) -> None:
        """The moment is over."""
        self._has_rung, self._is_set = True, False
        self._state.stirred = True

    def on_proposed(self, sequence: Sequence) -> None:
        """A number went out."""
        self._proposed_at[sequence] = self._state.now
        self.reset()

    def reset(self) -> None:
        """Nothing waits for us."""
        self._known, self._has_rung = 0, False
        if self._is_set:
            self._is_set = False
            self._state.out.append(CancelTimer(Timer.BATCH))

    def _learn(self) -> None:
        """How long agreements take. The clock may jump: then for once something wrong within bounds."""
        for sequence in [number for number in self._proposed_at if number <= self._state.executed]:
            took = float(min(max(self._state.now - self._proposed_at.pop(sequence), 0), self._longest))
            self._agreement = took if self._agreement is None else self._agreement + (took - self._agreement) / 4

    def _all_are_here(self, count: int) -> bool:
        """Whether there is a bundle of every replica, most of them not proposed: who should still come?"""
        replicas, waiting = self._state.config.replicas, self._bundles.waiting
        return 2 * count >= replicas <= len(waiting) and len(set(waiting.values())) >= replicas

    @property
    def _longest(self) -> int:
        return self._state.config.timeout // _LONGEST
