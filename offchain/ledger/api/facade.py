"""What the HTTP API needs of the process around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.ledger.records.request import Request
from offchain.ledger.submissions import Receipt


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Where a replica stands. `connected`: for each replica whether a link to it stands (our own counts as one)."""

    me: int
    view: int
    changing: bool
    primary: int
    executed: int
    stable: int
    waiting: int
    connected: tuple[bool, ...]

    @property
    def replicas(self) -> int:
        """Size of the group."""
        return len(self.connected)

    @property
    def quorum(self) -> int:
        """How many must work together."""
        faulty = (self.replicas - 1) // 3
        return (self.replicas + faulty + 2) // 2


class LedgerNode(Protocol):
    """A replica that runs in our event loop."""

    async def submit(self, requests: Sequence[bytes]) -> Sequence[Receipt]:
        """Has valid requests ordered; returns when all are executed, a receipt for each, in order.

        Raises Retryable at once, and orders none, when too much waits already.
        """

    def status(self) -> NodeStatus:
        """Where it stands now."""


class Admission(Protocol):
    """Who may write: the group's policy at its edge, no part of the replicated state."""

    async def refusal(self, request: Request) -> str | None:
        """None if the request may be ordered; else one line that says what to do."""
