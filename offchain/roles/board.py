"""The orders that still matter to a worker, read anew from the chain at every tick.

Only what cannot change is kept: an order's terms, and that an order is over. A reorganisation of the chain makes it
forget both.
"""

from collections.abc import Collection, Iterator

from offchain.chain.client import BlockRef, ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.views import Order
from offchain.errors import Bug
from offchain.protocol.lifecycle import phase_at
from offchain.roles.order_view import OrderView
from offchain.types import OrderId


class Board:
    """All orders of one deployment but those that the worker has done with."""

    def __init__(self, client: ChainClient, contracts: AssayContracts) -> None:
        self._client = client
        self._contracts = contracts
        self._head: BlockRef | None = None
        self._terms: dict[OrderId, Order] = {}
        self._over: set[OrderId] = set()
        self._next = 0

    @property
    def head(self) -> BlockRef:
        """The block that the last `advance` read."""
        if self._head is None:
            raise Bug("the board has not looked at the chain yet")
        return self._head

    @property
    def open_orders(self) -> int:
        """How many orders were looked at and are not over for the worker."""
        return len(self._terms)

    def advance(self) -> BlockRef:
        """Reads the latest block, and notices when it does not descend from the one before. Raises Retryable.

        On public networks, where several nodes answer at one address, one that is behind has nothing to say.
        """
        head = self._client.head()
        if self._head is not None and head.number < self._head.number and self._client.network.kind != "development":
            return self._head
        if self._head is not None and not self._descends(head, self._head):
            self._terms.clear()
            self._over.clear()
        self._head = head
        return head

    def views(self, head: BlockRef, first: Collection[OrderId] = ()) -> Iterator[OrderView]:
        """Every order that is not over, as of `head`'s time: those in `first`, then the others.

        Whoever stops early continues with the others, oldest first, where it stopped. Raises Retryable.
        """
        count = self._contracts.order_count()
        for oid in sorted(first):
            if oid <= count and oid not in self._over:
                yield self._view(oid, head)
        start = self._next % max(count, 1)
        for step in range(count):
            oid = OrderId((start + step) % count + 1)
            self._next = oid
            if oid not in self._over and oid not in first:
                yield self._view(oid, head)

    def close(self, oid: OrderId) -> None:
        """Nothing more will be done about this order."""
        self._over.add(oid)
        self._terms.pop(oid, None)

    def _view(self, oid: OrderId, head: BlockRef) -> OrderView:
        order = self._terms.get(oid)
        if order is None:
            order = self._contracts.order(oid)
            self._terms[oid] = order
        facts = self._contracts.facts(oid)
        return OrderView(oid, order, facts, phase_at(order.windows, facts, head.timestamp), head.timestamp)

    def _descends(self, head: BlockRef, former: BlockRef) -> bool:
        if head.hash == former.hash or head.parent == former.hash:
            return True
        return head.number > former.number and self._client.block(former.number).hash == former.hash
