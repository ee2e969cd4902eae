"""Aggregators that misbehave with rewards, in ways that the contracts slash. For the demonstration and the tests only.

Each is an honest treasurer but for one thing; what they do goes through the real ledger and real transactions.
"""

from dataclasses import replace

from eth_typing import ChecksumAddress

from offchain.protocol.hashing import keccak
from offchain.protocol.reward_cycle import Cycle, build_cycle
from offchain.protocol.reward_root import RewardRoot
from offchain.protocol.settlement import Payout
from offchain.roles.reward_shares import Share
from offchain.roles.treasurer import Treasurer
from offchain.roles.treasurer_rules import is_confirmed, next_proposal
from offchain.types import Root, Seconds, Wei


class GreedyTreasurer(Treasurer):
    """Proposes and signs roots in which `thief` earned what the last order's winners did. Never refutes one of them.

    k of these with one thief have their root on chain; anybody's refutation then takes their stakes.
    """

    thief: ChecksumAddress | None = None

    def _guard(self, now: Seconds) -> None:
        """Leaves it alone."""

    def _next_cycle(self) -> Cycle | None:
        right = next_proposal(self.book)
        return None if right is None else self._bent(right)

    def _cycle_of(self, statement: RewardRoot) -> Cycle | None:
        right = self.book.next_cycle(statement.up_to)
        bent = None if right is None else self._bent(right)
        return bent if bent is not None and bent.statement.at(statement.attempt) == statement else None

    def _is_right(self, statement: RewardRoot) -> bool:
        return self._cycle_of(statement) is not None

    def _bent(self, right: Cycle) -> Cycle | None:
        before = self.book.tip
        if before is None:
            return None
        *others, last = self.book.orders_after(before, right.statement.up_to)
        spoils = Wei(sum(payout.amount for payout in last.payouts))
        robbed = replace(last, payouts=(Payout(self.thief or self._context.account, spoils),))
        told = right.statement
        bent = build_cycle(
            before,
            [*others, robbed],
            self._members(told.epoch),
            epoch=told.epoch,
            settled_otherwise=told.settled_otherwise,
        )
        # The history is the treasury's own: with another one the root could not be posted.
        return replace(bent, statement=replace(bent.statement, history=told.history))


class LonelyLiar(GreedyTreasurer):
    """Proposes false roots, which nobody else signs, and signs what is right when it is another's."""

    def _cycle_of(self, statement: RewardRoot) -> Cycle | None:
        return self.book.next_cycle(statement.up_to)

    def _is_right(self, statement: RewardRoot) -> bool:
        return is_confirmed(self.book, statement)


class EquivocatingTreasurer(Treasurer):
    """Signs what is right, and something else under the same number: whoever hears both shows them to the contract."""

    def _let_know(self, share: Share) -> None:
        super()._let_know(share)
        other = replace(share.statement, root=Root(keccak(share.statement.root)))
        self._ledger.broadcast_share(Share(other, self._sign(other.digest(self.rewards.domain))).encode())
