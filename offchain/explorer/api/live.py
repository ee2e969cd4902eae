"""Where index and content stand now, in memory: what every request looks at, and what the stream is told."""

import asyncio
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Protocol

from offchain.explorer.api.hub import Hub, Message
from offchain.explorer.api.stream import event_message, head_message, reset_message, rollback_message
from offchain.explorer.content.book import ContentBook
from offchain.explorer.index.indexer import Step
from offchain.explorer.index.rows import Standing

MOST_AT_ONCE = 500
"""Events of one step that are told one by one."""
RESET_SECONDS = 2.0
"""At least between two times that readers are told to read anew."""


class Stands(Protocol):
    """What is read of the index."""

    def standing(self) -> Standing:
        """How far it is."""


class Live:
    """Told by the index's thread; read by the event loop's. `standing` is replaced whole, never changed."""

    def __init__(self, index: Stands, book: ContentBook, hub: Hub, clock: Callable[[], float] = monotonic) -> None:
        self._index = index
        self._book = book
        self._hub = hub
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._untold = False
        self._reset_at = float("-inf")
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
        now = self.standing
        messages: list[Message] = []
        if step.rolled_back is not None:
            messages.append(rollback_message(step.rolled_back, now.seq))
        messages += self._news(step)
        if self.head is None or (before.head_hash, before.final_block) != (now.head_hash, now.final_block):
            self.head = head_message(step.head, step.final, now.seq)
            messages.append(self.head)
        self.tell(messages)

    def tell(self, messages: list[Message]) -> None:
        """All readers of the stream; from any thread."""
        if messages and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hub.publish, messages)

    def _news(self, step: Step) -> list[Message]:
        """The events one by one; or, while the index catches up, now and then that all is to be read anew."""
        if len(step.events) <= MOST_AT_ONCE and not self._untold:
            return [event_message(row) for row in step.events]
        self._untold = not step.caught_up and self._clock() < self._reset_at + RESET_SECONDS
        if self._untold:
            return []
        self._reset_at = self._clock()
        return [reset_message(self.standing.seq)]
