"""Manifests as the page needs them, out of a book of verified content. It was checked when it came."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Literal, TypeVar

from offchain.explorer.content.book import ContentBook, Kind
from offchain.model.curves import TrainingAccount
from offchain.protocol.manifest import CanonicalManifest, ModelManifest, OrderManifest
from offchain.storage.cid import Cid
from offchain.types import CidDigest

MOST_PARSED = 256

State = Literal["here", "pending", "unusable"]
Parsed = TypeVar("Parsed", bound=CanonicalManifest)


@dataclass(frozen=True, slots=True)
class Found(Generic[Parsed]):
    """Content that was looked for: `value` when it is here, else `problem`, if anything is known."""

    value: Parsed | None
    state: State
    problem: str | None


class Reading:
    """Parsed content; any thread. The last that were asked for stay parsed."""

    def __init__(self, book: ContentBook) -> None:
        self.book = book
        self._lock = Lock()
        self._parsed: OrderedDict[CidDigest, CanonicalManifest] = OrderedDict()

    def titles(self, cids: Sequence[CidDigest]) -> dict[CidDigest, str]:
        """Of orders and federated tasks whose manifests are here."""
        return self.book.titles(cids)

    def order(self, cid: CidDigest) -> Found[OrderManifest]:
        """An order's manifest."""
        return self._found(cid, Kind.ORDER, OrderManifest)

    def model(self, cid: CidDigest) -> Found[ModelManifest]:
        """A model's manifest."""
        return self._found(cid, Kind.MODEL, ModelManifest)

    def account(self, cid: CidDigest) -> Found[TrainingAccount]:
        """A provider's account of a training."""
        return self._found(cid, Kind.TRAINING, TrainingAccount)

    def _found(self, cid: CidDigest, named: Kind, kind: type[Parsed]) -> Found[Parsed]:
        with self._lock:
            kept = self._parsed.get(cid)
            if kept is not None:
                self._parsed.move_to_end(cid)
        if isinstance(kept, kind):
            return Found(kept, "here", None)
        held = self.book.held(cid, named)
        if held is None or held.body is None:
            unusable = held is not None and held.state == "unusable"
            return Found(None, "unusable" if unusable else "pending", None if held is None else held.problem)
        value = kind.parse(held.body, source=str(Cid(cid)))
        with self._lock:
            self._parsed[cid] = value
            while len(self._parsed) > MOST_PARSED:
                self._parsed.popitem(last=False)
        return Found(value, "here", None)
