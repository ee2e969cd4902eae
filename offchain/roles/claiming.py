"""What one account has earned, where it stands, and the calls that pay it out."""

from dataclasses import asdict, dataclass
from typing import Any

from eth_typing import ChecksumAddress
from web3.contract.contract import ContractFunction

from offchain.chain.contracts import AssayContracts
from offchain.chain.rewards import Rewards
from offchain.types import Seconds, Wei


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
    """A call that pays `amount` wei; `what` is a word for its key."""

    what: str
    amount: Wei
    call: ContractFunction


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
