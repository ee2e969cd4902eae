"""Until when something in the outbox has to be mined, by the chain's clock."""

from offchain.chain.availability import Availability
from offchain.chain.contracts import AssayContracts
from offchain.chain.views import decode
from offchain.dispute.state import Dispute
from offchain.types import OrderId, Seconds


def deadline_of(contracts: AssayContracts, key: str) -> Seconds | None:
    """For an intent of the workers, by its key (see `words.explain`); None when it can wait. Raises Retryable."""
    what, *rest = key.partition("#")[0].split(":")
    numbers = [int(word) if word.isdigit() else None for word in rest]
    oid, second = (*numbers, None, None)[:2]
    if oid is None or what == "seal":
        return None
    if what == "release-test":
        return contracts.windows(OrderId(oid)).reveal_end
    if what in ("challenge", "fill"):
        return challenges_until(contracts, OrderId(oid))
    if second is None or what in ("time-out", "dismiss"):
        return None
    if what == "answer":
        return Availability(contracts).request_of(second).deadline
    return decode(Dispute, contracts.read(contracts.court.functions.disputeOf(second))).deadline


def challenges_until(contracts: AssayContracts, oid: OrderId) -> Seconds:
    """When an order's scores can be challenged no more, as far as disputes have moved it so far."""
    return Seconds(max(contracts.windows(oid).challenge_end, contracts.facts(oid).challenge_until))
