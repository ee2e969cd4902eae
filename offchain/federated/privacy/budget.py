"""The ledger of privacy that a task's contract keeps: integers only; twin of `PrivacyLedger.sol`.

A task says what one round's release costs a participant in Rényi differential privacy at up to eight orders, and what
may be spent at each. RDP at one order adds up over rounds, even when a round depends on the ones before (Mironov 2017,
proposition 1), so the contract only counts releases: one more is admitted iff at some order the sum stays within the
limit. Costs are rounded up and limits down, so whatever is admitted keeps (epsilon, delta).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.errors import Rejected
from offchain.federated.privacy.conversion import epsilon_at, rdp_limit

MAX_ORDERS = 8
NANO = 10**9
"""Nano-nats in a nat: unit of costs, limits and epsilon."""
MILLI = 1000
"""Orders are in thousandths: 8500 is the order 8.5."""
ATTO = 10**18
"""Delta is in 10**-18."""

CANDIDATE_ORDERS: tuple[int, ...] = (
    *range(1100, 4000, 100),
    *range(4000, 12000, 250),
    *range(12000, 33000, 1000),
    *(40000, 48000, 64000, 80000, 96000, 128000, 192000, 256000, 384000, 512000),
)
"""Thousandths: what `terms_for` chooses from."""

_UINT32, _UINT64 = (1 << 32) - 1, (1 << 64) - 1


class Mechanism(Protocol):
    """What a participant releases in one round, once."""

    def rdp(self, order: float) -> float:
        """RDP (nats) of one round's release at `order` > 1, an upper bound; may be infinite."""


@dataclass(frozen=True, slots=True)
class PrivacyTerms:
    """A task's privacy budget as the contract holds it; every field an unsigned integer.

    `epsilon` (uint64, nano-nats) and `delta` (uint64, 10**-18) are what each participant is promised over the whole
    task. For each k: `orders[k]` (uint32, thousandths, above 1000, strictly increasing), `costs[k]` (uint64, nano-nats,
    above 0): RDP of one release at that order; `limits[k]` (uint64, nano-nats): the RDP at that order at which
    (epsilon, delta) is reached.
    """

    epsilon: int
    delta: int
    orders: tuple[int, ...]
    costs: tuple[int, ...]
    limits: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.orders) <= MAX_ORDERS:
            raise Rejected(f"privacy terms with {len(self.orders)} orders: give 1 to {MAX_ORDERS}")
        if not len(self.orders) == len(self.costs) == len(self.limits):
            raise Rejected(
                f"privacy terms: {len(self.orders)} orders, {len(self.costs)} costs and {len(self.limits)} limits; "
                "give one of each per order"
            )
        if not (1 <= self.epsilon <= _UINT64 and 1 <= self.delta < ATTO):
            raise Rejected(
                f"privacy terms: epsilon {self.epsilon} nano-nats, delta {self.delta} / 10**18: out of range"
            )
        if any(later <= earlier for earlier, later in zip((MILLI, *self.orders), self.orders, strict=False)):
            raise Rejected(f"RDP orders {self.orders}: give thousandths above {MILLI}, strictly increasing")
        if self.orders[-1] > _UINT32 or not all(1 <= cost <= _UINT64 for cost in self.costs):
            raise Rejected("privacy terms: an order above 32 bits, or a cost that is 0 or above 64 bits")
        if not all(0 <= limit <= _UINT64 for limit in self.limits):
            raise Rejected("privacy terms: a limit below 0 or above 64 bits")


def admits(terms: PrivacyTerms, count: int) -> bool:
    """Whether a participant that has released `count` times may release once more: the contract's rule."""
    return any((count + 1) * cost <= limit for cost, limit in zip(terms.costs, terms.limits, strict=True))


def releases_allowed(terms: PrivacyTerms) -> int:
    """How many releases of one participant the rule admits."""
    return max(limit // cost for cost, limit in zip(terms.costs, terms.limits, strict=True))


def epsilon_after(terms: PrivacyTerms, count: int, delta: float) -> float:
    """The ε (nats) that `count` releases have spent by the terms' costs, at `delta`; 0 for no release."""
    if count == 0:
        return 0.0
    pairs = zip(terms.orders, terms.costs, strict=True)
    return min(epsilon_at(count * cost / NANO, order / MILLI, delta) for order, cost in pairs)


def terms_for(
    epsilon: float, delta: float, mechanism: Mechanism, *, orders: Sequence[int] = CANDIDATE_ORDERS
) -> PrivacyTerms:
    """The terms under which `mechanism` may release as often as (epsilon, delta) allows.

    Of `orders` (thousandths) at most eight are kept: the one that admits most releases, and those that tell the spent
    ε best on the way there. Raises Rejected when not even one release fits.
    """
    integer_epsilon, integer_delta = math.floor(epsilon * NANO), math.floor(delta * ATTO)
    if integer_epsilon < 1 or not 1 <= integer_delta < ATTO:
        raise Rejected(f"epsilon {epsilon}, delta {delta}: give epsilon > 0 and 0 < delta < 1")
    rows: list[tuple[int, int, int]] = []
    for order in sorted(set(orders)):
        limit = _limit(integer_epsilon, integer_delta, order)
        cost = _cost(mechanism, order)
        if limit is not None and cost is not None and cost <= limit:
            rows.append((order, cost, limit))
    if not rows:
        raise Rejected(
            f"one release alone exceeds epsilon {epsilon} at delta {delta}: raise the noise multiplier or the budget, "
            "or take fewer steps a round"
        )
    chosen = sorted(_choose(rows, delta))
    return PrivacyTerms(
        epsilon=integer_epsilon,
        delta=integer_delta,
        orders=tuple(row[0] for row in chosen),
        costs=tuple(row[1] for row in chosen),
        limits=tuple(row[2] for row in chosen),
    )


def check_honest(terms: PrivacyTerms, mechanism: Mechanism) -> None:
    """What a participant checks before it joins: no cost understates `mechanism`, no limit exceeds what ε and δ allow.

    Any order may admit a release, so every one must be honest. Raises Rejected, naming the first that is not.
    """
    for order, cost, limit in zip(terms.orders, terms.costs, terms.limits, strict=True):
        true_cost = mechanism.rdp(order / MILLI)
        if not cost >= true_cost * NANO:
            raise Rejected(
                f"privacy terms: at order {order / MILLI} a release costs {true_cost:.9f} nats, the task says "
                f"{cost / NANO:.9f}; do not join"
            )
        true_limit = rdp_limit(terms.epsilon / NANO, order / MILLI, terms.delta / ATTO)
        if limit > max(true_limit, 0.0) * NANO:
            raise Rejected(
                f"privacy terms: at order {order / MILLI} epsilon is reached at {true_limit:.9f} nats, the task says "
                f"{limit / NANO:.9f}; do not join"
            )


def _cost(mechanism: Mechanism, order: int) -> int | None:
    """Nano-nats, rounded up past what another machine's floats may say; None when no 64 bits hold it."""
    cost = mechanism.rdp(order / MILLI)
    if not cost < _UINT64 // NANO:
        return None
    return math.ceil(cost * NANO * (1 + 1e-9)) + 1


def _limit(epsilon: int, delta: int, order: int) -> int | None:
    limit = math.floor(rdp_limit(epsilon / NANO, order / MILLI, delta / ATTO) * NANO * (1 - 1e-12)) - 1
    return limit if limit >= 1 else None


def _choose(rows: list[tuple[int, int, int]], delta: float) -> set[tuple[int, int, int]]:
    """Rows (order, cost, limit): the best for the end of the budget, then for ever fewer releases."""
    allowed = max(limit // cost for _, cost, limit in rows)
    chosen = {max(rows, key=lambda row: (row[2] // row[1], row[2] / row[1]))}
    for count in sorted({max(allowed >> halving, 1) for halving in range(MAX_ORDERS - 1)}):
        chosen.add(_best_after(rows, count, delta))
    return chosen


def _best_after(rows: list[tuple[int, int, int]], count: int, delta: float) -> tuple[int, int, int]:
    return min(rows, key=lambda row: epsilon_at(count * row[1] / NANO, row[0] / MILLI, delta))
