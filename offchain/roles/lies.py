"""What lying validators report in place of the truth. For the demonstration and the tests only.

A lie is made from the true scores, so that each liar could have been honest at the same cost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from eth_typing import ChecksumAddress

from offchain.protocol.scores import ABSTAIN, ScoreFunction, in_range
from offchain.roles.journal import Journal
from offchain.roles.records import ScoresRecord
from offchain.types import OrderId


@dataclass(frozen=True, slots=True)
class Truth:
    """What a liar knows: the true scores by model index, who revealed each model, and how samples are scored."""

    oid: OrderId
    scores: tuple[int, ...]
    providers: tuple[ChecksumAddress, ...]
    function: ScoreFunction
    samples: int

    def admits(self, score: int) -> bool:
        """Whether the contract takes such a score."""
        return in_range(self.function, score, self.samples)


class Lie(Protocol):
    """Makes false scores of true ones."""

    def __call__(self, truth: Truth) -> tuple[int, ...]:
        """The scores to report, by model index, each in the function's range."""


class Defence(Enum):
    """What a liar does when it is challenged."""

    STORY = auto()
    """tells a false story that contradicts itself nowhere, until the contract computes"""
    SILENT = auto()
    """lets its clock run out"""


@dataclass(frozen=True, slots=True)
class FlipOneSample:
    """One model's score is wrong by a single sample."""

    model_index: int = 0

    def __call__(self, truth: Truth) -> tuple[int, ...]:
        """See Lie."""
        scores = list(truth.scores)
        true = scores[self.model_index]
        if true != ABSTAIN:
            scores[self.model_index] = true + 1 if truth.admits(true + 1) else true - 1
        return tuple(scores)


@dataclass(frozen=True, slots=True)
class CopyWithNoise:
    """Another validator's scores, each moved a little, as somebody would who saves itself the evaluation.

    `original` gives the other's scores once it has them; without them the truth is what is moved. `noise`: by how much
    at most, in units of the score; never by nothing.
    """

    original: Callable[[OrderId], tuple[int, ...] | None]
    noise: int = 3

    def __call__(self, truth: Truth) -> tuple[int, ...]:
        """See Lie."""
        copied = self.original(truth.oid) or truth.scores
        return tuple(self._moved(truth, index, score) for index, score in enumerate(copied))

    def _moved(self, truth: Truth, index: int, score: int) -> int:
        if score == ABSTAIN:
            return ABSTAIN
        step = 1 + (truth.oid + index) % self.noise
        moved = (score + step, score - step) if (truth.oid + index) % 2 else (score - step, score + step)
        return next((value for value in moved if truth.admits(value)), score)


def leaked_from(journal: Journal) -> Callable[[OrderId], tuple[int, ...] | None]:
    """The scores in another validator's journal: somebody let them out before they were committed."""

    def scores(oid: OrderId) -> tuple[int, ...] | None:
        known = journal.of_order(ScoresRecord, oid)
        return known[-1].scores if known else None

    return scores


@dataclass(frozen=True, slots=True)
class Conspiracy:
    """All members say the same: that the favourite's model is better than every other, by `margin` units of the score.

    About the other models they tell the truth, which makes them hard to tell from honest validators, or make them out
    worse by `slander` units of the score; then no true validation of any model is left.
    """

    favourite: ChecksumAddress
    margin: int = 1
    slander: int = 0

    def __call__(self, truth: Truth) -> tuple[int, ...]:
        """See Lie."""
        best = max(truth.scores)
        wanted = next((best + step for step in range(self.margin, 0, -1) if truth.admits(best + step)), best)
        mine = truth.providers.index(self.favourite) if self.favourite in truth.providers else None
        return tuple(
            wanted if index == mine else self._slandered(truth, score) for index, score in enumerate(truth.scores)
        )

    def _slandered(self, truth: Truth, score: int) -> int:
        return score - self.slander if score != ABSTAIN and truth.admits(score - self.slander) else score
