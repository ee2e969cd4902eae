"""The one transition table of an order; twin of `contracts/libraries/Lifecycle.sol`.

A phase is never stored: it follows from the chain's clock and a few facts (DESIGN section 1). A window's end belongs to
the next phase: `t < end` is inside. Times are seconds of the chain's clock.
"""

from dataclasses import dataclass
from enum import IntEnum

from offchain.types import Seconds


class Phase(IntEnum):
    """Where an order stands; the values are those of the contracts' enum."""

    NONE = 0
    TRAINING = 1
    REVEAL = 2
    SCORE_COMMIT = 3
    SCORE_REVEAL = 4
    CHALLENGE = 5
    SEALABLE = 6
    SEALED = 7
    CANCELLED = 8

    @property
    def label(self) -> str:
        """The phase in words, for people."""
        return self.name.lower().replace("_", " ")


ENDED = frozenset({Phase.SEALED, Phase.CANCELLED})
"""Phases that an order never leaves."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The times of an order in seconds; `start` is the timestamp of the block that put it (t0 in the paper)."""

    start: int
    train: int
    reveal: int
    validate: int
    challenge: int

    @property
    def train_end(self) -> Seconds:
        """When training ends and claims close."""
        return Seconds(self.start + self.train)

    @property
    def reveal_end(self) -> Seconds:
        """When reveals and the release of the test data close."""
        return Seconds(self.train_end + self.reveal)

    @property
    def score_commit_end(self) -> Seconds:
        """When commitments to scores close: the first half of the validation window, rounded down."""
        return Seconds(self.reveal_end + self.validate // 2)

    @property
    def score_reveal_end(self) -> Seconds:
        """When scores can no longer be revealed."""
        return Seconds(self.reveal_end + self.validate)

    @property
    def challenge_end(self) -> Seconds:
        """When challenges close, disputes aside."""
        return Seconds(self.score_reveal_end + self.challenge)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything besides the clock that moves an order on."""

    cancelled: bool = False
    is_sealed: bool = False
    test_released: bool = False
    claims: int = 0
    reveals: int = 0
    score_commits: int = 0
    score_reveals: int = 0
    open_disputes: int = 0
    challenge_until: int = 0


def phase_at(windows: Windows, facts: Facts, now: int) -> Phase:
    """The phase of an order at time `now`. Total: every input has exactly one phase."""
    if windows.start == 0:
        return Phase.NONE
    if facts.cancelled:
        return Phase.CANCELLED
    if facts.is_sealed:
        return Phase.SEALED
    for end, inside, blocked in _stages(windows, facts):
        if now < end:
            return inside
        if blocked:
            return Phase.SEALABLE
    if facts.open_disputes != 0 or now < windows.challenge_end or now < facts.challenge_until:
        return Phase.CHALLENGE
    return Phase.SEALABLE


def _stages(windows: Windows, facts: Facts) -> tuple[tuple[Seconds, Phase, bool], ...]:
    """Each window before the challenges: its end, its phase, and whether nothing can follow it."""
    return (
        (windows.train_end, Phase.TRAINING, facts.claims == 0),
        (windows.reveal_end, Phase.REVEAL, facts.reveals == 0 or not facts.test_released),
        (windows.score_commit_end, Phase.SCORE_COMMIT, facts.score_commits == 0),
        (windows.score_reveal_end, Phase.SCORE_REVEAL, facts.score_reveals == 0),
    )
