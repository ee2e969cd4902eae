"""Content from strangers: what is kept, what is tried again, and which CIDs lead anywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.chain.devnet import dev_accounts
from offchain.errors import Rejected
from offchain.explorer.content.book import LONGEST_PAUSE, ContentBook, Kind
from offchain.explorer.content.fetcher import Fetcher, contents_of
from offchain.explorer.content.reading import Reading
from offchain.explorer.index.rows import EventRow, Page
from offchain.model.curves import TrainingAccount
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.storage.cid import Cid
from offchain.storage.store import Store, open_store
from offchain.types import CidDigest, OrderId, Root, Seconds

PROVIDER = dev_accounts(1)[0].address
ACCOUNT = TrainingAccount.parse(
    b'{"version":1,"holdout_samples":10,"chosen":0,"runs":[{"optimiser":"adam","learning_rate":0.1,'
    b'"loss":[[1,0.5]],"score":[],"integer":[]}]}',
    source="test",
)


class Events:
    """Reveals of models, by seq."""

    def __init__(self, *cids: CidDigest) -> None:
        self.cids = list(cids)

    def events(self, *, after: int, contract: str, name: str, limit: int) -> Page[EventRow]:
        if (contract, name) != ("ProofOfTraining", "Revealed"):
            return Page((), None)
        numbered = list(enumerate(self.cids, start=1))[after : after + limit]
        return Page(tuple(self._row(seq, cid) for seq, cid in numbered), None)

    def _row(self, seq: int, cid: CidDigest) -> EventRow:
        arguments = {"oid": 1, "provider": PROVIDER, "modelIndex": 0, "modelRoot": bytes(32), "cid": cid}
        return EventRow(
            seq, "ProofOfTraining", "Revealed", arguments, 1, bytes(32), Seconds(1), bytes(32), 0,
            OrderId(1), None, None, (PROVIDER,),
        )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"local:{tmp_path / 'store'}") as opened:
        yield opened


def reference(store: Store, data: bytes) -> FileRef:
    return FileRef(cid=store.add(data), size=len(data))


def model(store: Store) -> ModelManifest:
    """A manifest whose account of the training is there; graph and weights are not looked at."""
    files = [reference(store, text) for text in (b"graph", b"weights", b"floats")]
    training = reference(store, ACCOUNT.to_bytes())
    return ModelManifest(
        graph=files[0], weights=files[1], float_weights=files[2], model_root=Root(bytes(32)), training=training
    )


def test_what_is_named_is_fetched_and_leads_to_its_parts_and_nothing_else(store: Store) -> None:
    manifest = model(store)
    cid, secret = store.add(manifest.to_bytes()), store.add(b"a test set that nobody has released")
    book = ContentBook(None)
    fetcher = Fetcher(book, store, Events(cid.digest))
    while fetcher.step():
        pass
    reading = Reading(book)
    assert reading.model(cid.digest).value == manifest
    assert manifest.training is not None
    assert reading.account(manifest.training.cid.digest).value == ACCOUNT
    for part, name in ((manifest.graph, "graph.json"), (manifest.training, "training.json")):
        (naming,) = book.namings(part.cid.digest)
        assert (naming.seq, naming.name, naming.size) == (1, name, part.size)
    assert book.namings(secret.digest) == []
    fetcher.stop()


@pytest.mark.parametrize("junk", [b"", b"[]", b"\xff" * 100, b"{" * 100_000, b" " * (2 << 20), b'{"version":1}'])
def test_content_that_is_none_is_refused_once_and_for_ever(store: Store, junk: bytes) -> None:
    cid = store.add(junk)
    book = ContentBook(None)
    fetcher = Fetcher(book, store, Events(cid.digest))
    assert fetcher.step() == 1
    assert fetcher.step() == 0
    found = Reading(book).model(cid.digest)
    assert (found.value, found.state) == (None, "unusable")
    assert found.problem
    assert "\n" not in found.problem
    assert book.counts() == {"unusable": 1}
    fetcher.stop()


def test_what_is_not_there_is_tried_ever_more_rarely_and_comes_in_the_end(store: Store, tmp_path: Path) -> None:
    with open_store(f"local:{tmp_path / 'elsewhere'}") as elsewhere:
        cid = elsewhere.add(model(elsewhere).to_bytes())
    path = tmp_path / "content.sqlite"
    book = ContentBook(path)
    fetcher = Fetcher(book, store, Events(cid.digest))
    assert fetcher.step() == 1
    assert Reading(book).model(cid.digest).state == "pending"
    now, pauses = 1e12, []
    for _ in range(15):
        (wanted,) = book.due(now, 10)
        book.postpone(wanted, "not there", now)
        pause = next(step for step in range(0, 10_000) if book.due(now + step, 10))
        pauses.append(pause)
        now += pause
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    book.close()
    again = ContentBook(path)
    assert len(again.due(now, 10)) == 1, "it is still looked for after a restart"
    again.close()
    fetcher.stop()


def test_a_manifest_of_another_kind_is_not_taken(store: Store) -> None:
    body = model(store).to_bytes()
    with pytest.raises(Rejected):
        contents_of(Kind.ORDER, body, str(Cid.of(bytes(32))))
    with pytest.raises(Rejected):
        contents_of(Kind.TRAINING, body, "x")


def test_another_file_in_the_books_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "content.sqlite"
    path.write_bytes(b"something else, and long enough to be looked at" * 100)
    with pytest.raises(Rejected, match="delete it"):
        ContentBook(path)
