"""Server-sent events: what happened since the last id that a reader has, then all that happens.

An id is the `seq` of the newest event. Whoever names one that is still in the index has seen nothing that was rolled
back, for `seq` never goes back: it is given what came after. Anybody else is told to read anew.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from offchain.chain.client import BlockRef
from offchain.explorer.api.hub import Hub, Message, Reader
from offchain.explorer.api.schema import MAX_PAGE
from offchain.explorer.index.rows import EventRow, Page

KEEP_ALIVE_SECONDS = 15.0
RETRY = b"retry: 1000\n\n"
COMMENT = b": still here\n\n"
MOST_REPLAYED = 2_000
"""Events; who is further behind reads anew."""


class Events(Protocol):
    """What is read of the index."""

    def events(self, *, after: int, limit: int) -> Page[EventRow]:
        """Events by `seq`, ascending."""


def head_message(head: BlockRef, final: int, seq: int) -> Message:
    """A new head."""
    return Message.of("head", seq, {"number": head.number, "timestamp": head.timestamp, "final": final})


def reset_message(seq: int) -> Message:
    """Read everything anew."""
    return Message.of("reset", seq, {})


def rollback_message(block: int, seq: int) -> Message:
    """Events in blocks from this one on never happened."""
    return Message.of("rollback", seq, {"block": block})


def event_message(row: EventRow) -> Message:
    """An event was taken in."""
    data: dict[str, object] = {"contract": row.contract, "name": row.name, "oid": row.oid, "dispute": row.dispute}
    return Message.of("event", row.seq, data | {"task": row.task, "accounts": list(row.accounts)})


async def stream(hub: Hub, reader: Reader, past: list[Message]) -> AsyncIterator[bytes]:
    """What a reader gets: `past`, then everything that is published, until it is lost. Leaves the hub at the end."""
    try:
        yield RETRY + b"".join(message.encoded for message in past)
        seen = max((message.seq for message in past if message.kind == "event"), default=0)
        while not reader.lost:
            messages = await reader.take(KEEP_ALIVE_SECONDS)
            news = [message for message in messages if message.kind != "event" or message.seq > seen]
            if not messages and not reader.lost:
                yield COMMENT
            elif news:
                yield b"".join(message.encoded for message in news)
    finally:
        hub.leave(reader)


def missed(index: Events, last: int) -> list[Message] | None:
    """The events after an id; None if the reader has to read anew."""
    if last < 0 or (last > 0 and event_at(index, last) is None):
        return None
    found: list[Message] = []
    after: int | None = last
    while after is not None:
        page = index.events(after=after, limit=MAX_PAGE)
        found += [event_message(row) for row in page.rows]
        if len(found) > MOST_REPLAYED:
            return None
        after = page.next
    return found


def event_at(index: Events, seq: int) -> EventRow | None:
    """The event with that number, unless it was rolled back."""
    rows = index.events(after=seq - 1, limit=1).rows
    return rows[0] if rows and rows[0].seq == seq else None
