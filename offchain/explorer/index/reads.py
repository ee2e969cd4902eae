"""What all readers of an index share: a connection, and how to find states, events and accounts behind it."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from eth_typing import ChecksumAddress

from offchain.explorer.index import codec
from offchain.explorer.index.decoding import LogDecoder
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.shelves import sums_of
from offchain.explorer.index.stored import StoredEvents
from offchain.explorer.index.subjects import subjects_of
from offchain.explorer.index.things import Thing

ALL = 2**62
"""Beyond every number."""

Stored = tuple[int, Any]
"""(number, state)."""


class Reads:
    """One thread's reads. `with` makes all that is read inside of one moment."""

    def __init__(self, connection: sqlite3.Connection, decoder: LogDecoder) -> None:
        self.connection = connection
        self.decoder = decoder
        self._stored = StoredEvents(connection, decoder, subjects_of(decoder))

    def __enter__(self) -> Self:
        self.connection.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.execute("COMMIT")

    # States

    def state(self, thing: Thing, number: int) -> Any:
        """The state of a thing; None when there is none."""
        row = self.connection.execute(f"SELECT state FROM {thing.table} WHERE key = ?", (number,)).fetchone()
        return None if row is None else codec.load(thing.state, row[0])

    def states(
        self,
        thing: Thing,
        condition: str = "1",
        values: Sequence[Any] = (),
        *,
        limit: int = -1,
        newest_first: bool = False,
    ) -> list[Stored]:
        """Numbers and states that meet an SQL condition, by number."""
        order = "DESC" if newest_first else "ASC"
        query = f"SELECT key, state FROM {thing.table} WHERE {condition} ORDER BY key {order} LIMIT ?"
        rows = self.connection.execute(query, (*values, limit))
        return [(number, codec.load(thing.state, text)) for number, text in rows]

    def count(self, thing: Thing, condition: str = "1", values: Sequence[Any] = ()) -> int:
        """How many there are."""
        query = f"SELECT COUNT(*) FROM {thing.table} WHERE {condition}"
        return int(self.connection.execute(query, tuple(values)).fetchone()[0])

    # Events

    def events(
        self, condition: str, values: Sequence[Any] = (), *, limit: int = -1, newest_first: bool = False
    ) -> Iterator[EventRow]:
        """Events that meet an SQL condition about `e`."""
        found = self._stored.where(condition, values, limit=limit, newest_first=newest_first)
        return (event for _, event in found)

    def gas_of(self, column: str, number: int) -> dict[bytes, int]:
        """Gas of the transactions of an order ("oid") or a dispute, by hash, where it is known."""
        inner = f"SELECT DISTINCT tx FROM events WHERE {column} = ?"
        query = f"SELECT hash, gas FROM transactions WHERE gas IS NOT NULL AND id IN ({inner})"
        return dict(self.connection.execute(query, (number,)))

    # Accounts, sums, notes

    def number_of(self, account: ChecksumAddress) -> int | None:
        """An account's number; None when no event names it."""
        query = "SELECT id FROM accounts WHERE address = ?"
        row = self.connection.execute(query, (bytes.fromhex(account[2:]),)).fetchone()
        return None if row is None else int(row[0])

    def sums(self, account: int) -> dict[str, int]:
        """All sums of an account, or of the network."""
        return sums_of(self.connection, account)

    def note(self, name: str) -> Any:
        """What the writer has noted; None when it has not."""
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])
