"""A worker's journal: one SQLite file for each role and key, written before anything is broadcast.

It holds only what cannot be read again from the chain (see `records`). Rows are bound to one chain, so that a
development chain that was started anew under the same id never meets the salts of the old one.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from eth_utils.crypto import keccak

from offchain.errors import Rejected
from offchain.roles.records import Record
from offchain.types import Commitment, OrderId

AnyRecord = TypeVar("AnyRecord", bound=Record)

Boundary = Callable[[str], None]
"""Called with the name of each point at which a process could be killed between two writes or sends."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY,
    chain BLOB NOT NULL,
    kind TEXT NOT NULL,
    oid INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (chain, kind, commitment)
) STRICT
"""


def no_boundary(_: str) -> None:
    """The boundary hook of production: nothing."""


def chain_key(chain_id: int, genesis: bytes, proof_of_training: str) -> bytes:
    """Tells one deployment on one chain from all others, 32 bytes."""
    return keccak(chain_id.to_bytes(32, "big") + genesis + proof_of_training.lower().encode())


class Journal:
    """Append-mostly store of records. Safe to use from several threads of one process.

    `boundary` is called before and after every write (`record:KIND`, `recorded:KIND`).
    """

    def __init__(self, path: Path, *, chain: bytes, boundary: Boundary = no_boundary) -> None:
        """Opens or creates the file at `path`, readable by its owner only.

        Raises Rejected when it cannot be opened or is no journal.
        """
        self._chain = chain
        self._boundary = boundary
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # salts are secret until they are revealed
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")  # on the disk before the transaction leaves
            self._database.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Rejected(f"journal {path}: {error}; move it away or give another directory") from error

    def write(self, record: Record) -> None:
        """Keeps `record`; one with the same kind and commitment is replaced and stays in its place."""
        self._boundary(f"record:{record.kind}")
        body = json.dumps(record.to_json(), sort_keys=True)
        row = (self._chain, record.kind, record.oid, record.commitment, body)
        with self._lock:
            self._database.execute(
                "INSERT INTO records (chain, kind, oid, commitment, body) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (chain, kind, commitment) DO UPDATE SET body = excluded.body",
                row,
            )
        self._boundary(f"recorded:{record.kind}")

    def all(self, kind: type[AnyRecord]) -> tuple[AnyRecord, ...]:
        """All records of a kind on this chain, oldest first."""
        return self._read(kind, "", ())

    def of_order(self, kind: type[AnyRecord], oid: OrderId) -> tuple[AnyRecord, ...]:
        """The records of one order, oldest first."""
        return self._read(kind, "AND oid = ?", (oid,))

    def find(self, kind: type[AnyRecord], commitment: Commitment) -> AnyRecord | None:
        """The record with that commitment, if there is one."""
        found = self._read(kind, "AND commitment = ?", (commitment,))
        return found[0] if found else None

    def _read(self, kind: type[AnyRecord], condition: str, values: tuple[int | bytes, ...]) -> tuple[AnyRecord, ...]:
        query = f"SELECT body FROM records WHERE chain = ? AND kind = ? {condition} ORDER BY position"
        with self._lock:
            rows = self._database.execute(query, (self._chain, kind.kind, *values)).fetchall()
        return tuple(kind.from_json(json.loads(body)) for (body,) in rows)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
