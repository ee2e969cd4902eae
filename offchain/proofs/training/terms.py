"""Runs of training as `ITrainingProofs` keeps them: terms, statuses, leaves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address

from offchain.errors import Rejected
from offchain.protocol.hashing import keccak
from offchain.types import Root, Wei

MOST_STEPS = 2**20

RunId = NewType("RunId", bytes)
"""32 bytes: `run_id(opener, key)`."""


class RunStatus(IntEnum):
    """Of a run; derived from facts and the time."""

    NONE = 0
    OPEN = 1
    LAPSED = 2
    DRAWING = 3
    PROVING = 4
    ACCEPTED = 5
    NO_SHOW = 6
    SLASHED = 7


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What a run is held to, see `ITrainingProofs.sol`. `verifier` is a registry key (32 bytes), `bond` in wei."""

    verifier: bytes
    initial_state: int
    batch_root: Root
    schedule_seed: bytes
    trainer: ChecksumAddress
    bond: Wei
    batches: int
    steps: int
    draws: int
    commit_seconds: int
    prove_seconds: int

    def schedule(self) -> tuple[int, ...]:
        """The batch of each step. Raises Rejected when steps or batches are out of bounds."""
        return schedule_of(self.schedule_seed, self.steps, self.batches)


@dataclass(frozen=True, slots=True)
class StepLeaf:
    """A leaf of the run's tree, a state and the batch of the step that follows, with its path of 32 bytes each."""

    state_hash: int
    batch_hash: int
    path: tuple[bytes, ...]


def run_id(opener: ChecksumAddress, key: bytes) -> RunId:
    """The id of the run that `opener` opens under its own `key` of 32 bytes."""
    return RunId(keccak(encode(["address", "bytes32"], [to_canonical_address(opener), key])))


def schedule_of(seed: bytes, steps: int, batches: int) -> tuple[int, ...]:
    """The batch of each step, with replacement: keccak256(abi.encode(seed, step)) mod `batches`. Seed: 32 bytes."""
    if not (1 <= steps <= MOST_STEPS and 1 <= batches <= MOST_STEPS):
        raise Rejected(f"a run of {steps} steps over {batches} batches: each must be in [1, {MOST_STEPS}]")
    return tuple(int.from_bytes(keccak(seed + i.to_bytes(32, "big")), "big") % batches for i in range(steps))
