"""Where an order stands by the ledger's time (the paper's Refresh). Derived, never stored.

The chain decides about money by its own clock; this table only says what the ledger takes when.
"""

from enum import IntEnum

from offchain.ledger.records.bodies import Order
from offchain.ledger.records.results import Result
from offchain.ledger.types import Millis


class Phase(IntEnum):
    """A window's end belongs to the next phase."""

    TRAINING = 1
    REVEAL = 2
    VALIDATION = 3
    CHALLENGE = 4
    OVER = 5

    @property
    def label(self) -> str:
        """As it is written in JSON."""
        return self.name.lower()


def phase_at(order: Order, time: Millis) -> Phase:
    """The phase of an order at the ledger's time."""
    for end, phase in ((order.t1, Phase.TRAINING), (order.t2, Phase.REVEAL), (order.t3, Phase.VALIDATION)):
        if time < end * 1_000:
            return phase
    return Phase.CHALLENGE if time < order.t4 * 1_000 else Phase.OVER


def within(start: int, end: int, time: Millis, leeway: Millis) -> Result | None:
    """None between `start` and `end` in seconds, give or take `leeway`; else what to answer."""
    if time < start * 1_000 - leeway:
        return Result.EARLY
    return Result.LATE if time >= end * 1_000 + leeway else None
