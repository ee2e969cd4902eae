"""Votes of a view that has not begun for us yet: links are not equally fast. A few of each peer are kept."""

from offchain.ledger.pbft.messages import Commit, Prepare, PrePrepare
from offchain.ledger.pbft.state import State
from offchain.ledger.types import ReplicaId

Vote = PrePrepare | Prepare | Commit
_PHASES = 3


class Early:
    """At most three phases of two pipelines for each peer; `Status` makes up for what is dropped."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._most = _PHASES * 2 * state.config.pipeline
        self._kept: dict[ReplicaId, list[Vote]] = {}

    def keep(self, sender: ReplicaId, vote: Vote) -> None:
        """Unless it is of a view that is over."""
        state = self._state
        if vote.view > state.view or (vote.view == state.view and state.changing):
            kept = self._kept.setdefault(sender, [])
            if len(kept) == self._most:
                kept[:] = [other for other in kept if other.view >= state.view]
            if len(kept) < self._most:
                kept.append(vote)

    def take(self) -> list[tuple[ReplicaId, Vote]]:
        """Those of the view that has begun; forgets those before."""
        view, taken = self._state.view, []
        for sender, kept in self._kept.items():
            taken += [(sender, vote) for vote in kept if vote.view == view]
            kept[:] = [vote for vote in kept if vote.view > view]
        return taken
