"""How an order was settled, computed again by the pure rules from what the chain says about it."""

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.views import Seat, decode
from offchain.errors import Bug
from offchain.protocol.settlement import (
    Entrant,
    Payout,
    Place,
    Settled,
    SettlementTerms,
    Sheet,
    payouts_hash,
    settle,
)
from offchain.types import OrderId


def compute_settlement(contracts: AssayContracts, oid: OrderId) -> Settled:
    """Outcome and split of the order as its claims and scores stand on chain now.

    Raises Retryable when the node is down, ContractRejected when there is no such order.
    """
    order = contracts.order(oid)
    models = contracts.models(oid)
    terms = SettlementTerms(
        client=order.client,
        reward=order.terms.reward,
        minimum_score_ppm=order.terms.minimum_score_ppm,
        minimum_validators=order.terms.minimum_validators,
        validator_share_ppm=order.validator_share_ppm,
        aggregator_tax_ppm=order.aggregator_tax_ppm,
    )
    functions = contracts.proof.functions
    void = contracts.read_many([functions.isVoid(oid, index) for index in range(len(models))])
    entrants = [
        Entrant(model.provider, model.sequence, void=bool(gone)) for model, gone in zip(models, void, strict=True)
    ]
    samples = 0 if contracts.read(functions.isTestVoid(oid)) else contracts.test_set(oid).sample_count
    return settle(terms, samples, entrants, _revealed_sheets(contracts, oid, len(models)))


def sealed_payouts(contracts: AssayContracts, oid: OrderId) -> tuple[Payout, ...]:
    """Who earned what by a sealed order; see `sealed_settlement`."""
    return sealed_settlement(contracts, oid).payouts


def sealed_settlement(contracts: AssayContracts, oid: OrderId) -> Settled:
    """How a sealed order was split, checked against the hash that the contract keeps.

    Raises like `compute_settlement`; Bug when our rules and the contract's disagree.
    """
    settled = compute_settlement(contracts, oid)
    sealed = contracts.settlement(oid)
    if payouts_hash(oid, settled.payouts, settled.tax) != sealed.payouts_hash:
        raise Bug(f"order {oid}: the contract settled {sealed}, our rules {settled}")
    return settled


def _revealed_sheets(contracts: AssayContracts, oid: OrderId, models: int) -> list[Sheet]:
    sheets: list[Sheet] = []
    for validator in contracts.validators(oid):
        scores = contracts.scores(oid, validator)
        if len(scores) != models:
            continue  # never revealed
        removed = frozenset(index for index in range(models) if contracts.is_removed(oid, validator, index))
        places = _places(contracts, oid, validator, removed)
        sheets.append(Sheet(validator, contracts.sheet(oid, validator).v_stake, scores, removed, places))
    return sheets


def _places(
    contracts: AssayContracts, oid: OrderId, validator: ChecksumAddress, removed: frozenset[int]
) -> dict[int, Place]:
    """Who has taken the place of a removed validation, by model."""
    asked = sorted(removed)
    found = contracts.read_many([contracts.proof.functions.seatOf(oid, validator, index) for index in asked])
    seats = {index: decode(Seat, values) for index, values in zip(asked, found, strict=True)}
    return {index: Place(seat.holder, seat.stake, seat.score) for index, seat in seats.items() if seat.version}
