"""What the HTTP API needs of the process around it. `offchain.ledger.node.LedgerNode` is a `LedgerBackend`."""

from collections.abc import Callable, Sequence
from typing import Protocol

from offchain.ledger.node_config import NodeStatus
from offchain.ledger.pbft.effects import Executed
from offchain.ledger.records.request import Parsed
from offchain.ledger.submissions import Receipt


class LedgerBackend(Protocol):
    """A replica that runs in our event loop."""

    async def submit(self, requests: Sequence[bytes]) -> list[Receipt]:
        """Has valid requests ordered; returns when all are executed, a receipt for each, in order.

        Raises Retryable at once, and orders none, when too much waits already.
        """

    def status(self) -> NodeStatus:
        """Where it stands now."""

    def on_executed(self, listener: Callable[[Executed], None]) -> None:
        """Calls `listener` with every batch that is executed from now on, in order."""


class Admission(Protocol):
    """Who may write: the group's policy at its edge, no part of the replicated state."""

    async def refusal(self, request: Parsed) -> str | None:
        """None if the request may be ordered; else one line that says what to do. Raises Retryable."""
