"""Gathers the story of an order: from the index, the store and the node. What cannot be had is said, never raised."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.views import TestSet
from offchain.errors import Rejected, Retryable
from offchain.explorer.index import DisputePage, EventRow, Index, ModelRow, OrderPage
from offchain.model.curves import TrainingAccount
from offchain.protocol.manifest import OrderManifest
from offchain.reports.checking import check_model
from offchain.reports.economy import WANTED, fold_economy
from offchain.reports.indexed import Indexed
from offchain.reports.network import NetworkStory
from offchain.reports.story import Check, Missing, OrderStory, Place, Spending
from offchain.reports.transactions import read_spending
from offchain.roles.materials import fetch_manifest
from offchain.roles.order_view import limits_of
from offchain.roles.package import fetch_account, fetch_model_manifest, unpack
from offchain.roles.scoring import fetch_test_set, samples_at_once, work_of
from offchain.storage.store import Store
from offchain.types import OrderId, TaskId

MAX_TEST_BYTES = 2**29
"""Bytes of a test set that is fetched for a report."""
MAX_WORK = 2**38
"""Multiply-accumulates that a report spends on the winner: about a minute."""
MOST_TRANSACTIONS = 5_000
PAGE = 1_000

T = TypeVar("T")


def gather_order(contracts: AssayContracts, store: Store, indexed: Indexed, oid: OrderId) -> OrderStory:
    """Everything about an order that exists.

    Raises Rejected when there is none, Retryable when the index cannot be read; all else that is not there is said.
    """
    index, now = indexed.index, indexed.head.timestamp
    page = index.order(oid, now)
    if page is None:
        raise Rejected(f"OID {oid}: no such order; see `assay orders`")
    manifest = attempt("The order's manifest", lambda: fetch_manifest(store, page.order.terms))
    return OrderStory(
        oid=oid,
        place=place_of(contracts, indexed),
        page=page,
        disputes=_disputes(index, page),
        manifest=manifest,
        curves=_curves(store, page),
        check=_check(store, page, manifest),
        spending=read_costs(contracts.client, event_hashes(index, oid=oid)),
    )


def gather_network(contracts: AssayContracts, indexed: Indexed) -> NetworkStory:
    """The whole deployment's economy. Raises Retryable when the index cannot be read."""
    index, now = indexed.index, indexed.head.timestamp
    first = index.events(limit=1).rows
    return NetworkStory(
        place=place_of(contracts, indexed),
        began=first[0].at if first else now,
        economy=fold_economy(wanted_events(index)),
        network=index.network(now),
        gas=index.gas(),
    )


def wanted_events(index: Index) -> Iterator[EventRow]:
    """Those that the economy is folded from, in the order of blocks."""
    kinds = [_events(index, contract, name) for contract, name in WANTED]
    return heapq.merge(*kinds, key=lambda event: (event.block, event.log_index))


def _events(index: Index, contract: str, name: str) -> Iterator[EventRow]:
    after: int | None = 0
    while after is not None:
        page = index.events(contract=contract, name=name, after=after, limit=PAGE)
        yield from page.rows
        after = page.next


def place_of(contracts: AssayContracts, indexed: Indexed) -> Place:
    """Which chain, and as of when."""
    network, addresses = contracts.client.network, contracts.addresses
    named = {name: str(addresses.of(name)) for name in addresses.contracts}
    return Place(network.name, network.chain_id, indexed.head.number, indexed.head.timestamp, named)


def _disputes(index: Index, page: OrderPage) -> tuple[DisputePage, ...]:
    found = (index.dispute(row.id) for row in page.disputes)
    return tuple(dispute for dispute in found if dispute is not None)


def _curves(store: Store, page: OrderPage) -> Mapping[int, TrainingAccount | Missing | None]:
    def fetch(model: ModelRow) -> TrainingAccount | None:
        return fetch_account(store, fetch_model_manifest(store, model.cid, model.root))

    return {
        model.index: attempt(f"What the provider says of model {model.index}", lambda model=model: fetch(model))  # type: ignore[misc]
        for model in page.models
    }


def _check(store: Store, page: OrderPage, manifest: OrderManifest | Missing) -> Check | Missing:
    settlement, test = page.settlement, page.test
    if settlement is None or settlement.model is None:
        return Missing("No model has won." if settlement is not None or page.cancelled else "No model has won yet.")
    if test is None:
        return Missing("No test data was released.")
    model, terms = page.models[settlement.model], page.order.terms
    limits = limits_of(terms)
    preprocessing = None if isinstance(manifest, Missing) else manifest.preprocessing

    def compute() -> Check:
        network = unpack(store, model.cid, model.root, limits)
        work = work_of(network) * test.samples
        if work > MAX_WORK:
            raise Rejected(f"to evaluate the winner takes {work:,} multiply-accumulates; a report spends {MAX_WORK:,}")
        released = TestSet(test.root, test.cid, test.samples)
        data = fetch_test_set(store, released, max_bytes=MAX_TEST_BYTES, input_size=terms.input_size)
        function = page.row.score_function
        return check_model(network, data, function, preprocessing, at_once=samples_at_once(network))

    return attempt("The winner on the test set", compute)


def read_costs(client: ChainClient, hashes: Sequence[bytes]) -> tuple[Spending, ...] | Missing:
    """What transactions cost, unless they are too many or the node is down."""
    distinct = list(dict.fromkeys(hashes))
    if len(distinct) > MOST_TRANSACTIONS:
        return Missing(f"There are {len(distinct):,} transactions; a report asks for {MOST_TRANSACTIONS:,} at most.")
    return attempt("Receipts", lambda: read_spending(client, distinct))


def event_hashes(index: Index, *, oid: OrderId | None = None, task: TaskId | None = None) -> list[bytes]:
    """Transactions with an event of the order or the task, in order, some more than once."""
    found: list[bytes] = []
    after: int | None = 0
    while after is not None:
        page = index.events(oid=oid, task=task, after=after, limit=PAGE)
        found += [event.tx for event in page.rows]
        after = page.next
    return found


def attempt(what: str, act: Callable[[], T]) -> T | Missing:
    """What it gives, or why it is not there."""
    try:
        return act()
    except (Rejected, Retryable) as error:
        return Missing(f"{what}: not here ({error}).")
