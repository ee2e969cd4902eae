"""What all roles about orders share: the orders that still matter, those with obligations first."""

from abc import abstractmethod

from offchain.chain.client import BlockRef
from offchain.roles.board import Board
from offchain.roles.context import RoleContext
from offchain.roles.loop import Attempt, Hands, Loop, Say, raise_from
from offchain.roles.order_view import OrderView, left_lying
from offchain.types import OrderId

__all__ = ["LONGEST_LOOK", "Attempt", "Hands", "Say", "Worker", "raise_from"]

LONGEST_LOOK = 5.0
"""Seconds after which a look at the orders is broken off, to look first again at those that stake depends on."""


class Worker(Loop):
    """One participant in one role."""

    def __init__(self, context: RoleContext, *, poll_seconds: float | None = None) -> None:
        """See Loop."""
        super().__init__(context, poll_seconds=poll_seconds)
        self._board = Board(context.client, context.contracts)

    def standing(self) -> dict[str, float]:
        """See Loop."""
        return {**super().standing(), "orders_open": self._board.open_orders}

    def _head(self) -> BlockRef:
        return self._board.advance()

    def _look(self, head: BlockRef) -> bool:
        """Goes through the orders, those with obligations first; whether it came to the end of them.

        Anyone can put orders by the thousand; they must not keep a worker from a reveal that its stake depends on.
        """
        first = self._obligations()
        until = self.context.clock() + LONGEST_LOOK
        for view in self._board.views(head, first):
            if self._is_over(view):
                self._board.close(view.oid)
            else:
                self._advance(view)
            if view.oid not in first and self.context.clock() >= until:
                return False
        return True

    # What a role fills in

    def _obligations(self) -> frozenset[OrderId]:
        """Orders to which this participant may have committed something, and that come first therefore."""
        return frozenset()

    @abstractmethod
    def _is_over(self, view: OrderView) -> bool:
        """Whether this role has nothing to do about an order any more."""

    @abstractmethod
    def _advance(self, view: OrderView) -> None:
        """Does what can be done about one order."""

    # What roles use

    def _seal_if_left(self, view: OrderView) -> None:
        """Brings an order to its end when nobody else does: what this participant has locked in it hangs on that."""
        if left_lying(view):
            seal = self.context.contracts.proof.functions.seal(view.oid)
            self._attempt(view.oid, "seal", lambda: self._send(f"seal:{view.oid}", seal))
