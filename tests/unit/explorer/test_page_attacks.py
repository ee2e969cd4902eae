"""What strangers do to the page: content under false names, threads that should end, answers that should not."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic

from offchain.chain.cursor import Cursor
from offchain.chain.devnet import dev_accounts
from offchain.errors import Retryable
from offchain.explorer.api.follower import BUG, Follower
from offchain.explorer.api.routes_server import last_id
from offchain.explorer.content import fetcher as fetching
from offchain.explorer.content.book import ContentBook, Kind
from offchain.explorer.content.downloads import MOST_OPEN, Downloads
from offchain.explorer.content.fetcher import Fetcher
from offchain.explorer.content.reading import Reading
from offchain.explorer.index import open_index, reads_orders
from offchain.explorer.index.decoding import LogDecoder, abis_of
from offchain.explorer.index.indexer import Step
from offchain.explorer.index.rows import EventRow, Page
from offchain.explorer.index.writer import RawLog, Writer
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.storage.store import Store, open_store
from offchain.types import CidDigest, OrderId, Root, Seconds
from tests.unit.explorer.event_logs import ADDRESSES, CAST, DEPLOYMENT, EVENTS

PROVIDER = dev_accounts(1)[0].address
PATIENCE = 20.0


class Reveals:
    """Reveals of models, by seq; `broken` questions fail first."""

    def __init__(self, *cids: CidDigest, broken: int = 0) -> None:
        self.cids = cids
        self.broken = broken

    def events(self, *, after: int, contract: str, name: str, limit: int) -> Page[EventRow]:
        if self.broken:
            self.broken -= 1
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        if (contract, name) != ("ProofOfTraining", "Revealed"):
            return Page((), None)
        return Page(tuple(self._row(seq) for seq in range(after + 1, len(self.cids) + 1)), None)

    def _row(self, seq: int) -> EventRow:
        arguments = {
            "oid": 1, "provider": PROVIDER, "modelIndex": 0, "modelRoot": bytes(32), "cid": self.cids[seq - 1]
        }  # fmt: skip
        return EventRow(
            seq, "ProofOfTraining", "Revealed", arguments, 1, bytes(32), Seconds(1), bytes(32), 0,
            OrderId(1), None, None, (PROVIDER,),
        )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"local:{tmp_path / 'store'}") as opened:
        yield opened


def model(store: Store, training: FileRef | None = None) -> ModelManifest:
    files = [FileRef(cid=store.add(text), size=len(text)) for text in (b"graph", b"weights", b"floats")]
    return ModelManifest(
        graph=files[0], weights=files[1], float_weights=files[2], model_root=Root(bytes(32)), training=training
    )


def test_content_named_as_what_it_is_not_is_unusable_as_that_and_breaks_nothing_else(store: Store) -> None:
    """A rival names a model's manifest as its order first; a provider names a manifest as the account of a training."""
    honest = model(store)
    cid = store.add(honest.to_bytes())
    liar = model(store, FileRef(cid=cid, size=len(honest.to_bytes())))
    liars = store.add(liar.to_bytes())
    book = ContentBook(None)
    book.note("OrderBook.OrderPut", 1, [], [(cid.digest, Kind.ORDER, 1)])
    fetcher = Fetcher(book, store, Reveals(liars.digest, cid.digest))
    while fetcher.step():
        pass
    fetcher.stop()
    reading = Reading(book)
    assert reading.model(cid.digest).value == honest
    assert reading.model(liars.digest).value == liar
    assert reading.order(cid.digest).state == "unusable"
    assert reading.account(cid.digest).state == "unusable"
    assert book.body(cid.digest) == honest.to_bytes()


def test_what_looks_for_content_survives_what_should_never_happen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SETBACK_SECONDS", 0.01)
    cid = store.add(model(store).to_bytes())
    book = ContentBook(None)
    fetcher = Fetcher(book, store, Reveals(cid.digest, broken=3))
    came = threading.Event()
    monkeypatch.setattr(book, "keep", lambda *_: came.set())
    fetcher.start()
    assert came.wait(PATIENCE)
    fetcher.stop()
    assert fetcher.has_ended(PATIENCE)


class OddSteps:
    """An index whose node answers what no node does."""

    def step(self) -> Step:
        raise ValueError("invalid literal for int() with base 16: '0xzz'")

    def fill_receipts(self, limit: int) -> int:
        raise AssertionError(f"nothing to fill ({limit})")


def test_an_index_that_meets_a_bug_says_so_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offchain.explorer.api.follower.FIRST_PAUSE", 0.01)
    checked = threading.Event()
    follower = Follower(OddSteps(), lambda _: None, lambda: None, poll_seconds=1.0, check=lambda: checked.set())
    follower.start()
    assert checked.wait(PATIENCE)
    assert follower.health.problem == BUG
    assert follower.stop(PATIENCE)


def test_slow_readers_of_large_files_do_not_fill_the_disk(store: Store, tmp_path: Path) -> None:
    cid = store.add(b"large")
    downloads = Downloads(store, tmp_path)

    async def hold() -> None:
        files = [await downloads.fetch(cid, 5) for _ in range(MOST_OPEN)]
        with pytest.raises(Retryable, match="too many"):
            await downloads.fetch(cid, 5)
        files.pop().close()
        files.append(await downloads.fetch(cid, 5))
        files.clear()  # who went away without closing is not counted either
        (await downloads.fetch(cid, 5)).close()

    asyncio.run(hold())
    downloads.close()


@pytest.mark.parametrize("text", ["9" * 32, str(2**63), "-1", "²", "x"])
def test_an_id_that_the_stream_never_gave_is_one_that_is_too_old(text: str) -> None:
    assert last_id(text, None) == -1


def test_an_order_with_endless_replaced_claims_is_told_from_both_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, replaced = 20, 60
    monkeypatch.setattr(reads_orders, "MOST_TOLD", most)
    index = open_index(tmp_path / "index.sqlite", DEPLOYMENT)
    decoder = LogDecoder(abis_of(DEPLOYMENT))
    writer = Writer(index.connect(), decoder, DEPLOYMENT.block)
    put = one_log("OrderPut")
    found = [decoder.match(put), *[decoder.match(one_log("Claimed"))] * replaced]
    raw = [
        RawLog(*item, place + 1, bytes(32), 1, place.to_bytes(32, "big"), 0) for place, item in enumerate(found) if item
    ]
    writer.apply(raw, Cursor(DEPLOYMENT.block, len(raw) + 1, ()), {"number": 1})
    page = index.order(OrderId(1), 0)
    assert page is not None
    told = [row.block for row in page.timeline]
    assert told == [*range(1, most + 1), *range(replaced + 2 - most, replaced + 2)]
    assert page.row.claims == 1
    assert page.gas.missing == replaced + 1
    writer.close()
    index.close()


def one_log(name: str) -> dict[str, Any]:
    """The log of an event about order 1, from zeros."""
    contract, entry = next(event for event in EVENTS if event[1]["name"] == name)
    indexed = [item for item in entry["inputs"] if item["indexed"]]
    plain = [collapse_if_tuple(item) for item in entry["inputs"] if not item["indexed"]]
    values = [abi_encode([item["type"]], [1 if item["type"] == "uint256" else CAST[1]]) for item in indexed]
    words = sum(kind.count(",") + 1 for kind in plain)
    topics = [bytes(event_abi_to_log_topic(entry)), *values]  # type: ignore[arg-type]
    data = b"".join((number == 1).to_bytes(32, "big") for number in range(words))
    return {
        "address": ADDRESSES[contract],
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
    }


def test_content_that_nobody_has_does_not_keep_new_content_waiting() -> None:
    """Orders can be put and taken back for gas, and name what is nowhere: each time-out is a thread's."""
    book = ContentBook(None)
    book.note("x", 1, [], [(CidDigest(bytes([number]) * 32), Kind.ORDER, number) for number in range(1, 41)])
    for wanted in book.due(1.0, 64, 4):
        book.postpone(wanted, "nowhere", 1.0)
    fresh = CidDigest(b"n" * 32)
    book.note("x", 2, [], [(fresh, Kind.ORDER, 0)])
    due = book.due(1e6, 64, 4)
    assert (due[0].cid, len(due)) == (fresh, 5)
