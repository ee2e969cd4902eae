"""What one account has earned, where it stands, and the calls that pay it out."""

from dataclasses import asdict, dataclass
from typing import Any

from eth_typing import ChecksumAddress
from web3.contract.contract import ContractFunction

from offchain.chain.contracts import AssayContracts
from offchain.chain.rewards import Rewards
from offchain.roles.settled import sealed_payouts
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class RewardSummary:
    """One account's rewards in wei.

    `credited`: refunds, and orders that were settled one by one; `claimable`: by roots that are effective; `pending`:
    by roots that still can be refuted, all of it claimable from `pending_until` on (None: nothing is pending); `paid`:
    what was paid through roots so far.
    """

    account: ChecksumAddress
    credited: Wei
    claimable: Wei
    pending: Wei
    pending_until: Seconds | None
    paid: Wei

    @property
    def now(self) -> Wei:
        """What can be claimed now."""
        return Wei(self.credited + self.claimable)

    def to_json(self) -> dict[str, Any]:
        """Fields as JSON values; amounts in wei."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Claiming:
    """A call that pays `amount` wei; `what` is a word for its key. `oid`: of the order that it is about, if of one."""

    what: str
    amount: Wei
    call: ContractFunction
    oid: OrderId | None = None


def summarise_rewards(
    contracts: AssayContracts, rewards: Rewards, account: ChecksumAddress, now: Seconds
) -> RewardSummary:
    """What the account has at chain time `now`, by the book of the last `look`. Raises Retryable."""
    book, paid = rewards.book, rewards.claimed(account)
    effective, top = book.effective(now), book.latest_right()
    ready = Wei(0) if effective is None or effective.right is None else effective.right.tree.total_of(account)
    claimable, pending = Wei(max(ready - paid, 0)), Wei(book.earned(account) - ready)
    return RewardSummary(
        account=account,
        credited=contracts.credited(account),
        claimable=claimable,
        pending=pending,
        pending_until=top.effective_at if top is not None and pending else None,
        paid=paid,
    )


def claims_of(contracts: AssayContracts, rewards: Rewards, account: ChecksumAddress, now: Seconds) -> list[Claiming]:
    """The calls that pay the account all there is now; see `summarise_rewards`. Anyone may send them."""
    summary, calls = summarise_rewards(contracts, rewards, account, now), []
    if summary.credited:
        calls.append(Claiming("claim-rewards", summary.credited, contracts.treasury.functions.claimRewards(account)))
    claim = rewards.book.claim_of(account, now)
    if claim is not None and summary.claimable:
        calls.append(Claiming("claim-root", summary.claimable, rewards.claim(claim)))
    return calls


def stalled_of(contracts: AssayContracts, rewards: Rewards, account: ChecksumAddress, now: Seconds) -> list[Claiming]:
    """The calls that settle the account's orders which the committee has left lying; anyone may send them.

    Each credits `amount` to the account: what `claims_of` pays out afterwards. By the book of the last `look`.
    """
    calls = []
    for held in rewards.book.waiting():
        amount = Wei(sum(payout.amount for payout in held.payouts if payout.account == account))
        holding = contracts.holding(held.oid) if amount else None
        if holding is not None and not holding.paid and holding.direct_at <= now:
            call = contracts.pay_direct(held.oid, sealed_payouts(contracts, held.oid))
            calls.append(Claiming("pay-direct", amount, call, held.oid))
    return calls
