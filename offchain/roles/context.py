"""What every worker is given: its connections, its journal, and what the pure rules may not touch themselves."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.sending import Sending
from offchain.roles.journal import Journal
from offchain.storage.store import Store
from offchain.types import OrderId


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """Something that a worker did or met, for people and programs that watch it.

    `what` is a short word ("claim", "reveal", "training", "trouble"); for a transaction that is final it is the first
    part of its idempotency key, and `detail` has `gas` and `transaction`.
    """

    role: str
    account: ChecksumAddress
    oid: OrderId | None
    what: str
    detail: Mapping[str, Any] = field(default_factory=dict)


Report = Callable[[WorkerEvent], None]


def ignore(_: WorkerEvent) -> None:
    """Reports to nobody."""


@dataclass(frozen=True, slots=True)
class RoleContext:
    """One participant: `sender` holds its key, or offers to a wallet that does; no other worker may use that key.

    `rng(n)` gives n random bytes; `clock` monotonic seconds, for back-off and deadlines of background work: the
    protocol's time is the chain's; `sleep` pauses background work.
    """

    client: ChainClient
    contracts: AssayContracts
    sender: Sending
    store: Store
    journal: Journal
    rng: Callable[[int], bytes] = secrets.token_bytes
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    report: Report = ignore

    @property
    def account(self) -> ChecksumAddress:
        """The participant's address."""
        return self.sender.address
