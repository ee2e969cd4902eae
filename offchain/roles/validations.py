"""What is said of an order's models, place by place, as it stands on chain."""

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.views import Seat, decode
from offchain.protocol.scores import ABSTAIN
from offchain.roles.verifier_rules import Validation
from offchain.types import OrderId


def read_validations(contracts: AssayContracts, oid: OrderId) -> tuple[Validation, ...]:
    """Every revealed score of the order, or the one that has taken its place. Raises Retryable."""
    functions = contracts.proof.functions
    validators = contracts.validators(oid)
    scores = contracts.read_many([functions.scoresOf(oid, who) for who in validators])
    places = [(who, index) for who, row in zip(validators, scores, strict=True) for index in range(len(row))]
    seats = [
        decode(Seat, values) for values in contracts.read_many([functions.seatOf(oid, *place) for place in places])
    ]
    removed = contracts.read_many([functions.isRemoved(oid, *place) for place in places])
    return tuple(
        Validation(
            validator=who,
            model_index=index,
            holder=seat.holder,
            score=seat.score,
            stake=seat.stake,
            version=seat.version,
            live=seat.live,
            counted=is_counted(seat, gone),
            emptied=gone and not is_counted(seat, gone),
        )
        for (who, index), seat, gone in zip(places, seats, removed, strict=True)
    )


def is_counted(seat: Seat, removed: bool) -> bool:
    """Whether something stands in the place. `removed`: what the validator said itself was proven false."""
    return seat.score != ABSTAIN and (seat.version > 0 or not removed)


def taken_places(contracts: AssayContracts, oid: OrderId, account: ChecksumAddress) -> tuple[Validation, ...]:
    """The places of other validators that the account has taken, and holds. Raises Retryable."""
    return tuple(
        item
        for item in read_validations(contracts, oid)
        if item.holder == account and item.version > 0 and item.score != ABSTAIN
    )
