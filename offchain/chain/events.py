"""Follows the logs of the contracts, with a cursor that survives reorganisations and restarts.

Delivery is at least once and in order. `RolledBack` says that all events from a block on never happened; what the chain
has instead follows as `Applied`. The cursor is stored after a batch was handled: a crash repeats one batch at most.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from offchain.chain.client import BlockRef, ChainClient, parse_block
from offchain.chain.cursor import Cursor, Mark
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.logs import LogReader
from offchain.errors import Rejected

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Applied:
    """The chain has this event."""

    event: Event


@dataclass(frozen=True, slots=True)
class RolledBack:
    """All events in blocks with this number and above never happened."""

    block: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll found, and the cursor to store once it is handled. `caught_up`: there is nothing beyond it yet."""

    changes: tuple[Applied | RolledBack, ...]
    cursor: Cursor
    caught_up: bool


class CursorStore(Protocol):
    """Where the cursor is kept."""

    def load(self) -> Cursor | None:
        """The stored cursor, or None at first."""

    def save(self, cursor: Cursor) -> None:
        """Stores it durably."""


class MemoryCursor:
    """Keeps the cursor for the life of the object."""

    def __init__(self) -> None:
        self._cursor: Cursor | None = None

    def load(self) -> Cursor | None:
        """The stored cursor."""
        return self._cursor

    def save(self, cursor: Cursor) -> None:
        """Stores it."""
        self._cursor = cursor


class SqliteCursor:
    """Keeps the cursor of one follower, by `name`, in a SQLite file. Raises Rejected if that is another file."""

    def __init__(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._name = name
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT"
            )
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise Rejected(f"{path}: not a cursor file ({error}); move it away") from error

    def load(self) -> Cursor | None:
        """The stored cursor."""
        row = self._connection.execute("SELECT cursor FROM cursors WHERE name = ?", (self._name,)).fetchone()
        if row is None:
            return None
        fields = json.loads(row[0])
        marks = tuple(Mark(int(number), bytes.fromhex(block_hash)) for number, block_hash in fields["marks"])
        return Cursor(int(fields["start"]), int(fields["position"]), marks)

    def save(self, cursor: Cursor) -> None:
        """Stores it."""
        marks = [[mark.number, mark.hash.hex()] for mark in cursor.marks]
        text = json.dumps({"start": cursor.start, "position": cursor.position, "marks": marks})
        self._connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (self._name, text))

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


class EventFollower:
    """Reads the events of a deployment from `start` (a block number) on.

    `final_only` waits for the network's finality, and then there are no rollbacks; else events come as soon as they
    are mined. Not thread-safe: one follower for each reader.
    """

    def __init__(
        self,
        client: ChainClient,
        decoder: EventDecoder,
        store: CursorStore,
        *,
        start: int,
        final_only: bool = False,
    ) -> None:
        self._client = client
        self._decoder = decoder
        self._store = store
        self._final_only = final_only
        self._cursor = store.load() or Cursor.at(start)
        self._logs = LogReader(client, decoder.addresses)

    @property
    def cursor(self) -> Cursor:
        """Where the follower stands."""
        return self._cursor

    @property
    def range_size(self) -> int:
        """How many blocks the next query of a range will ask for at most."""
        return self._logs.range_size

    def poll(self) -> Batch:
        """The next changes, at most one range of blocks; call `commit` once they are handled.

        Raises Retryable when the node is down or the chain moved under the query: poll again.
        """
        head = self._client.head()
        final = self._client.final_block(head.number)
        rewound = self._cursor.rewound(lambda number: self._hash_of(number, head))
        rolled_back: tuple[Applied | RolledBack, ...] = ()
        if rewound.position < self._cursor.position:
            logger.info("blocks from %d on were rolled back", rewound.position)
            rolled_back = (RolledBack(rewound.position),)
        target = min(final, head.number) if self._final_only else head.number
        if rewound.position > target:
            return Batch(rolled_back, rewound, caught_up=True)
        found = self._logs.read(rewound.position, target, head=head, parent=rewound.parent)
        decoded = (self._decoder.decode(log) for log in found.logs)
        changes = (*rolled_back, *(Applied(event) for event in decoded if event is not None))
        return Batch(changes, rewound.advanced(found.marks, final=final), caught_up=found.last >= target)

    def commit(self, batch: Batch) -> None:
        """Stores the batch's cursor: its changes are handled."""
        self._store.save(batch.cursor)
        self._cursor = batch.cursor

    def catch_up(self) -> Iterator[Applied | RolledBack]:
        """All changes up to the present; each batch is committed when the consumer asks for what follows it."""
        while True:
            batch = self.poll()
            yield from batch.changes
            self.commit(batch)
            if batch.caught_up:
                return

    def _hash_of(self, number: int, head: BlockRef) -> bytes | None:
        """What the chain has at `number`; None when the node that answers does not know: it may lag behind others."""
        if number == head.number:
            return head.hash
        if number == head.number - 1:
            return head.parent
        if number > head.number:
            return None
        fields = self._client.request("eth_getBlockByNumber", hex(number), False)
        return None if fields is None else parse_block(fields).hash
