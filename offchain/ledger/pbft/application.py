"""What the ordered requests do, and how replicas vouch for what they say; injected into the state machine."""

from collections.abc import Sequence as Sequence_
from dataclasses import dataclass
from typing import Protocol

from offchain.ledger.types import Digest, Millis, ReplicaId


class Application(Protocol):
    """A deterministic state. The same requests in the same order give the same results and digests everywhere."""

    def is_valid(self, request: bytes) -> bool:
        """Whether a request may be ordered at all: its form, size and signature, whatever the state."""

    def is_settled(self, request: bytes) -> bool:
        """Whether executing a valid request would change nothing, now and ever: it was executed, or came too late."""

    def execute(self, time: Millis, requests: Sequence_[bytes]) -> list[bytes]:
        """Executes each request at most once in the ledger's life; a result for each, also for one that was refused."""

    def digest(self) -> Digest:
        """Digest of the state."""

    def snapshot(self) -> bytes:
        """The whole state, from which `restore` makes the same digest."""

    def restore(self, snapshot: bytes) -> None:
        """Replaces the state. Raises Rejected if it is no snapshot, and then leaves the state alone."""


class Signer(Protocol):
    """Signatures of replicas, which others can pass on; bound to this group, and to nothing but view changes."""

    def sign(self, text: bytes) -> bytes:
        """Our signature of `text`."""

    def verify(self, replica: ReplicaId, text: bytes, signature: bytes) -> bool:
        """Whether `replica` signed `text`."""


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """What all replicas of a group must agree on, and who we are.

    `interval` (K): sequence numbers between checkpoints, the window L is twice that; `pipeline`: sequence numbers that
    run at once; times in milliseconds, sizes in bytes.
    """

    replicas: int
    me: ReplicaId
    interval: int = 64
    pipeline: int = 8
    batch_bundles: int = 64
    creator_bundles: int = 64
    creator_bytes: int = 8 << 20
    max_bundle_bytes: int = 256 << 10
    max_request_bytes: int = 8 << 10
    timeout: int = 2_000
    longest_timeout: int = 64_000
    status_every: int = 1_000
    max_drift: int = 30_000
    chunk_bytes: int = 512 << 10

    @property
    def faulty(self) -> int:
        """f, how many replicas may be faulty."""
        return (self.replicas - 1) // 3

    @property
    def quorum(self) -> int:
        """q: any two quorums share a correct replica."""
        return (self.replicas + self.faulty + 2) // 2

    @property
    def window(self) -> int:
        """L, how far numbers may run ahead of the stable checkpoint."""
        return 2 * self.interval

    @property
    def weak(self) -> int:
        """So many hold at least one correct replica."""
        return self.faulty + 1
