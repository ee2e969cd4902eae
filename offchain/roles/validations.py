"""What is said of an order's models, place by place, as it stands on chain."""

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
            counted=seat.score != ABSTAIN and (seat.version > 0 or not gone),
        )
        for (who, index), seat, gone in zip(places, seats, removed, strict=True)
    )
