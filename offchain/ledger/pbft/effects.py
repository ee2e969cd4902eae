"""What goes into the state machine and what comes out of it."""

from dataclasses import dataclass
from enum import Enum

from offchain.ledger.pbft.messages import Message
from offchain.ledger.types import Millis, ReplicaId, Sequence


class Timer(Enum):
    """Each can be set once at a time; setting it again replaces it."""

    PROGRESS = "progress"
    """For the oldest bundle that waits, or for the new view."""
    BATCH = "batch"
    """For bundles that may still come before the primary proposes."""
    FETCH = "fetch"
    """For contents that are referred to and may be on their way; asked for when it runs out."""
    STATUS = "status"
    """Runs for ever."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from an authenticated peer."""

    sender: ReplicaId
    message: Message


@dataclass(frozen=True, slots=True)
class Submitted:
    """Valid requests of our own clients, to be spread as one bundle."""

    requests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Connected:
    """A link to a peer stands (again): what was sent before may be lost."""

    peer: ReplicaId


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A timer ran out."""

    timer: Timer


Event = Received | Submitted | Connected | TimedOut


@dataclass(frozen=True, slots=True)
class Persist:
    """A record of the journal: durable before any message of the same list of effects leaves."""

    record: bytes


@dataclass(frozen=True, slots=True)
class Restart:
    """The journal begins anew with these records (atomically: the old one or the new one survives a crash)."""

    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """To one peer."""

    to: ReplicaId
    message: Message


@dataclass(frozen=True, slots=True)
class Broadcast:
    """To all peers, but not to ourselves; `first`: to this one before the others."""

    message: Message
    first: ReplicaId | None = None


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ring after `after` milliseconds."""

    timer: Timer
    after: Millis


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Don't ring."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Executed:
    """A batch was executed: `results` of its `requests`, in order. `time`: the ledger's."""

    sequence: Sequence
    time: Millis
    requests: tuple[bytes, ...]
    results: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Accuse:
    """What `peer` sent no correct replica sends; the edge may cut it off."""

    peer: ReplicaId
    reason: str


Effect = Persist | Restart | Send | Broadcast | SetTimer | CancelTimer | Executed | Accuse
