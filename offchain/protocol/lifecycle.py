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
        """When challenges close, unless one is open."""
        return Seconds(self.score_reveal_end + self.challenge)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything besides the clock that moves an order on.

    `test_released`: released, and not found void; `open_disputes`: disputes and requests for data.
    """

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
    over = Phase.SEALABLE if facts.open_disputes == 0 else Phase.CHALLENGE
    for end, inside, next_phase in _stages(windows, facts, over):
        if now < end:
            return inside
        if next_phase is not None:
            return next_phase
    return Phase.CHALLENGE if now < max(windows.challenge_end, facts.challenge_until) else over


def phase_end(phase: Phase, windows: Windows, challenge_until: int) -> Seconds | None:
    """When a phase ends by the clock; None for one that does not. `challenge_until`: as disputes have stretched it."""
    match phase:
        case Phase.TRAINING:
            return windows.train_end
        case Phase.REVEAL:
            return windows.reveal_end
        case Phase.SCORE_COMMIT:
            return windows.score_commit_end
        case Phase.SCORE_REVEAL:
            return windows.score_reveal_end
        case Phase.CHALLENGE:
            return Seconds(max(windows.challenge_end, challenge_until))
        case _:
            return None


def _stages(windows: Windows, facts: Facts, over: Phase) -> tuple[tuple[Seconds, Phase, Phase | None], ...]:
    """Each window before the challenges: its end, its phase, and what follows at once when nothing else can.

    That is `over`, which waits for what is open, wherever something can be open at all.
    """
    unreleased = over if facts.reveals else Phase.SEALABLE
    return (
        (windows.train_end, Phase.TRAINING, None if facts.claims else Phase.SEALABLE),
        (windows.reveal_end, Phase.REVEAL, None if facts.reveals and facts.test_released else unreleased),
        (windows.score_commit_end, Phase.SCORE_COMMIT, None if facts.score_commits else over),
        (windows.score_reveal_end, Phase.SCORE_REVEAL, None if facts.score_reveals else over),
    )
