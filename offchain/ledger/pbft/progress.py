"""The timer that ends views: for the oldest bundle that waits, or for a new view that was asked for."""

from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.effects import CancelTimer, SetTimer, Timer
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, Millis


class Progress:
    """Time-outs double with every view change and fall back when a batch is executed."""

    def __init__(self, state: State, bundles: Bundles) -> None:
        self._state = state
        self._bundles = bundles
        self._timeout = state.config.timeout
        self._watched: Digest | None = None
        self._is_half_over = False
        self._waits_for_view = False

    @property
    def watched(self) -> Digest | None:
        """The bundle that the timer runs for."""
        return self._watched

    def on_executed(self) -> None:
        """The view works."""
        self._timeout = self._state.config.timeout

    def on_leave(self) -> None:
        """A view change began. The timer waits until a quorum wants the view: alone nobody runs ahead."""
        self._timeout = min(2 * self._timeout, self._state.config.longest_timeout)
        self._watched, self._waits_for_view = None, False
        self._state.out.append(CancelTimer(Timer.PROGRESS))

    def on_quorum(self) -> None:
        """A quorum wants the view that we left for: its primary has to begin it in time."""
        if not self._waits_for_view:
            self._waits_for_view = True
            self._state.out.append(SetTimer(Timer.PROGRESS, Millis(self._timeout)))

    def on_enter(self) -> None:
        """The view began; bundles get the whole time."""
        if self._waits_for_view:
            self._state.out.append(CancelTimer(Timer.PROGRESS))
        self._watched, self._waits_for_view = None, False

    def watch(self) -> None:
        """At the end of a step: the timer follows the oldest bundle."""
        if self._state.changing:
            return
        oldest = next(iter(self._bundles.waiting), None)
        if oldest == self._watched:
            return
        self._watched, self._is_half_over = oldest, False
        if oldest is None:
            self._state.out.append(CancelTimer(Timer.PROGRESS))
        else:
            self._state.out.append(SetTimer(Timer.PROGRESS, Millis(max(1, self._timeout // 2))))

    def is_over(self) -> bool:
        """The timer ran out: whether the view is over, or only the first half of the time."""
        if self._state.changing:
            return self._waits_for_view
        if self._watched is None:
            return False
        if self._is_half_over:
            return True
        self._is_half_over = True
        self._state.out.append(SetTimer(Timer.PROGRESS, Millis(max(1, self._timeout - self._timeout // 2))))
        return False
