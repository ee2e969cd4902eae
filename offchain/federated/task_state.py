"""A federated task as the chain has it: twins of the structs in `IFederatedTraining.sol`.

Bitmaps are over participants' indices (their places in order of joining), bit i for index i.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from eth_typing import ChecksumAddress

from offchain.federated.terms import NO_TIME, Mode, OptimizerTerms, RuleTerms
from offchain.types import Root, Seconds, Wei


class TaskPhase(IntEnum):
    """Where a task stands; see the table in docs/federated.md."""

    NONE = 0
    JOINING = 1
    KEYS = 2
    SHARES = 3
    COMMIT = 4
    REVEAL = 5
    REQUEST = 6
    ANSWER = 7
    UNMASK = 8
    AGGREGATE = 9
    CHALLENGE = 10
    SETTLE = 11
    OVER = 12
    PROVE = 13
    """Comes after ANSWER: proofs of accuracy are awaited."""

    @property
    def label(self) -> str:
        """For people."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class TaskState:
    """What lasts over the rounds. `round` is 0 while joining; `refundable`: what the client can take back now.

    `present`: who is active; `barred`: who may not lead. `seed` is that of the round that is on.
    """

    client: ChecksumAddress
    round: int
    failed_in_a_row: int
    participants: int
    active: int
    over: bool
    join_ends: Seconds
    present: int
    barred: int
    seed: bytes
    next_seed: bytes
    model_root: Root
    refundable: Wei


@dataclass(frozen=True, slots=True)
class RoundState:
    """The round that is on. Ends are points in time, 0 while unknown; `leader` is of the posting in force.

    `answer_ends`: while requests are open when they expire. Secure mode: `roster` was active when the round began,
    `keyed`, `shared` and `answered` have posted keys, shares and what unmasks. Proofs of accuracy: who has committed to
    a model, and when they were counted, 0 before.
    """

    began: Seconds
    keys_end: Seconds
    shares_end: Seconds
    commit_ends: Seconds
    reveal_ends: Seconds
    request_ends: Seconds
    answer_ends: Seconds
    unmask_ends: Seconds
    post_ends: Seconds
    challenge_ends: Seconds
    committed: int
    open_requests: int
    open_disputes: int
    attempt: int
    revealed: int
    included: int
    roster: int
    keyed: int
    shared: int
    answered: int
    posting: int
    posted: bool
    leader: int
    result_root: Root
    measures_root: Root
    selection: int
    modelled: int = 0
    counted_at: Seconds = NO_TIME

    def end_of(self, phase: TaskPhase) -> Seconds:
        """When a phase of the round ends, 0 where nothing says so."""
        ends = {
            TaskPhase.KEYS: self.keys_end,
            TaskPhase.SHARES: self.shares_end,
            TaskPhase.COMMIT: self.commit_ends,
            TaskPhase.REVEAL: self.reveal_ends,
            TaskPhase.REQUEST: self.request_ends,
            TaskPhase.ANSWER: self.answer_ends,
            TaskPhase.UNMASK: self.unmask_ends,
            TaskPhase.AGGREGATE: self.post_ends,
            TaskPhase.CHALLENGE: self.challenge_ends,
        }
        return ends.get(phase, Seconds(0))


@dataclass(frozen=True, slots=True)
class Participant:
    """One who joined. `word`: its commitment, then the root of its update; `round`: the last in which it committed."""

    account: ChecksumAddress
    stake: Wei
    word: bytes
    seeds_root: bytes
    samples: int
    round: int
    releases: int
    excluded: bool
    gone: bool

    @property
    def active(self) -> bool:
        """Whether it may still take part."""
        return not (self.excluded or self.gone)


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """What remains of a round for ever; all zero until it is final or failed. The last three: secure mode."""

    is_final: bool
    failed: bool
    leader: int
    included: int
    claimed: int
    result_root: Root
    measures_root: Root
    seed: bytes
    roster: int
    answered: int


@dataclass(frozen=True, slots=True)
class AccuracyRecord:
    """How a final round with proofs of accuracy is paid; all zero for others.

    `proof_round`: the round of AccuracyProofs that has the counts; `rewarded`: whose updates are in the result;
    `merits`: right samples above the baseline, all together; `dust`: what division leaves of the pool, in wei.
    """

    proof_round: bytes
    rewarded: int
    merits: int
    dust: Wei


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """A question for a chunk of an update; it counts in its round only."""

    asker: ChecksumAddress
    chunk: int
    round: int
    open: bool


@dataclass(frozen=True, slots=True)
class Posting:
    """What the court has to know of a posting."""

    posting: int
    leader: ChecksumAddress
    challenge_ends: Seconds
    columns: int
    dimension: int
    mode: Mode
    rule: RuleTerms
    optimizer: OptimizerTerms
    move_seconds: Seconds
    previous_root: Root
    result_root: Root
    measures_root: Root
    selection: int


def indices(bitmap: int) -> Iterator[int]:
    """The indices in a bitmap, ascending."""
    index = 0
    while bitmap >> index:
        if bitmap >> index & 1:
            yield index
        index += 1


def bitmap_of(members: Iterator[int] | tuple[int, ...] | list[int]) -> int:
    """The bitmap of some indices."""
    return sum(1 << index for index in set(members))
