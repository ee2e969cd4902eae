"""What to bid for gas. Pure."""

from offchain.chain.networks import FeePolicy
from offchain.chain.transactions import Fees
from offchain.errors import Retryable

BASE_FEE_HEADROOM = 2  # the base fee can rise by 12.5 % a block: six full blocks fit into a doubling


def suggest(policy: FeePolicy, *, base_fee: int, gas_price: int) -> Fees:
    """The first bid, given the latest block's base fee and the node's gas price (both in wei per gas).

    Raises Retryable when the network wants more than the policy's maximum.
    """
    if policy.kind == "legacy":
        price = max(gas_price, policy.priority_fee)
        _require_below(price, policy)
        return Fees(price, None)
    _require_below(base_fee + policy.priority_fee, policy)
    return Fees(min(BASE_FEE_HEADROOM * base_fee + policy.priority_fee, policy.maximum_fee), policy.priority_fee)


def bump(policy: FeePolicy, old: Fees, fresh: Fees) -> Fees | None:
    """The bid that replaces `old`, given what would be a `fresh` first bid now; None when the maximum forbids it.

    Nodes accept a replacement only if both tip and maximum rise by 10 % or more.
    """

    def raised(fee: int) -> int:
        return fee + max(fee * policy.bump_percent // 100, 1)

    maximum = max(raised(old.maximum), fresh.maximum)
    if maximum > policy.maximum_fee:
        return None
    if old.tip is None or fresh.tip is None:
        return Fees(maximum, None)
    return Fees(maximum, min(max(raised(old.tip), fresh.tip), maximum))


def _require_below(price: int, policy: FeePolicy) -> None:
    if price > policy.maximum_fee:
        raise Retryable(
            f"gas costs {price / 1e9:.3g} gwei now, above the network's maximum of {policy.maximum_fee / 1e9:.3g} gwei"
        )
