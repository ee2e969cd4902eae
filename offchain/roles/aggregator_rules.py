"""What a member of the aggregators' committee does next. Pure: the chain's views in, actions out.

Members act in turns, so that they seldom race: for each order another one is first, and the next follows after a while
if the first did nothing. A race that happens anyway is lost without harm.
"""

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.views import Holding, Proposal
from offchain.protocol.lifecycle import Phase
from offchain.roles.order_view import OrderView, sealable_since
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class Seal:
    """Bring the order to its end."""


@dataclass(frozen=True, slots=True)
class Propose:
    """Propose the sealed payouts."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Confirm the proposal."""


@dataclass(frozen=True, slots=True)
class Execute:
    """Credit the payouts."""


@dataclass(frozen=True, slots=True)
class PayDirect:
    """Credit the payouts of an order that the committee has left lying."""


@dataclass(frozen=True, slots=True)
class Join:
    """Stand for the committee."""

    stake: Wei


@dataclass(frozen=True, slots=True)
class ReleaseStake:
    """Take back the stake that a lost seat still binds, to stand again."""

    epoch: int


@dataclass(frozen=True, slots=True)
class AdvanceEpoch:
    """Start the next epoch."""

    epoch: int


FAULT_TOLERANT = 4
"""Members with which a committee can bear one that lies or is down."""

OrderAction = Seal | Propose | Confirm | Execute | PayDirect
CommitteeAction = Join | ReleaseStake | AdvanceEpoch


@dataclass(frozen=True, slots=True)
class CommitteeView:
    """The committee as its member `account` sees it.

    `free_bond`: its aggregator stake that nothing locks; `suspended`: nothing that this epoch signs counts any more.
    """

    account: ChecksumAddress
    epoch: int
    epoch_ends_at: Seconds
    members: tuple[ChecksumAddress, ...]
    candidates: tuple[ChecksumAddress, ...]
    threshold: int
    locked_stake: Wei
    free_bond: Wei
    now: Seconds
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class MultisigView:
    """Where the payment of a sealed order stands. `confirmed`: by the account that looks.

    `covered`: by a root that stands; `root_comes`: one may still come, and the multisig leaves the order to it.
    """

    holding: Holding
    proposal: Proposal
    confirmed: bool
    covered: bool = False
    root_comes: bool = False


def turn(account: ChecksumAddress, members: tuple[ChecksumAddress, ...], oid: OrderId) -> int:
    """After how many others `account` acts on this order; those who are no members come after all members."""
    if account not in members:
        return len(members)
    return (members.index(account) - oid) % len(members)


def committee_actions(
    view: CommitteeView, *, stake: Wei, stagger: int, payment_waits: bool
) -> tuple[CommitteeAction, ...]:
    """What to do about the committee itself: join, again after a seat was lost, and start an epoch that is due.

    `stake` in wei; `stagger`: seconds between one member's turn and the next; `payment_waits`: an order is sealed and
    not paid. The first epoch starts when it can bear a fault, or when a payment waits for it.
    """
    if view.account not in view.candidates:
        if view.locked_stake and view.account not in view.members:
            return (ReleaseStake(view.epoch),)
        can_join = view.locked_stake == 0 and view.free_bond >= stake
        return (Join(stake),) if can_join else ()
    if view.epoch == 0 and len(view.candidates) < FAULT_TOLERANT and not payment_waits:
        return ()
    after = turn(view.account, view.candidates, OrderId(0))
    if view.suspended:
        # When that was, nobody remembers: the candidates take turns by the clock.
        is_due = view.now // max(stagger, 1) % len(view.candidates) == after
    else:
        is_due = view.now >= view.epoch_ends_at + after * stagger
    return (AdvanceEpoch(view.epoch),) if is_due else ()


def order_actions(
    view: OrderView, committee: CommitteeView, multisig: MultisigView | None, *, stagger: int
) -> tuple[OrderAction, ...]:
    """What the member does about one order; `multisig` is None while the order is not sealed."""
    turn_comes = turn(committee.account, committee.members, view.oid) * stagger
    if view.phase == Phase.SEALABLE:
        return (Seal(),) if view.now >= sealable_since(view) + turn_comes else ()
    if multisig is None or multisig.holding.paid or multisig.holding.sealed_at == 0 or multisig.covered:
        return ()
    if view.now >= multisig.holding.direct_at + turn_comes:
        return (PayDirect(),)
    if committee.account not in committee.members or multisig.root_comes:
        return ()
    return _multisig_actions(view, committee, multisig, turn_comes, stagger)


def _multisig_actions(
    view: OrderView, committee: CommitteeView, multisig: MultisigView, turn_comes: int, stagger: int
) -> tuple[OrderAction, ...]:
    proposal = multisig.proposal
    sealed_for = view.now - multisig.holding.sealed_at
    proposed = proposal.confirmations > 0 and proposal.epoch == committee.epoch
    if not proposed:
        return (Propose(),) if sealed_for >= turn_comes else ()
    if not multisig.confirmed:
        return (Confirm(),)
    if proposal.confirmations < committee.threshold:
        return ()
    # The last confirmation has no time of its own: the first in turn executes at once, the others leave it a round.
    patience = 0 if turn_comes == 0 else len(committee.members) * stagger + turn_comes
    return (Execute(),) if sealed_for >= patience else ()
