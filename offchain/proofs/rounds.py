"""Rounds of accuracy proofs as `IAccuracyProofs` keeps them: terms, phases, what became of a prover."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from eth_abi.abi import encode as abi_encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.types import Root, Seconds, Wei

RoundId = NewType("RoundId", bytes)
"""32 bytes: `round_id(opener, key)`."""


class ProofPhase(IntEnum):
    """Of a round; derived from the time and from whether the draw was fixed."""

    NONE = 0
    COMMIT = 1
    DRAW = 2
    PROVE = 3
    OVER = 4


class ProverStatus(IntEnum):
    """Of one account in one round. COMMITTED in a round that is over: the draw lapsed, nothing was asked."""

    NONE = 0
    COMMITTED = 1
    ACCEPTED = 2
    BELOW_MINIMUM = 3
    NO_SHOW = 4
    SLASHED = 5


@dataclass(frozen=True, slots=True)
class ProofTerms:
    """What a round asks for, see `IAccuracyProofs.sol`. `verifier` is a registry key (32 bytes), `bond` in wei."""

    verifier: bytes
    chunk_root: Root
    chunks: int
    draws: int
    minimum_correct: int
    maximum_provers: int
    commit_seconds: int
    prove_seconds: int
    bond: Wei
    gated: bool


@dataclass(frozen=True, slots=True)
class ProverView:
    """An account in a round. `correct`: right samples in the `proven` draws that it has proven."""

    status: ProverStatus
    model_hash: int
    correct: int
    proven: int


@dataclass(frozen=True, slots=True)
class RoundView:
    """A round as of one block.

    `draw_block`: 0 until somebody has called `draw`; `prove_until` is 0 and `seed` None while the draw is not fixed;
    `finished`: provers that have proven all draws, counted in gated rounds only.
    """

    round: RoundId
    terms: ProofTerms
    phase: ProofPhase
    commit_until: Seconds
    prove_until: Seconds
    draw_block: int
    attempts: int
    seed: bytes | None
    committed: int
    finished: int


def round_id(opener: ChecksumAddress, key: bytes) -> RoundId:
    """The id of the round that `opener` opens under `key` (32 bytes)."""
    return RoundId(bytes(keccak(abi_encode(["address", "bytes32"], [opener, key]))))
