"""What a node is told, and what it tells about itself."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from offchain.ledger.identity import Identity
from offchain.ledger.membership import Membership
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.submissions import SubmissionLimits
from offchain.ledger.transport.links import LinkCounters, LinkLimits
from offchain.ledger.types import ReplicaId, Sequence, View


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What a replica needs besides its application.

    `journal`: None keeps nothing, for measurements only: a replica that forgets its votes is a faulty one.
    `group` changes what all replicas must agree on; `replicas` and `me` in it are ignored. `listen`: None means where
    the membership says we are.
    """

    membership: Membership
    identity: Identity
    journal: Path | None
    group: GroupConfig | None = None
    listen: tuple[str, int] | None = None
    links: LinkLimits = field(default_factory=LinkLimits)
    submissions: SubmissionLimits = field(default_factory=SubmissionLimits)
    history: int = 4_096
    """Executed batches that are kept for `executed_since`."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A replica at one moment, for people and monitors.

    `connected`: for each replica whether a link to it stands (our own counts as one). `waiting`: our clients' requests
    that are not executed. Counters are since the start of the process.
    """

    me: ReplicaId
    view: View
    changing: bool
    primary: ReplicaId
    executed: Sequence
    stable: Sequence
    connected: tuple[bool, ...]
    waiting: int
    bundles_under_way: int
    requests_executed: int
    messages_received: int
    turns: int
    syncs: int
    journal_bytes: int
    accusations: int
    uptime: float
    """Seconds."""
    links: LinkCounters

    @property
    def replicas(self) -> int:
        """Size of the group."""
        return len(self.connected)


def group_of(given: GroupConfig | None, replicas: int, me: ReplicaId) -> GroupConfig:
    """`given`, or the defaults, for this group and member."""
    return GroupConfig(replicas, me) if given is None else replace(given, replicas=replicas, me=me)
