"""Fetches what events name, in the background, and checks it before it is kept. Content comes from strangers.

Every piece is bounded in size before it is read and in time by the store, parsed strictly, and tried again ever more
rarely while it cannot be had.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import time
from typing import Any, Protocol

from offchain.chain.views import decode
from offchain.errors import Rejected, Retryable
from offchain.explorer.content.book import ContentBook, Contents, Kind, Naming, Wanted
from offchain.explorer.index.rows import EventRow, Page
from offchain.federated.manifest import FederatedManifest
from offchain.federated.terms import FederatedTerms
from offchain.model.curves import MAX_TRAINING_BYTES, TrainingAccount
from offchain.protocol.manifest import MAX_MANIFEST_BYTES, ModelManifest, OrderManifest
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import CidDigest

logger = logging.getLogger(__name__)

ROUND = 64
"""Pieces asked for between two looks at what is new; also the most a second that are asked for again."""
THREADS = 4
IDLE_SECONDS = 1.0
SETBACK_SECONDS = 10.0
"""After what should never happen, a full disk, say: nobody would look for content any more if this thread ended."""
NOTHING = bytes(32)


class Events(Protocol):
    """What is read of the index."""

    def events(self, *, after: int, contract: str, name: str, limit: int) -> Page[EventRow]:
        """Events of one kind by `seq`, ascending."""


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of event that names content: `cids` of its arguments are of files called `names`.

    `kind`: what the first of them is, if the page needs to read it.
    """

    contract: str
    event: str
    cids: Callable[[Mapping[str, Any]], Sequence[CidDigest]]
    names: tuple[str, ...]
    kind: Kind | None = None


def _of_task(arguments: Mapping[str, Any]) -> Sequence[CidDigest]:
    terms = decode(FederatedTerms, arguments["terms"])
    return terms.spec_cid, terms.model_cid


SOURCES = (
    Source("OrderBook", "OrderPut", lambda said: [said["order"].terms.manifest_cid], ("order.json",), Kind.ORDER),
    Source("ProofOfTraining", "Revealed", lambda said: [said["cid"]], ("model.json",), Kind.MODEL),
    Source("OrderBook", "TestReleased", lambda said: [said["testCid"]], ("test",)),
    Source("FederatedTraining", "TaskCreated", _of_task, ("task.json", "model"), Kind.TASK),
    Source("FederatedTraining", "Revealed", lambda said: [said["cid"]], ("update",)),
    Source(
        "FederatedTraining",
        "ResultPosted",
        lambda said: [said["resultCid"], said["measuresCid"]],
        ("result", "measures"),
    ),
)


class Fetcher:
    """One thread that looks for what is new and some that fetch."""

    def __init__(self, book: ContentBook, store: Store, index: Events, threads: int = THREADS) -> None:
        self._book = book
        self._store = store
        self._index = index
        self._stop = threading.Event()
        self._news = threading.Event()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="content")
        self._thread = threading.Thread(target=self._run, name="content", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something new."""
        self._news.set()

    def stop(self) -> None:
        """Asks for no more; does not wait for a store that is slow."""
        self._stop.set()
        self._news.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def has_ended(self, seconds: float) -> bool:
        """Whether it has, after waiting for at most so long."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def step(self) -> int:
        """Takes note of new events and fetches one round of what is due; how many were asked for the first time."""
        for source in SOURCES:
            self._take_note(source)
        due = self._book.due(time(), ROUND, THREADS)  # what nobody has keeps what is new waiting for one time-out
        list(self._pool.map(self._fetch, due))
        return sum(wanted.tries == 0 for wanted in due)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self.step()
            except Exception:
                if self._stop.is_set():
                    return  # the pool is closed
                logger.exception("content could not be looked for; tried again in %g s", SETBACK_SECONDS)
                self._stop.wait(SETBACK_SECONDS)
                continue
            if not busy:
                self._news.wait(IDLE_SECONDS)
                self._news.clear()

    def _take_note(self, source: Source) -> None:
        name = f"{source.contract}.{source.event}"
        while not self._stop.is_set():
            done = self._book.progress(name)
            page = self._index.events(after=done, contract=source.contract, name=source.event, limit=1_000)
            if not page.rows:
                return
            found = [(row.seq, place, cid) for row in page.rows for place, cid in enumerate(source.cids(row.arguments))]
            namings = [Naming(cid, seq, source.names[place]) for seq, place, cid in found if cid != NOTHING]
            kind = source.kind
            wanted = [(cid, kind, seq) for seq, place, cid in found if place == 0 and cid != NOTHING] if kind else []
            self._book.note(name, page.rows[-1].seq, namings, wanted)

    def _fetch(self, wanted: Wanted) -> None:
        if self._stop.is_set():
            return
        cid = Cid(wanted.cid)
        most = MAX_TRAINING_BYTES if wanted.kind is Kind.TRAINING else MAX_MANIFEST_BYTES
        try:
            body = self._store.read(cid, max_bytes=most)
            contents = contents_of(wanted.kind, body, str(cid))
        except Retryable as error:
            self._book.postpone(wanted, str(error), time())
        except Rejected as error:
            logger.info("content that cannot be used: %s", error)
            self._book.refuse(wanted, str(error))
        else:
            self._book.keep(wanted.cid, wanted.kind, body, contents)


def contents_of(kind: Kind, body: bytes, source: str) -> Contents:
    """What the page needs to know of a piece of content. Raises Rejected when it is malformed."""
    match kind:
        case Kind.ORDER:
            order = OrderManifest.parse(body, source=source)
            return Contents(order.title, ((order.train.cid.digest, "train", order.train.size),))
        case Kind.MODEL:
            model = ModelManifest.parse(body, source=source)
            files = [
                (model.graph, "graph.json"),
                (model.weights, "weights.safetensors"),
                (model.float_weights, "float_weights.safetensors"),
            ]
            training = model.training
            if training is not None:
                files.append((training, "training.json"))
            parts = tuple((file.cid.digest, name, file.size) for file, name in files)
            return Contents(None, parts, () if training is None else (training.cid.digest,))
        case Kind.TRAINING:
            TrainingAccount.parse(body, source=source)
            return Contents()
        case Kind.TASK:
            return Contents(FederatedManifest.parse(body, source=source).title)
