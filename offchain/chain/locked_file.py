"""A SQLite file that one process writes alone, bound to what it is about: the journals of those that send.

What is held is a second file beside it, NAME.lock, so that others may read the journal meanwhile: backups do.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from offchain.errors import Rejected

META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;\n"


class KeyInUse(Rejected):
    """Another process signs with this key; two would take each other's nonces."""


class LockedConnection(sqlite3.Connection):
    """A connection that lets go of the lock when it is closed."""

    lock: sqlite3.Connection | None = None

    def close(self) -> None:
        """See the class."""
        super().close()
        if self.lock is not None:
            self.lock.close()


def open_locked(path: Path, schema: str, owner: Mapping[str, str], *, user: str) -> sqlite3.Connection:
    """Opens or creates the file, in WAL mode with synchronous=FULL, held exclusively.

    `owner` is what it belongs to, written into its table `meta` when it is made. Raises KeyInUse when another process
    holds it (`user` says who that may be, and what to do), Rejected when it belongs to somebody else, or is no journal.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=0.5, isolation_level=None, check_same_thread=False, factory=LockedConnection
    )
    try:
        connection.lock = _lock(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(META + schema)
        _claim(connection, path, owner)
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Rejected(f"{path}: cannot be used ({error}); check the directory and the disk") from error
        raise KeyInUse(f"{path}: another process is using this journal, {user}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise Rejected(f"{path}: not a journal ({error}); move it away") from error
    except Rejected:
        connection.close()
        raise
    return connection


def _lock(path: Path) -> sqlite3.Connection:
    """An open transaction that no other can be beside, in a file of its own: it ends with the process."""
    lock = sqlite3.connect(f"{path}.lock", timeout=0.5, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except BaseException:
        lock.close()
        raise
    return lock


def _claim(connection: sqlite3.Connection, path: Path, owner: Mapping[str, str]) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", owner.items())
        found = dict(cursor.execute("SELECT name, value FROM meta").fetchall())
        cursor.execute("COMMIT")
    for name, expected in owner.items():
        if found.get(name) != expected:
            raise Rejected(
                f"{path}: this journal has {name} {found.get(name)}, expected {expected}; "
                "use the right one, or move it away if that chain is gone"
            )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    """A cursor whose writes are kept all or none, durably."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        try:
            yield cursor
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
