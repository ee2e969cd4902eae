"""A whole run of training: its states, its tree, what each drawn step is proven with (docs/training-proofs.md, Run).

Pure. Twin of `TrainingProofs.sol` in the schedule of the batches, in the leaves and in the binding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address

from offchain.errors import Bug, Rejected
from offchain.model.merkle import MerkleTree
from offchain.proofs.field import Element
from offchain.proofs.training.commitments import batch_hash, derived_salt, state_hash
from offchain.proofs.training.sgd import Batch, Ints, step
from offchain.proofs.training.shape import StepShape
from offchain.proofs.training.terms import MOST_STEPS, RunId, StepLeaf, schedule_of
from offchain.proofs.training.witness import Salted, SaltedBatch
from offchain.protocol.hashing import keccak

STEP_LEAF, BATCH_LEAF = 10, 12
"""Kinds of leaves (docs/proofs.md)."""

_CONFIDENCE_GAP = 0.05


@dataclass(frozen=True, slots=True)
class BatchSet:
    """The committed data of a run: batches that were cut, salted and hashed before the training.

    :param batches: 1 to 2^20
    :param hashes: of each
    """

    shape: StepShape
    batches: tuple[SaltedBatch, ...]
    hashes: tuple[Element, ...]

    @property
    def tree(self) -> MerkleTree:
        """Over the batches' hashes."""
        return _tree([["uint256", "uint256"]] * len(self.hashes), [(BATCH_LEAF, h) for h in self.hashes])


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """All that the trainer keeps.

    :param states: `steps + 1`, the initial one first
    :param hashes: of the states
    :param schedule: the batch of each step
    """

    data: BatchSet
    states: tuple[Salted, ...]
    hashes: tuple[Element, ...]
    schedule: tuple[int, ...]

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.schedule)

    def leaves(self) -> tuple[tuple[Element, Element], ...]:
        """State and batch of each leaf; the last one's batch is 0."""
        batches = (*(self.data.hashes[i] for i in self.schedule), Element(0))
        return tuple(zip(self.hashes, batches, strict=True))

    def tree(self) -> MerkleTree:
        """What the trainer commits to."""
        leaves = self.leaves()
        return _tree([["uint256", "uint256", "uint256"]] * len(leaves), [(STEP_LEAF, *leaf) for leaf in leaves])

    def opened(self, tree: MerkleTree, index: int) -> StepLeaf:
        """Leaf `index` in [0, steps] with its path."""
        return StepLeaf(*self.leaves()[index], tree.prove(index))

    def step(self, index: int) -> tuple[Salted, SaltedBatch, Salted]:
        """What `prove_step` takes for step `index` in [0, steps)."""
        return self.states[index], self.data.batches[self.schedule[index]], self.states[index + 1]


def cut_batches(shape: StepShape, inputs: Ints, labels: Ints, secret: bytes) -> BatchSet:
    """The data as it comes, in batches; what is left over is left out.

    :param inputs: int64 (n, sizes[0]), in the order that was agreed (shuffle before)
    :param labels: int64 (n,)
    :param secret: 32 bytes, from which the salts come; who holds the data has it
    :raises Rejected: fewer than one batch, more than 2^20, or samples out of shape
    """
    count = len(inputs) // shape.batch
    if not 1 <= count <= MOST_STEPS:
        raise Rejected(f"{len(inputs)} samples make {count} batches of {shape.batch}: give 1 to {MOST_STEPS} batches")
    batches = []
    for i in range(count):
        part = slice(i * shape.batch, (i + 1) * shape.batch)
        batches.append(SaltedBatch(Batch(inputs[part], labels[part]), derived_salt(secret, "batch", i)))
    return BatchSet(shape, tuple(batches), tuple(batch_hash(shape, b.batch, b.salt) for b in batches))


def train(data: BatchSet, initial: Salted, seed: bytes, steps: int, secret: bytes) -> TrainedRun:
    """Trains by the schedule, and keeps all states.

    :param initial: the state that the run's terms name
    :param seed: the schedule's, 32 bytes
    :param secret: 32 bytes, from which the salts of the states after it come; for this run only
    :raises Rejected: a step leaves the declared bounds (take larger rates, and train anew)
    """
    order = schedule_of(seed, steps, len(data.batches))
    states = [initial]
    for i, batch in enumerate(order, 1):
        after = step(data.shape, states[-1].state, data.batches[batch].batch)
        states.append(Salted(after, derived_salt(secret, "state", i)))
    return commit_to(data, tuple(states), order)


def commit_to(data: BatchSet, states: Sequence[Salted], order: Sequence[int]) -> TrainedRun:
    """The run with these states, whether they follow from each other or not."""
    if len(states) != len(order) + 1:
        raise Bug(f"{len(states)} states of {len(order)} steps")
    hashes = tuple(state_hash(data.shape, s.state, s.salt) for s in states)
    return TrainedRun(data, tuple(states), hashes, tuple(order))


def run_binding(chain_id: int, contract: ChecksumAddress, run: RunId, trainer: ChecksumAddress) -> Element:
    """The public input `prover`: of the run, of who trains, and of the contract."""
    words = encode(
        ["uint256", "address", "bytes32", "address"],
        [chain_id, to_canonical_address(contract), run, to_canonical_address(trainer)],
    )
    return Element(int.from_bytes(keccak(words), "big") >> 8)


def escape_probability(steps: int, false_steps: int, draws: int) -> float:
    """How likely `draws` different steps miss all of `false_steps`: at most (1 - false_steps / steps)^draws."""
    if not (0 <= false_steps <= steps and 1 <= draws <= steps):
        raise Bug(f"{false_steps} false steps and {draws} draws of {steps}")
    return math.comb(steps - false_steps, draws) / math.comb(steps, draws)


def false_steps_ruled_out(steps: int, draws: int) -> int:
    """The least number of false steps with which acceptance has probability at most 5 %."""
    low, high = 1, steps
    while low < high:
        middle = (low + high) // 2
        if escape_probability(steps, middle, draws) <= _CONFIDENCE_GAP:
            high = middle
        else:
            low = middle + 1
    return low


def bond_that_deters(gain: int, steps: int, draws: int) -> int:
    """The least bond, in wei, with which even a single false step that is worth `gain` loses on average.

    The single step is drawn with probability draws / steps and then costs the bond; else it brings the gain.
    """
    return -(-gain * (steps - draws) // draws) if draws < steps else 0


def _tree(types: Sequence[Sequence[str]], leaves: Sequence[tuple[int, ...]]) -> MerkleTree:
    hashed = [keccak(encode(kind, leaf)) for kind, leaf in zip(types, leaves, strict=True)]
    return MerkleTree(np.frombuffer(b"".join(hashed), dtype=np.uint8).reshape(-1, 32))
