"""Where an order's money went: escrow, payouts, stakes. Pure."""

from collections.abc import Sequence

from offchain.chain.enums import Outcome, Role
from offchain.dispute.state import NOBODY
from offchain.explorer.index.folds.order import OrderState
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.rows_orders import Flow
from offchain.types import Wei

ESCROW = "escrow"
AGGREGATORS = "aggregators"
BURNED = "burned"


def flows_of(state: OrderState, events: Sequence[EventRow]) -> tuple[Flow, ...]:
    """The order's flows; `events` are those of the order, with the vault's."""
    client, reward = state.order.client, state.order.terms.reward
    flows = [Flow("reward", client, ESCROW, reward)]
    if state.cancelled:
        flows.append(Flow("refund", ESCROW, client, reward))
    seal = state.seal
    if seal is not None:
        for place, payout in enumerate(seal.payouts):
            flows.append(Flow(_what(seal.outcome, place), ESCROW, payout.account, payout.amount))
        if seal.tax:
            flows.append(Flow("tax", ESCROW, AGGREGATORS, seal.tax))
    for event in events:
        if (event.contract, event.name) == ("StakeVault", "Slashed"):
            flows += _slash(event)
    return tuple(flows)


def _what(outcome: Outcome, place: int) -> str:
    match outcome:
        case Outcome.WON:
            return "winner" if place == 0 else "validator"
        case Outcome.SHARED:
            return "provider"
        case _:
            return "refund"


def _slash(event: EventRow) -> list[Flow]:
    said = event.arguments
    account, beneficiary = said["account"], said["beneficiary"]
    what = f"slash {Role(said['role']).name.lower()}"
    flows = []
    if said["paid"] and beneficiary != NOBODY:
        flows.append(Flow(what, account, beneficiary, Wei(said["paid"])))
    if said["burned"]:
        flows.append(Flow(what, account, BURNED, Wei(said["burned"])))
    return flows
