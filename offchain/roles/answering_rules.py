"""Who answers which request for data, and when. Pure."""

from dataclasses import dataclass
from enum import IntEnum

from offchain.dispute.requests import Request
from offchain.types import Seconds, Wei

ANSWER_GAS = 250_000
"""What the dearest answers cost, and a little more; `tests/contracts/availability/test_gas.py` measures them."""


class Interest(IntEnum):
    """Why somebody would answer: the smaller, the sooner."""

    OWN = 0
    """Its own model or test set is voided otherwise, and it is slashed or loses the reward."""
    STAKED = 1
    """It has scored the model, and what it staked on that is slashed otherwise; or without a test set there is nothing
    to be won for the work it has done."""
    BOND = 2
    """The asker's bond."""


@dataclass(frozen=True, slots=True)
class AnsweringOptions:
    """gas_value: wei of the utility token that one wei of the chain's coin is worth to this participant.

    for_bond: whether to answer where nothing but the bond is to be gained.
    """

    gas_value: float = 1.0
    for_bond: bool = False


def is_worth(interest: Interest, bond: Wei, gas_price: Wei, options: AnsweringOptions) -> bool:
    """Whether to answer at all: always for what one's own stake depends on, else if the bond is worth the gas."""
    if interest is not Interest.BOND:
        return True
    return options.for_bond and bond > ANSWER_GAS * gas_price * options.gas_value


def turn(interest: Interest, request: Request, move_seconds: int) -> Seconds:
    """When to answer: whose it is at once; the others, lest all pay for the same answer, after a third or two."""
    asked_at = request.deadline - move_seconds
    return Seconds(asked_at + int(interest) * move_seconds // 3)
