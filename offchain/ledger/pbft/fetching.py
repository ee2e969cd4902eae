"""Contents that are referred to by digest and not here: whom to ask, and when.

A bundle is usually on its way from its creator, on a link slower than the primary's; so it is asked for only after a
while: from the primary first, then from twice as many peers each time, until all are asked.
"""

from collections.abc import Callable, Iterable

from offchain.ledger.pbft.effects import SetTimer, Timer
from offchain.ledger.pbft.messages import Fetch
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, Millis, ReplicaId

ANSWER = 16
"""Numbers in one answer to a status; and so many open numbers may make us hold more than their creators' shares."""
FETCH_MOST = 64
"""Digests in one request."""
_PATIENCE = 8
"""An eighth of the time-out passes between two attempts."""


class Fetching:
    """What is wanted, each with the number of attempts."""

    def __init__(self, state: State, needs: Callable[[], Iterable[Digest]]) -> None:
        self._state = state
        self._needs = needs
        self._is_set = False
        self.wanted: dict[Digest, int] = {}

    def expect(self, identities: Iterable[Digest]) -> None:
        """They may come by themselves."""
        for identity in identities:
            self.wanted.setdefault(identity, 0)
        self._set()

    def ask_now(self, identity: Digest) -> None:
        """Nobody sends it unless asked."""
        if identity not in self.wanted:
            self.wanted[identity] = 1
            for peer in self._peers(0):
                self._state.send(peer, Fetch((identity,)))
        self._set()

    def arrived(self, identity: Digest) -> None:
        """It is here."""
        self.wanted.pop(identity, None)

    def on_timer(self) -> None:
        """Asks for what is still needed."""
        self._is_set = False
        self.wanted = {identity: self.wanted.get(identity, 0) for identity in self._needs()}
        by_attempt: dict[int, list[Digest]] = {}
        for identity, attempt in self.wanted.items():
            by_attempt.setdefault(attempt, []).append(identity)
            self.wanted[identity] = attempt + 1
        for attempt, identities in by_attempt.items():
            for at in range(0, len(identities), FETCH_MOST):
                request = Fetch(tuple(identities[at : at + FETCH_MOST]))
                for peer in self._peers(attempt):
                    self._state.send(peer, request)
        if self.wanted:
            self._set()

    def _set(self) -> None:
        if not self._is_set:
            self._is_set = True
            after = max(1, self._state.config.timeout // _PATIENCE)
            self._state.out.append(SetTimer(Timer.FETCH, Millis(after)))

    def _peers(self, attempt: int) -> list[ReplicaId]:
        state = self._state
        others = state.config.replicas - 1
        if attempt == 0 and state.primary != state.me:
            return [state.primary]
        many = min(others, 1 << min(attempt, 16))
        first = many - 1
        return [ReplicaId((state.me + 1 + (first + i) % others) % state.config.replicas) for i in range(many)]
