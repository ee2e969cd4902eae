"""The sender's journal: every intent with its nonce and signed transactions, on disk before the first broadcast.

One SQLite file per key and chain, in WAL mode with synchronous=FULL, held exclusively: a second process that opens it
is refused, for two processes that sign with one key would take each other's nonces.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.locked_file import KeyInUse, open_locked, transaction
from offchain.chain.transactions import Attempt, Fees, Receipt, TxCall, parse_receipt
from offchain.errors import Bug
from offchain.types import Wei

SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
    key TEXT PRIMARY KEY, nonce INTEGER NOT NULL UNIQUE, receiver TEXT, data BLOB NOT NULL, value TEXT NOT NULL,
    label TEXT NOT NULL, gas INTEGER NOT NULL, state TEXT NOT NULL, receipt TEXT, error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS unfinished ON intents (nonce) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS attempts (
    tx_hash BLOB PRIMARY KEY, key TEXT NOT NULL REFERENCES intents (key), number INTEGER NOT NULL, raw BLOB NOT NULL,
    maximum TEXT NOT NULL, tip TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_of ON attempts (key, number);
"""
VERSION = "1"

__all__ = ["Finished", "Intent", "Journal", "KeyInUse", "State"]


class State(StrEnum):
    """Where an intent stands. Whether a pending one is mined is the chain's to say, not the journal's."""

    PENDING = "pending"
    DONE = "done"
    """Mined successfully, and final by the network's policy."""
    REVERTED = "reverted"
    """Mined, final, and reverted."""
    DISPLACED = "displaced"
    """Another transaction took the nonce, finally; none of the attempts can ever be mined."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that must be done once. `key` is the caller's; `gas` is the limit."""

    key: str
    nonce: int
    call: TxCall
    gas: int
    attempts: tuple[Attempt, ...]
    state: State = State.PENDING
    receipt: Receipt | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an intent."""

    key: str
    state: State
    receipt: Receipt | None
    error: str | None


class Journal:
    """See the module. Not thread-safe: the sender holds its lock."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path, *, chain_id: int, genesis: bytes, account: ChecksumAddress) -> Self:
        """Opens or creates the journal of `account` on the chain whose block 0 has the hash `genesis`.

        Raises Rejected when another process holds it, when it belongs to another chain or account, or is no journal.
        """
        owner = {"version": VERSION, "chain_id": str(chain_id), "genesis": genesis.hex(), "account": account}
        user = f"a worker with the key of {account} perhaps; stop it first, one process per key"
        return cls(open_locked(path, SCHEMA, owner, user=user), path)

    @property
    def is_restored(self) -> bool:
        """Whether it was put back from a backup, so that transactions may be on their way that it does not know."""
        return self._connection.execute("SELECT 1 FROM meta WHERE name = 'restored'").fetchone() is not None

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def intent(self, key: str) -> Intent | None:
        """The intent with this key."""
        rows = self._intents("WHERE key = ?", (key,))
        return rows[0] if rows else None

    def at_nonce(self, nonce: int) -> Intent | None:
        """The intent that holds this nonce."""
        rows = self._intents("WHERE nonce = ?", (nonce,))
        return rows[0] if rows else None

    def unfinished(self) -> list[Intent]:
        """All pending intents in order of nonce."""
        return self._intents("WHERE state = 'pending' ORDER BY nonce", ())

    def all(self) -> list[Intent]:
        """All intents in order of nonce."""
        return self._intents("ORDER BY nonce", ())

    def next_nonce(self) -> int:
        """One above the highest nonce ever given out; 0 at first."""
        highest = self._connection.execute("SELECT max(nonce) FROM intents").fetchone()[0]
        return 0 if highest is None else int(highest) + 1

    def add(self, intents: Sequence[Intent]) -> None:
        """Writes new intents with their first attempts, all or none, durably."""
        rows = [
            (i.key, i.nonce, i.call.to, i.call.data, str(i.call.value), i.call.label, i.gas, i.state) for i in intents
        ]
        with transaction(self._connection) as cursor:
            cursor.executemany(
                "INSERT INTO intents (key, nonce, receiver, data, value, label, gas, state) VALUES (?,?,?,?,?,?,?,?)",
                rows,
            )
            for intent in intents:
                _insert_attempts(cursor, intent.key, 0, intent.attempts)

    def reissue(self, intent: Intent) -> None:
        """Gives a displaced intent a new nonce and attempt; the old attempts stay on record."""
        with transaction(self._connection) as cursor:
            changed = cursor.execute(
                "UPDATE intents SET nonce = ?, gas = ?, state = 'pending', error = NULL "
                "WHERE key = ? AND state = 'displaced'",
                (intent.nonce, intent.gas, intent.key),
            ).rowcount
            if changed != 1:
                raise Bug(f"intent {intent.key} is not displaced")
            cursor.execute("DELETE FROM attempts WHERE key = ?", (intent.key,))
            _insert_attempts(cursor, intent.key, 0, intent.attempts)

    def add_attempt(self, key: str, attempt: Attempt) -> None:
        """Writes a further attempt of an intent, durably."""
        with transaction(self._connection) as cursor:
            number = cursor.execute("SELECT count(*) FROM attempts WHERE key = ?", (key,)).fetchone()[0]
            _insert_attempts(cursor, key, int(number), (attempt,))

    def finish(self, ends: Iterable[Finished]) -> None:
        """Writes how intents ended, all or none."""
        with transaction(self._connection) as cursor:
            cursor.executemany(
                "UPDATE intents SET state = ?, receipt = ?, error = ? WHERE key = ?",
                [(end.state, end.receipt.to_json() if end.receipt else None, end.error, end.key) for end in ends],
            )

    def revive(self, key: str) -> None:
        """Makes a finished intent pending again: the chain rolled back what was final by the policy."""
        with transaction(self._connection) as cursor:
            cursor.execute("UPDATE intents SET state = 'pending', receipt = NULL, error = NULL WHERE key = ?", (key,))

    def _intents(self, clause: str, values: tuple[str | int, ...]) -> list[Intent]:
        rows = self._connection.execute(
            "SELECT key, nonce, receiver, data, value, label, gas, state, receipt, error FROM intents " + clause, values
        ).fetchall()
        return [self._intent(row) for row in rows]

    def _intent(self, row: tuple[object, ...]) -> Intent:
        key, nonce, receiver, data, value, label, gas, state, receipt, error = row
        to = to_checksum_address(str(receiver)) if receiver is not None else None
        attempts = self._connection.execute(
            "SELECT tx_hash, raw, maximum, tip FROM attempts WHERE key = ? ORDER BY number", (key,)
        ).fetchall()
        return Intent(
            key=str(key),
            nonce=int(str(nonce)),
            call=TxCall(to, _blob(data), Wei(int(str(value))), str(label)),
            gas=int(str(gas)),
            attempts=tuple(
                Attempt(tx_hash, raw, Fees(int(maximum), None if tip is None else int(tip)))
                for tx_hash, raw, maximum, tip in attempts
            ),
            state=State(str(state)),
            receipt=None if receipt is None else parse_receipt(json.loads(str(receipt))),
            error=None if error is None else str(error),
        )


def _insert_attempts(cursor: sqlite3.Cursor, key: str, first: int, attempts: Sequence[Attempt]) -> None:
    cursor.executemany(
        "INSERT INTO attempts VALUES (?,?,?,?,?,?)",
        [
            (
                attempt.tx_hash,
                key,
                first + offset,
                attempt.raw,
                str(attempt.fees.maximum),
                None if attempt.fees.tip is None else str(attempt.fees.tip),
            )
            for offset, attempt in enumerate(attempts)
        ],
    )


def _blob(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise Bug("a BLOB column holds something else")
    return value
