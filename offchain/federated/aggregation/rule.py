"""The rule that a task names, and the one door to all rules.

Shares of n are in parts per million, so a rule fits any number of updates: k(n) = floor(n * ppm / 10**6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Bug, Rejected
from offchain.federated.aggregation.blocks import MAX_UPDATES
from offchain.federated.aggregation.bulyan import bulyan, require_bulyan
from offchain.federated.aggregation.clipped_mean import clipped_mean
from offchain.federated.aggregation.geometric_median import geometric_median
from offchain.federated.aggregation.krum import krum, require_krum
from offchain.federated.aggregation.mean import mean
from offchain.federated.aggregation.median import median
from offchain.federated.aggregation.trimmed_mean import trimmed_mean

PPM = 1_000_000
MAX_NORM = (1 << 32) - 1
MAX_ITERATIONS = 100


class RuleId(IntEnum):
    """Which rule; contracts and files have the same numbers."""

    MEAN = 1
    MEDIAN = 2
    TRIMMED_MEAN = 3
    CLIPPED_MEAN = 4
    KRUM = 5
    MULTI_KRUM = 6
    GEOMETRIC_MEDIAN = 7
    BULYAN = 8


def rule_id(name: str) -> RuleId:
    """The rule of a name like `trimmed-mean`. Raises Rejected if there is none."""
    try:
        return RuleId[name.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(rule.name.lower().replace("_", "-") for rule in RuleId)
        raise Rejected(f"no aggregation rule is called {name!r}: choose one of {known}") from None


_SHARES = (RuleId.TRIMMED_MEAN, RuleId.KRUM, RuleId.MULTI_KRUM, RuleId.BULYAN)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and its terms.

    parameter: TRIMMED_MEAN: values cut at each side, ppm of n; CLIPPED_MEAN: the norm in units, 1 to 2**32 - 1; KRUM,
    MULTI_KRUM, BULYAN: hostile updates f, ppm of n; 0 for others.
    selected: MULTI_KRUM: m, ppm of n, at least one; GEOMETRIC_MEDIAN: iterations, 1 to 100; 0 for others.
    """

    id: RuleId
    parameter: int = 0
    selected: int = 0

    def part(self, count: int) -> int:
        """What is cut at each side, or f, of `count` updates."""
        return count * self.parameter // PPM

    def kept(self, count: int) -> int:
        """m of Multi-Krum, of `count` updates; 1 for Krum."""
        return max(1, count * self.selected // PPM)

    def check(self, count: int) -> None:
        """Raises Rejected unless the terms are valid and `count` updates are enough for them."""
        self.check_terms()
        if not 1 <= count <= MAX_UPDATES:
            raise Rejected(f"{count} updates: a rule takes 1 to {MAX_UPDATES}")
        part = self.part(count)
        if self.id == RuleId.TRIMMED_MEAN and count <= 2 * part:
            raise Rejected(f"cutting {part} values at each side of {count} leaves none: cut fewer or wait for more")
        if self.id in (RuleId.KRUM, RuleId.MULTI_KRUM):
            require_krum(count, part, self.kept(count))
        if self.id == RuleId.BULYAN:
            require_bulyan(count, part)

    def check_terms(self) -> None:
        """Raises Rejected unless both terms are in their ranges."""
        low, high = 0, 0
        if self.id in _SHARES:
            high = PPM // 2 - 1
        if self.id == RuleId.CLIPPED_MEAN:
            low, high = 1, MAX_NORM
        _require(self.id, "parameter", self.parameter, low, high)
        low, high = 0, 0
        if self.id == RuleId.MULTI_KRUM:
            high = PPM
        if self.id == RuleId.GEOMETRIC_MEDIAN:
            low, high = 1, MAX_ITERATIONS
        _require(self.id, "selected", self.selected, low, high)

    def least(self) -> int:
        """The number of updates from which on `check` passes, up to 128. Raises Rejected if there is none."""
        self.check_terms()
        for count in range(MAX_UPDATES, 0, -1):
            try:
                self.check(count)
            except Rejected:
                if count == MAX_UPDATES:
                    raise
                return count + 1
        return 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule made: the aggregate int16 (d), and the indices whose values entered it, ascending."""

    aggregate: NDArray[np.int16]
    chosen: tuple[int, ...]


def aggregate(
    rule: Rule, updates: Sequence[NDArray[np.int16]], weights: Sequence[int] = (), *, threads: int = 1
) -> Outcome:
    """One update of n, int16 (d) each; they may be memory-mapped, for they are read by blocks and never copied whole.

    weights: samples of each participant, 1 to 2**20; only MEAN looks at them. The result does not depend on `threads`.
    Raises Rejected if the rule is not valid for n updates, or they are not vectors of one length.
    """
    count = len(updates)
    rule.check(count)
    match rule.id:
        case RuleId.KRUM | RuleId.MULTI_KRUM:
            return Outcome(*krum(updates, rule.part(count), rule.kept(count), threads=threads))
        case RuleId.BULYAN:
            return Outcome(*bulyan(updates, rule.part(count), threads=threads))
        case _:
            return Outcome(_of_all(rule, updates, weights, threads), tuple(range(count)))


def _of_all(
    rule: Rule, updates: Sequence[NDArray[np.int16]], weights: Sequence[int], threads: int
) -> NDArray[np.int16]:
    """The rules that every update enters."""
    match rule.id:
        case RuleId.MEAN:
            return mean(updates, weights, threads=threads)
        case RuleId.MEDIAN:
            return median(updates, threads=threads)
        case RuleId.TRIMMED_MEAN:
            return trimmed_mean(updates, rule.part(len(updates)), threads=threads)
        case RuleId.CLIPPED_MEAN:
            return clipped_mean(updates, rule.parameter, threads=threads)
        case RuleId.GEOMETRIC_MEDIAN:
            return geometric_median(updates, rule.selected, threads=threads)
        case _:
            raise Bug(f"{rule.id!r} selects updates")


def _require(rule: RuleId, name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise Rejected(f"{name} of {rule.name} is {value}: give one in {low} to {high}")
