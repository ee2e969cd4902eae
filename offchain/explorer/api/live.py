"""Where index and content stand now, in memory: what every request looks at, and what the stream is told."""

import asyncio
from collections.abc import Hashable
from typing import Protocol

from offchain.explorer.api.hub import Hub, Message
from offchain.explorer.api.stream import event_messages, head_message, rollback_message
from offchain.explorer.content.book import ContentBook
from offchain.explorer.index.indexer import Step
from offchain.explorer.index.rows import Standing


class Stands(Protocol):
    """What is read of the index."""

    def standing(self) -> Standing:
        """How far it is."""


class Live:
    """Told by the index's thread; read by the event loop's. `standing` is replaced whole, never changed."""

    def __init__(self, index: Stands, book: ContentBook, hub: Hub) -> None:
        self._index = index
        self._book = book
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None
        self.standing = index.standing()
        self.head: Message | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on readers of the stream are told, in this loop."""
        self._loop = loop

    def state(self) -> Hashable:
        """Changes whenever any answer may."""
        return self.standing.revision, self.standing.head_hash, self._book.version

    def refresh(self) -> None:
        """Something changed that no event tells of: receipts came."""
        self.standing = self._index.standing()

    def stepped(self, step: Step) -> None:
        """After each step of the index, in its thread."""
        before = self.standing
        self.refresh()
        seq = self.standing.seq
        messages: list[Message] = []
        if step.rolled_back is not None:
            messages.append(rollback_message(step.rolled_back, seq - len(step.events)))
        messages += event_messages(step.events)
        head = head_message(step.head, step.final, seq)
        if self.head is None or before.head_hash != self.standing.head_hash or self.head.encoded != head.encoded:
            self.head = head
            messages.append(head)
        self.tell(messages)

    def tell(self, messages: list[Message]) -> None:
        """All readers of the stream; from any thread."""
        if messages and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hub.publish, messages)
