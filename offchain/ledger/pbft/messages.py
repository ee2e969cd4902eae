"""What replicas say to each other. The sender of a message is known from its link, so most don't name it."""

from dataclasses import dataclass

from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View


@dataclass(frozen=True, slots=True)
class Bundle:
    """Requests of clients, each in its canonical encoding; known by the SHA-256 of the bundle's encoding."""

    requests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one sequence number stands for: bundles in the order of execution. The null batch has none, and time 0."""

    time: Millis
    bundles: tuple[Digest, ...]


NULL_BATCH = Batch(Millis(0), ())


@dataclass(frozen=True, slots=True)
class PrePrepare:
    """The primary's proposal, which is its prepare too."""

    view: View
    sequence: Sequence
    batch: Batch


@dataclass(frozen=True, slots=True)
class Prepare:
    """The sender has the batch with this digest and promises not to accept another in this view."""

    view: View
    sequence: Sequence
    digest: Digest


@dataclass(frozen=True, slots=True)
class Commit:
    """The sender knows that a quorum prepared."""

    view: View
    sequence: Sequence
    digest: Digest


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The sender's state after `sequence`."""

    sequence: Sequence
    digest: Digest


@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """An element of P: the batch that prepared for `sequence` in the highest view."""

    sequence: Sequence
    view: View
    batch: Batch


@dataclass(frozen=True, slots=True)
class PrePreparedEntry:
    """An element of Q: the latest view in which a pre-prepare of `digest` was accepted for `sequence`."""

    sequence: Sequence
    view: View
    digest: Digest


@dataclass(frozen=True, slots=True)
class ViewChange:
    """The replica leaves for `view` and says what it knows. Signed, for others pass it on."""

    view: View
    replica: ReplicaId
    stable: Sequence
    checkpoints: tuple[Checkpoint, ...]
    prepared: tuple[PreparedEntry, ...]
    preprepared: tuple[PrePreparedEntry, ...]
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class NewView:
    """The primary's set of view changes, from which every replica computes the same beginning of the view."""

    view: View
    view_changes: tuple[ViewChange, ...]


@dataclass(frozen=True, slots=True)
class FetchBundles:
    """Asks for bundles."""

    digests: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Where the sender stands. `changing`: it has left for `view`, which has not begun."""

    view: View
    changing: bool
    stable: Sequence
    stable_digest: Digest
    executed: Sequence


@dataclass(frozen=True, slots=True)
class Decided:
    """The sender has executed `batch` as `sequence`."""

    sequence: Sequence
    batch: Batch


@dataclass(frozen=True, slots=True)
class FetchState:
    """Asks for a part of the snapshot at a stable checkpoint."""

    sequence: Sequence
    chunk: int


@dataclass(frozen=True, slots=True)
class StateChunk:
    """Part `chunk` of `chunks` of the snapshot at `sequence`."""

    sequence: Sequence
    chunk: int
    chunks: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Gossip:
    """For the application of the receiver (signatures of reward roots); no part of the consensus."""

    payload: bytes


Message = (
    Bundle
    | PrePrepare
    | Prepare
    | Commit
    | Checkpoint
    | ViewChange
    | NewView
    | FetchBundles
    | Status
    | Decided
    | FetchState
    | StateChunk
    | Gossip
)
