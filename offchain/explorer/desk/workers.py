"""The workers that play for an account whose keys are in a wallet: the same as those of the command line."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from offchain.chain.client import BlockRef
from offchain.roles.challenge import MAX_TEST_BYTES
from offchain.roles.client import ClientOptions, ClientWorker
from offchain.roles.context import RoleContext
from offchain.roles.courtroom import Courtroom
from offchain.roles.order_view import OrderView
from offchain.roles.records import TestSetRecord
from offchain.roles.worker import Worker
from offchain.types import OrderId


class _OwnOrders(Worker):
    """Looks at the orders that it has to do with, and at no others."""

    def _look(self, head: BlockRef) -> bool:
        first = self._obligations()
        for view in self._board.views(head, first):
            if view.oid not in first:
                break
            if self._is_over(view):
                self._board.close(view.oid)
            else:
                self._advance(view)
        return True


class WalletClient(ClientWorker):
    """Releases test sets, answers for them, seals: for one client. Orders are put by permit, not by it."""

    def _to_put(self) -> tuple[TestSetRecord, ...]:
        return ()


class IndexedClient(_OwnOrders, WalletClient):
    """The same where an index knows the client's orders: no other is looked at."""

    def __init__(
        self, context: RoleContext, options: ClientOptions, orders_of: Callable[[], Iterable[OrderId]]
    ) -> None:
        """`orders_of`: the client's orders."""
        super().__init__(context, options)
        self._orders_of = orders_of

    def _obligations(self) -> frozenset[OrderId]:
        return frozenset(self._orders_of())


class WalletPlayer(_OwnOrders):
    """Plays all disputes of one account, as challenger and as defendant, and does nothing else."""

    role: ClassVar[str] = "verifier"

    def __init__(self, context: RoleContext) -> None:
        """Downloads and examinations run in threads of its own."""
        super().__init__(context)
        self._courtroom = Courtroom(context, self._hands, max_test_bytes=MAX_TEST_BYTES)

    def close(self) -> None:
        """Ends what runs in the background."""
        self._courtroom.close()

    def _has_news(self) -> bool:
        return self._courtroom.has_news() or super()._has_news()

    def _prepare(self) -> None:
        self._courtroom.collect()
        self._courtroom.begin(self._board.head)

    def _obligations(self) -> frozenset[OrderId]:
        return self._courtroom.orders()

    def _is_over(self, view: OrderView) -> bool:
        return view.ended

    def _advance(self, view: OrderView) -> None:
        self._courtroom.advance(view)
