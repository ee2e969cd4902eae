"""What a client does next. Pure: the order and the client's own records in, actions out."""

from dataclasses import dataclass

from offchain.protocol.lifecycle import Phase
from offchain.roles.order_view import OrderView, sealable_since
from offchain.roles.records import TestSetRecord


@dataclass(frozen=True, slots=True)
class ReleaseTest:
    """Open the test set that was committed to."""

    record: TestSetRecord


@dataclass(frozen=True, slots=True)
class OpeningLost:
    """The opening of the test set is not in the journal: the providers will share the reward."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Bring the order to its end."""


ClientAction = ReleaseTest | OpeningLost | Seal


def client_actions(view: OrderView, record: TestSetRecord | None, seal_grace: int) -> tuple[ClientAction, ...]:
    """What the client of `view` does now.

    `record`: its opening of the order's test commitment, if the journal has it; `seal_grace`: seconds for which it
    leaves the sealing to the aggregators.
    """
    if view.phase == Phase.REVEAL and not view.facts.test_released:
        return (OpeningLost(),) if record is None else (ReleaseTest(record),)
    if view.phase == Phase.SEALABLE and view.now >= sealable_since(view) + seal_grace:
        return (Seal(),)
    return ()
