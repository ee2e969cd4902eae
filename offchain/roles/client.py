"""The client: puts orders, releases the test data when the models are revealed, and sees its orders to their end."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.errors import ContractRejected
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.sender import Intended, Ticket
from offchain.chain.transactions import Receipt
from offchain.errors import Bug, Rejected, Retryable
from offchain.protocol.lifecycle import ENDED, Phase
from offchain.protocol.manifest import MAX_FILE_BYTES, MAX_MANIFEST_BYTES, OrderManifest
from offchain.roles.answering import Answering
from offchain.roles.client_rules import ClientAction, OpeningLost, ReleaseTest, Seal, client_actions
from offchain.roles.context import RoleContext
from offchain.roles.journal import Journal
from offchain.roles.order_view import OrderView
from offchain.roles.prepare import OrderRequest, PreparedOrder, prepare_order
from offchain.roles.records import TestSetRecord
from offchain.roles.worker import Worker
from offchain.storage.cid import Cid
from offchain.storage.layered import LayeredStore
from offchain.storage.store import Store
from offchain.types import Commitment, OrderId

__all__ = ["ClientOptions", "ClientWorker", "OrderRequest", "PreparedOrder", "hand_over", "prepare_order", "put_order"]

HAND_OVER_POLL_SECONDS = 0.5
SEARCHED_AT_ONCE = 100


def put_order(context: RoleContext, prepared: PreparedOrder) -> OrderId:
    """Puts a prepared order and waits until it is final; its number.

    The intent is journalled first: if this process dies, `client run` puts the order. Calling again does not put it
    twice. Raises ContractRejected when the contract refuses, Rejected when the account cannot pay, Retryable when the
    node is down (the order is then put later, by `client run` or by calling again).
    """
    context.journal.write(replace(prepared.record, wanted=True))
    return put_order_id(context, context.sender.wait(submit_put(context, prepared.record)))


def hand_over(
    contracts: AssayContracts,
    journal: Journal,
    prepared: PreparedOrder,
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> OrderId:
    """Leaves a prepared order to the `client run` that is using the key, and waits until it has put it; its number.

    Raises Retryable when nobody has put it within `seconds`; it stays in the journal, for whoever runs next.
    """
    seen = contracts.order_count()
    journal.write(replace(prepared.record, wanted=True))
    deadline = clock() + seconds
    while clock() < deadline:
        for oid in range(seen + 1, contracts.order_count() + 1):
            if contracts.order(OrderId(oid)).terms.test_commitment == prepared.record.commitment:
                return OrderId(oid)
            seen = oid
        sleep(HAND_OVER_POLL_SECONDS)
    raise Retryable("the process that uses this key has not put the order; start `assay client run`, which will")


def require_cancellable(contracts: AssayContracts, oid: OrderId, account: ChecksumAddress) -> None:
    """Raises Rejected, saying why, when `account` cannot cancel the order now."""
    order, phase = contracts.order(oid), contracts.phase(oid)
    if order.client != account:
        raise Rejected(f"order {oid} is not of {account} but of {order.client}; use its key")
    if phase is not Phase.TRAINING:
        raise Rejected(f"order {oid} is {phase.label}; an order can be cancelled only while its training lasts")
    if contracts.facts(oid).claims:
        raise Rejected(f"order {oid} has claims already, so it goes on; see `assay show {oid}`")


def submit_put(context: RoleContext, record: TestSetRecord) -> Ticket:
    """Sends the approval of exactly the reward, then the put, once each; does not wait. Raises like `put_order`.

    The keys are made of the test commitment, which is unique for its salt.
    """
    contracts, name = context.contracts, record.commitment.hex()
    call = contracts.token.functions.approve(contracts.book.address, record.terms.reward)
    put = Intended(f"put::{name}", contracts.put(record.terms))
    try:
        return context.sender.submit_many([Intended(f"approve::{name}", call), put])[-1]
    except ContractRejected as error:
        if error.name != "ERC20InsufficientAllowance":
            raise
        # Another order of this client has replaced or used up the allowance between the two.
        return context.sender.submit_many([Intended(f"approve::{name}#2", call), put])[-1]


def put_order_id(context: RoleContext, receipt: Receipt) -> OrderId:
    """The number of the order that the transaction of `receipt` put."""
    decoder = EventDecoder.of(context.contracts.addresses)
    for log in receipt.logs:
        event = decoder.decode(log)
        if event is not None and event.name == "OrderPut":
            return OrderId(event.arguments["oid"])
    raise Bug("a successful put without its event")


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """`seal_grace`: seconds for which sealing is left to the aggregators.

    `archive`: a store with a copy of the client's content, from which what the main store has lost is put back.
    """

    seal_grace: int = 20
    archive: Store | None = None
    poll_seconds: float | None = None


class ClientWorker(Worker):
    """Cares for the orders of one client. See `client_rules` for what it does when."""

    role: ClassVar[str] = "client"

    def __init__(
        self, context: RoleContext, options: ClientOptions | None = None, *, executor: Executor | None = None
    ) -> None:
        """`executor` prepares answers to requests for data; by default a thread of the worker's own."""
        self._options = options or ClientOptions()
        super().__init__(context, poll_seconds=self._options.poll_seconds)
        self._on_chain: set[Commitment] = set()
        self._searched = 0
        archive = self._options.archive
        store = None if archive is None else LayeredStore([archive, context.store])
        self._answering = Answering(context, self._hands, store=store, executor=executor)

    def close(self) -> None:
        """Ends what runs in the background."""
        self._answering.close()

    def _has_news(self) -> bool:
        """Orders to be put come from another process, the command line, and not from the chain."""
        return True

    def _prepare(self) -> None:
        """Puts what was decided on and is not on its way: the process died between decision and transaction.

        And reads what is asked for.
        """
        for record in self._to_put():
            self._attempt(None, f"put {record.commitment.hex()}", partial(self._put, record))
        self._attempt(None, "requests", self._answering.begin, obligation=True)

    def _to_put(self) -> Iterable[TestSetRecord]:
        """What the client has decided to put."""
        return (record for record in self.context.journal.all(TestSetRecord) if record.wanted)

    def _put(self, record: TestSetRecord) -> None:
        key = f"put::{record.commitment.hex()}"
        if not self.context.sender.knows(key) and not self._is_put(record):
            self._watch(submit_put(self.context, record))

    def _is_put(self, record: TestSetRecord) -> bool:
        """Whether the chain has the order, whatever the sender knows: its journal may be of a backup, or lost."""
        contracts = self.context.contracts
        end = contracts.order_count() + 1
        for first in range(self._searched + 1, end, SEARCHED_AT_ONCE):
            last = min(first + SEARCHED_AT_ONCE, end) - 1
            orders = contracts.orders(OrderId(oid) for oid in range(first, last + 1))
            self._on_chain |= {order.terms.test_commitment for order in orders if order.client == self.context.account}
            self._searched = last
        return record.commitment in self._on_chain

    def _is_over(self, view: OrderView) -> bool:
        return view.phase in ENDED or view.order.client != self.context.account

    def _advance(self, view: OrderView) -> None:
        record = self.context.journal.find(TestSetRecord, view.order.terms.test_commitment)
        self._attempt(view.oid, "content", partial(self._serve, view, record), obligation=True)
        for action in client_actions(view, record, self._options.seal_grace):
            release = not isinstance(action, Seal)
            self._attempt(view.oid, type(action).__name__, partial(self._act, view, action), obligation=release)
        if view.phase > Phase.REVEAL:
            self._attempt(view.oid, "answers", partial(self._answering.advance, view), obligation=True)

    def _act(self, view: OrderView, action: ClientAction) -> None:
        match action:
            case ReleaseTest(record):
                call = self.context.contracts.book.functions.releaseTest(
                    view.oid, record.root, record.samples, record.cid, record.salt
                )
                self._send(f"release-test:{view.oid}", call)
            case OpeningLost():
                self._say_once(view.oid, "opening-lost", commitment=view.order.terms.test_commitment.hex())
            case Seal():
                self._send(f"seal:{view.oid}", self.context.contracts.proof.functions.seal(view.oid))

    def _serve(self, view: OrderView, record: TestSetRecord | None) -> None:
        """Puts back what providers and validators need and the store has lost."""
        archive = self._options.archive
        if archive is None or view.phase > Phase.SCORE_REVEAL:
            return
        manifest = Cid(view.order.terms.manifest_cid)
        self._restore(archive, manifest, MAX_MANIFEST_BYTES)
        data = self.context.store.read(manifest, max_bytes=MAX_MANIFEST_BYTES)
        train = OrderManifest.parse(data, source=str(manifest)).train
        self._restore(archive, train.cid, train.size)
        if record is not None and view.phase >= Phase.REVEAL:
            self._restore(archive, Cid(record.cid), MAX_FILE_BYTES)

    def _restore(self, archive: Store, cid: Cid, max_bytes: int) -> None:
        if not self.context.store.has(cid):
            self.context.store.add(archive.read(cid, max_bytes=max_bytes))
            self._acted = True
