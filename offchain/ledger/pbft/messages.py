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


SHORT_BYTES = 3
"""Of a digest, in a proposal. Of a hundred bundles that wait two begin alike once in some 3,000 times, which costs a
fetch."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pre-prepare in short: `digest` of the batch, and the beginning of each bundle's digest."""

    view: View
    sequence: Sequence
    time: Millis
    digest: Digest
    bundles: tuple[bytes, ...]


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
class Entry:
    """An element of P or Q: the batch with this digest prepared, or was pre-prepared, for `sequence` in `view`.

    Contents are fetched by digest (`Fetch`): so view changes stay small, whatever the batches hold.
    """

    sequence: Sequence
    view: View
    digest: Digest


@dataclass(frozen=True, slots=True)
class ViewChange:
    """The replica leaves for `view` and says what it knows. Signed, for others pass it on.

    `checkpoints`: the states it had, from `stable` on. `prepared` (P): for each number the batch that prepared in the
    highest view, by number. `preprepared` (Q): each batch it accepted, with the latest view, by number and digest.
    """

    view: View
    replica: ReplicaId
    stable: Sequence
    checkpoints: tuple[Checkpoint, ...]
    prepared: tuple[Entry, ...]
    preprepared: tuple[Entry, ...]
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Reference:
    """A view change by its sender and the SHA-256 of its encoding."""

    replica: ReplicaId
    digest: Digest


@dataclass(frozen=True, slots=True)
class NewView:
    """The primary's set of view changes, from which every replica computes the same beginning of the view."""

    view: View
    view_changes: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Asks for bundles, batches and view changes by their digests; answered by `Bundle`, `Offer` and `ViewChange`."""

    digests: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """The batch that the receiver asked for. Its encoding is what a batch's digest is taken of."""

    batch: Batch


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
    | Proposal
    | Prepare
    | Commit
    | Checkpoint
    | ViewChange
    | NewView
    | Fetch
    | Offer
    | Status
    | Decided
    | FetchState
    | StateChunk
    | Gossip
)
