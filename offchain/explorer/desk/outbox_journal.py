"""What an account's wallet is asked to sign, on disk: calls by their idempotency keys, and how each ended.

One SQLite file for each account and deployment, held by one process. It holds no secrets but calls that are due.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from eth_utils.address import to_checksum_address

from offchain.chain.locked_file import open_locked, transaction
from offchain.chain.transactions import Receipt, TxCall, parse_receipt
from offchain.types import Seconds, Wei

SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL, data BLOB NOT NULL,
    value TEXT NOT NULL, label TEXT NOT NULL, until INTEGER, state TEXT NOT NULL, note TEXT, receipt TEXT, error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS intents_by_state ON intents (state);
CREATE TABLE IF NOT EXISTS hashes (tx_hash BLOB PRIMARY KEY, key TEXT NOT NULL REFERENCES intents (key)) STRICT;
CREATE INDEX IF NOT EXISTS hashes_of ON hashes (key);
"""
VERSION = "1"
_COLUMNS = "position, key, receiver, data, value, label, until, state, note, receipt, error"


class State(StrEnum):
    """Where an intent stands."""

    OFFERED = "offered"
    """The wallet has not sent it, as far as anybody knows."""
    SENT = "sent"
    """A transaction is known that does it; it is not final."""
    DONE = "done"
    REVERTED = "reverted"
    WITHDRAWN = "withdrawn"
    """It would revert, and was not sent; offered again if somebody wants it again."""


ENDED = frozenset({State.DONE, State.REVERTED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent. `until`: it is void afterwards (a permit); `hashes`: of transactions that may do it."""

    position: int
    key: str
    call: TxCall
    until: Seconds | None
    state: State
    hashes: tuple[bytes, ...]
    note: str | None
    receipt: Receipt | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Walked:
    """Up to where the account's transactions have been looked through: it had sent `nonce` of them at `block`."""

    nonce: int
    block: int


class OutboxJournal:
    """See the module. Thread-safe: who only reads need not wait for who asks the chain."""

    def __init__(self, path: Path, owner: dict[str, str]) -> None:
        """Raises KeyInUse when another process has it, Rejected when it cannot be used or is of another chain."""
        user = "another explorer perhaps; stop it first"
        self._database: sqlite3.Connection = open_locked(path, SCHEMA, {"version": VERSION, **owner}, user=user)
        path.chmod(0o600)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._database.close()

    # Reading

    def find(self, key: str) -> Entry | None:
        """The intent with this key."""
        found = self._entries("WHERE key = ?", key)
        return found[0] if found else None

    def unfinished(self) -> list[Entry]:
        """What waits for a signature or for its end, oldest first."""
        return self._entries("WHERE state IN ('offered', 'sent') ORDER BY position")

    def ended(self, most: int) -> list[Entry]:
        """The last that ended, newest first."""
        return self._entries("WHERE state NOT IN ('offered', 'sent') ORDER BY position DESC LIMIT ?", most)

    def key_of(self, tx_hash: bytes) -> str | None:
        """The intent that a transaction was taken for."""
        with self._lock:
            row = self._database.execute("SELECT key FROM hashes WHERE tx_hash = ?", (tx_hash,)).fetchone()
        return None if row is None else str(row[0])

    def walked(self) -> Walked | None:
        """See Walked; None before the first intent."""
        with self._lock:
            row = self._database.execute("SELECT value FROM meta WHERE name = 'walked'").fetchone()
        return None if row is None else Walked(*json.loads(row[0]))

    # Writing

    def offer(self, key: str, call: TxCall, until: Seconds | None) -> None:
        """Writes a new intent, or one that had been withdrawn or is to be signed anew, as the newest."""
        row = (key, call.to, call.data, str(call.value), call.label, until, State.OFFERED)
        with self._writing() as cursor:
            # A transaction of the former call may still be on its way and does not fit this one.
            cursor.execute("DELETE FROM hashes WHERE key = ?", (key,))
            cursor.execute("DELETE FROM intents WHERE key = ?", (key,))
            cursor.execute(
                "INSERT INTO intents (position, key, receiver, data, value, label, until, state) "
                "VALUES ((SELECT coalesce(max(position), 0) + 1 FROM intents), ?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def move(self, key: str, state: State, *, note: str | None = None) -> None:
        """Puts an intent that is not over into another state."""
        with self._writing() as cursor:
            cursor.execute(
                "UPDATE intents SET state = ?, note = ?, receipt = NULL, error = NULL WHERE key = ?", (state, note, key)
            )

    def end(self, key: str, state: State, receipt: Receipt | None, error: str | None) -> None:
        """Writes how an intent ended."""
        with self._writing() as cursor:
            cursor.execute(
                "UPDATE intents SET state = ?, note = NULL, receipt = ?, error = ? WHERE key = ?",
                (state, None if receipt is None else receipt.to_json(), error, key),
            )

    def add_hash(self, key: str, tx_hash: bytes) -> None:
        """A transaction that may do it; one that was taken for another intent stays that one's."""
        with self._writing() as cursor:
            cursor.execute("INSERT OR IGNORE INTO hashes VALUES (?, ?)", (tx_hash, key))

    def drop_hash(self, tx_hash: bytes) -> None:
        """That transaction is another one."""
        with self._writing() as cursor:
            cursor.execute("DELETE FROM hashes WHERE tx_hash = ?", (tx_hash,))

    def set_walked(self, walked: Walked) -> None:
        """See Walked."""
        with self._writing() as cursor:
            value = json.dumps([walked.nonce, walked.block])
            cursor.execute("INSERT OR REPLACE INTO meta VALUES ('walked', ?)", (value,))

    def _entries(self, clause: str, *values: str | int) -> list[Entry]:
        with self._lock:
            rows = self._database.execute(f"SELECT {_COLUMNS} FROM intents {clause}", values).fetchall()
            return [self._entry(row) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        with self._lock, transaction(self._database) as cursor:
            yield cursor

    def _entry(self, row: tuple[object, ...]) -> Entry:
        position, key, receiver, data, value, label, until, state, note, receipt, error = row
        hashes = self._database.execute("SELECT tx_hash FROM hashes WHERE key = ? ORDER BY rowid", (key,)).fetchall()
        call = TxCall(to_checksum_address(str(receiver)), bytes(data), Wei(int(str(value))), str(label))  # type: ignore[call-overload]  # a BLOB
        return Entry(
            position=int(str(position)),
            key=str(key),
            call=call,
            until=None if until is None else Seconds(int(str(until))),
            state=State(str(state)),
            hashes=tuple(tx_hash for (tx_hash,) in hashes),
            note=None if note is None else str(note),
            receipt=None if receipt is None else parse_receipt(json.loads(str(receipt))),
            error=None if error is None else str(error),
        )
