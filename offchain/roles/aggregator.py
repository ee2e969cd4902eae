"""The aggregator: sits in the committee, seals orders, and pays them, by root where there is a ledger to agree over.

Without a treasurer, or when a root does not come, orders are paid with propose, confirm and execute. False roots are
refuted either way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from web3.contract.contract import ContractFunction

from offchain.chain.enums import Role
from offchain.chain.rewards import Rewards
from offchain.errors import Bug
from offchain.protocol.lifecycle import Phase
from offchain.roles.aggregator_rules import (
    AdvanceEpoch,
    CommitteeAction,
    CommitteeView,
    Confirm,
    Execute,
    Join,
    MultisigView,
    OrderAction,
    PayDirect,
    Propose,
    ReleaseStake,
    Seal,
    committee_actions,
    order_actions,
)
from offchain.roles.context import RoleContext
from offchain.roles.order_view import OrderView
from offchain.roles.reward_watch import RewardWatch
from offchain.roles.settled import sealed_payouts
from offchain.roles.treasurer import Treasurer
from offchain.roles.treasurer_rules import Pace
from offchain.roles.worker import Hands, Worker
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class AggregatorOptions:
    """`stake` in wei is locked for the committee; by default the protocol's minimum.

    `stagger`: seconds of the chain's clock between one member's turn and the next; see `aggregator_rules`.
    """

    stake: Wei | None = None
    stagger: int = 3
    poll_seconds: float | None = None


TreasurerMaker = Callable[[RoleContext, Hands, Rewards], Treasurer]
"""Makes the worker's treasurer, over the ledger that the caller runs."""


class AggregatorWorker(Worker):
    """One candidate for the committee. See `aggregator_rules` and `treasurer_rules` for what it does when."""

    role: ClassVar[str] = "aggregator"

    def __init__(
        self, context: RoleContext, options: AggregatorOptions | None = None, *, treasurer: TreasurerMaker | None = None
    ) -> None:
        """`treasurer` makes the part that agrees with other members on reward roots; without it there are none."""
        self._options = options or AggregatorOptions()
        super().__init__(context, poll_seconds=self._options.poll_seconds)
        self.rewards = Rewards(context.contracts)
        self._guard = RewardWatch(context, self._hands, self.rewards)
        self._treasurer = None if treasurer is None else treasurer(context, self._hands, self.rewards)
        self._pace = Pace(0, 0)
        self._committee: CommitteeView | None = None
        self._payment_waits = False

    def standing(self) -> dict[str, float]:
        """See Loop."""
        mine = {**super().standing(), "rewards_covered_sequence": self.rewards.book.covered}
        return mine if self._treasurer is None else {**mine, **self._treasurer.standing()}

    def close(self) -> None:
        """Ends the treasurer's part."""
        if self._treasurer is not None:
            self._treasurer.close()

    def _prepare(self) -> None:
        self._committee = read_committee(self.context, self._now)
        self._payment_waits = False
        self._attempt(None, "rewards", self._look_at_rewards, obligation=True)

    def _look_at_rewards(self) -> None:
        if self._treasurer is None:
            self._guard.look(self._now)
            return
        parameters = self.context.contracts.protocol_parameters()
        self._pace = Pace(parameters.update_seconds, parameters.stall_delay)
        self._treasurer.look(self._now, self._pace)

    def _has_news(self) -> bool:
        return super()._has_news() or (self._treasurer is not None and self._treasurer.has_news())

    def _is_over(self, view: OrderView) -> bool:
        if view.phase == Phase.CANCELLED:
            return True
        if view.phase != Phase.SEALED:
            return False
        place, root = self.rewards.book.place_of(view.oid), self.rewards.book.effective(self._now)
        if place is not None and root is not None and place <= root.statement.up_to:
            return True
        return self.context.contracts.holding(view.oid).paid

    def _advance(self, view: OrderView) -> None:
        contracts, multisig = self.context.contracts, None
        if view.phase == Phase.SEALED:
            self._payment_waits = True
            multisig = MultisigView(
                holding=contracts.holding(view.oid),
                proposal=contracts.proposal(view.oid),
                confirmed=contracts.has_confirmed(view.oid, self.context.account),
                covered=self._is_covered(view.oid),
                root_comes=self._root_comes(view.oid),
            )
        for action in order_actions(view, self._sitting, multisig, stagger=self._options.stagger):
            self._attempt(view.oid, type(action).__name__, partial(self._act, view.oid, action))

    def _conclude(self) -> None:
        stake = self._options.stake
        if stake is None:
            stake = self.context.contracts.protocol_parameters().aggregator_minimum
        actions = committee_actions(
            self._sitting, stake=stake, stagger=self._options.stagger, payment_waits=self._payment_waits
        )
        for action in actions:
            self._attempt(None, type(action).__name__, partial(self._act_on_committee, action))

    def _is_covered(self, oid: OrderId) -> bool:
        place = self.rewards.book.place_of(oid)
        return place is not None and place <= self.rewards.book.covered

    def _root_comes(self, oid: OrderId) -> bool:
        """Whether the order's payment is left to the next root."""
        return self._treasurer is not None and not self._treasurer.needs_multisig(oid, self._now, self._pace)

    @property
    def _sitting(self) -> CommitteeView:
        if self._committee is None:
            raise Bug("the committee was not read")
        return self._committee

    def _act(self, oid: OrderId, action: OrderAction) -> None:
        contracts, epoch = self.context.contracts, self._sitting.epoch
        match action:
            case Seal():
                self._send(f"seal:{oid}", contracts.proof.functions.seal(oid))
            case Propose():
                self._send(f"propose:{oid}:{epoch}", contracts.propose(oid, sealed_payouts(contracts, oid)))
            case Confirm():
                self._send(f"confirm:{oid}:{epoch}", contracts.treasury.functions.confirm(oid))
            case Execute():
                self._send(f"execute:{oid}:{epoch}", contracts.execute(oid, sealed_payouts(contracts, oid)))
            case PayDirect():
                self._send(f"pay-direct:{oid}", contracts.pay_direct(oid, sealed_payouts(contracts, oid)))

    def _act_on_committee(self, action: CommitteeAction) -> None:
        functions = self.context.contracts.committee.functions
        match action:
            case Join(stake):
                call: ContractFunction = functions.join(stake)
                # A candidate that was displaced or has left may stand again in a later epoch.
                self._send(f"join::{self._sitting.epoch}:{stake}", call)
            case ReleaseStake(epoch):
                self._send(f"release-stake::{epoch}", functions.releaseStake(self.context.account))
            case AdvanceEpoch(epoch):
                self._send(f"advance-epoch::{epoch}", functions.advanceEpoch())


def read_committee(context: RoleContext, now: Seconds) -> CommitteeView:
    """The committee as the context's account sees it at chain time `now`. Raises Retryable."""
    contracts, account = context.contracts, context.account
    return CommitteeView(
        account=account,
        epoch=contracts.epoch(),
        epoch_ends_at=contracts.epoch_ends_at(),
        members=contracts.members(),
        candidates=contracts.candidates(),
        threshold=contracts.threshold(),
        locked_stake=contracts.candidate_stake(account),
        free_bond=contracts.bond(account, Role.AGGREGATOR).free,
        now=now,
        suspended=bool(contracts.read(contracts.committee.functions.isSuspended())),
    )
