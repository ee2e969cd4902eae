"""What somebody does about an open dispute now: whose turn it is and whether its time is up. Pure."""

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.court import Case
from offchain.dispute.state import Side
from offchain.types import Seconds

BYSTANDERS_PATIENCE = 120
"""Seconds for which those who do not play leave it to the players to end a dispute."""


@dataclass(frozen=True, slots=True)
class MakeMove:
    """It is this side's turn, and there is time."""

    side: Side


@dataclass(frozen=True, slots=True)
class TimeOut:
    """The player on turn is late: the other one has won."""


@dataclass(frozen=True, slots=True)
class Dismiss:
    """The validation does not count any more: there is nothing left to win."""


DisputeAction = MakeMove | TimeOut | Dismiss


def side_of(case: Case, account: ChecksumAddress) -> Side | None:
    """Which side the account plays, if any."""
    if account == case.dispute.challenger:
        return Side.CHALLENGER
    return Side.DEFENDANT if account == case.dispute.defendant else None


def dispute_action(case: Case, account: ChecksumAddress, now: Seconds, *, live: bool) -> DisputeAction | None:
    """What `account` does about a dispute at `now`. `live`: whether the validation still counts.

    Bystanders end what the players have left lying, for an open dispute keeps its order from being sealed.
    """
    dispute = case.dispute
    side, turn = side_of(case, account), dispute.on_turn
    if turn is None:
        return None
    late = now >= dispute.deadline
    if side is None:
        if now < dispute.deadline + BYSTANDERS_PATIENCE:
            return None
        return TimeOut() if live else Dismiss()
    if not live:
        return Dismiss()
    if turn is side:
        return None if late else MakeMove(side)
    return TimeOut() if late else None
