"""Private orders as `IPrivateOrders` keeps them: terms, phases, handovers. Amounts in wei, times in seconds."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from eth_typing import ChecksumAddress

from offchain.proofs.rounds import RoundId
from offchain.types import CidDigest, Root, Seconds, Wei

PrivateId = NewType("PrivateId", int)
"""Private orders count up from 1, apart from the others."""

NO_KEY = bytes(32)


class PrivatePhase(IntEnum):
    """Where a private order stands; derived from the clock and the facts."""

    NONE = 0
    CLAIM = 1
    RELEASE = 2
    WITHHELD = 3
    PROVE = 4
    AWARD = 5
    HANDOVER = 6
    OVERDUE = 7
    DISPUTE = 8
    UNANSWERED = 9
    PAYABLE = 10
    CLOSED = 11


class PrivateOutcome(IntEnum):
    """How a private order ended."""

    NONE = 0
    PAID = 1
    REFUNDED = 2
    SHARED = 3
    CANCELLED = 4


class Fault(IntEnum):
    """What a winner did, or did not do."""

    NONE = 0
    NO_HANDOVER = 1
    MISSING_PIECE = 2
    WRONG_KEY = 3
    WRONG_PIECE = 4
    WRONG_MULTIPLIER = 5


class ClaimStatus(IntEnum):
    """What became of a claim's bond."""

    NONE = 0
    LOCKED = 1
    RETURNED = 2
    SLASHED = 3


@dataclass(frozen=True, slots=True)
class PrivateTerms:
    """What a client asks for, see `IPrivateOrders.sol`. `verifier`, `client_key`, hashes: 32 bytes."""

    reward: Wei
    bond: Wei
    request_bond: Wei
    verifier: bytes
    chunk_root: Root
    chunks: int
    draws: int
    minimum_correct: int
    maximum_claims: int
    manifest_cid: CidDigest
    client_key: bytes
    elements: int
    layout_hash: bytes
    test_key_hash: bytes
    test_root: Root
    sample_size: int
    claim_seconds: int
    release_seconds: int
    prove_seconds: int
    handover_seconds: int
    dispute_seconds: int
    answer_seconds: int

    @property
    def is_sealed(self) -> bool:
        """Whether nobody sees the test set before claims are over."""
        return any(self.test_key_hash)


@dataclass(frozen=True, slots=True)
class Handover:
    """What a winner hands over: the sealed key (32 bytes), its tag (16), root and place of the sealed pieces."""

    ephemeral_key: bytes
    sealed_key: bytes
    tag: bytes
    key_hash: bytes
    root: Root
    cid: CidDigest


@dataclass(frozen=True, slots=True)
class PieceOpening:
    """A sealed piece and its path to the root of its file, 32 bytes each."""

    data: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ChunkProof:
    """A chunk of the test set, by its leaf in the order's tree."""

    chunk: int
    chunk_hash: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """A unit of a node, counted among those that have any."""

    node: int
    unit: int


@dataclass(frozen=True, slots=True)
class PieceClaim:
    """A piece of a message in a sealed file, see `IHandoverVerifier.sol`. `key`: 32 bytes."""

    key: bytes
    domain: int
    elements: int
    index: int
    number: int
    digest: int


@dataclass(frozen=True, slots=True)
class PrivateState:
    """What an order has come to.

    dispute_until: 0 before the handover. missing: of the `pieces` from `first_piece` on that were asked for. held: wei.
    """

    phase: PrivatePhase
    outcome: PrivateOutcome
    client: ChecksumAddress
    put_at: Seconds
    round: RoundId
    client_key: bytes
    test_key: bytes
    claims: int
    winner: ChecksumAddress
    handover_until: Seconds
    dispute_until: Seconds
    first_piece: int
    pieces: int
    missing: int
    answer_until: Seconds
    held: Wei
