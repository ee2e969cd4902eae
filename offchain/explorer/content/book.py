"""What the store gave, verified, kept in a file beside the index; what is still looked for, and which CIDs were named.

The file can be deleted at any time; all of it is fetched again.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from offchain.errors import Rejected
from offchain.types import CidDigest

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 1_800.0
"""Seconds between two attempts at the same content."""

VERSION = 2
"""Of the tables: a file of another version is emptied, and all of it is fetched again."""

# By CID and kind: who names a stranger's content as what it is not must not decide what becomes of it.
SCHEMA = """
CREATE TABLE IF NOT EXISTS content (
    cid BLOB NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, title TEXT, body BLOB, problem TEXT,
    tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0, rank INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cid, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS wanted ON content (next_at) WHERE state = 'wanted';
CREATE TABLE IF NOT EXISTS named (
    cid BLOB NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER, PRIMARY KEY (cid, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

TABLES = ("content", "named", "progress")


class Kind(Enum):
    """What a CID is expected to be."""

    ORDER = "order"
    MODEL = "model"
    TRAINING = "training"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Naming:
    """A CID that may be asked for: it was named by the event `seq`, or by a verified manifest that was.

    `name`: of the file, for people; `size`: bytes, if a manifest says so.
    """

    cid: CidDigest
    seq: int
    name: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Content to be fetched. `tries`: how often that has failed."""

    cid: CidDigest
    kind: Kind
    tries: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a manifest says: files by CID, name and size; `accounts`: those that are accounts of trainings."""

    title: str | None = None
    parts: tuple[tuple[CidDigest, str, int], ...] = ()
    accounts: tuple[CidDigest, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Where some content stands. `body` when it is here; `problem` why not, or why it cannot be used."""

    state: str
    body: bytes | None
    problem: str | None


class ContentBook:
    """The file, or memory. Any thread may read and write; times are seconds of a clock that the caller passes in."""

    def __init__(self, path: Path | None) -> None:
        """Raises Rejected if the file is another kind of file."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise Rejected(f"{path}: not the explorer's file of content ({error}); delete it") from error
        self._version = 0

    def _prepare(self) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        old = "" if found == VERSION else "".join(f"DROP TABLE IF EXISTS {table};" for table in TABLES)
        self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {old} {SCHEMA}")
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    @property
    def version(self) -> int:
        """Changes whenever anything that a page shows may have."""
        return self._version

    def progress(self, name: str) -> int:
        """Up to which event `name` has been looked at."""
        row = self._row("SELECT seq FROM progress WHERE name = ?", name)
        return 0 if row is None else int(row[0])

    def note(
        self, name: str, seq: int, namings: Iterable[Naming], wanted: Iterable[tuple[CidDigest, Kind, int]]
    ) -> None:
        """Events up to `seq` are looked at: what they named, and what is to be fetched, with a rank."""
        with self._transaction() as run:
            self._name(run, namings)
            run.executemany(
                "INSERT INTO content (cid, kind, state, rank) VALUES (?, ?, 'wanted', ?) ON CONFLICT DO NOTHING",
                [(cid, kind.value, rank) for cid, kind, rank in wanted],
            )
            run.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (name, seq))

    def due(self, now: float, limit: int, again: int | None = None) -> list[Wanted]:
        """What to fetch now, what was never tried and the newest first; at most `again` that were tried before."""
        query = "SELECT cid, kind, tries FROM content WHERE state = 'wanted' AND next_at <= ? AND "
        with self._lock:
            run = self._connection.execute
            rows = run(query + "tries = 0 ORDER BY rank DESC LIMIT ?", (now, limit)).fetchall()
            rest = limit - len(rows) if again is None else min(limit - len(rows), again)
            rows += run(query + "tries > 0 ORDER BY rank DESC LIMIT ?", (now, rest)).fetchall()
        return [Wanted(CidDigest(cid), Kind(kind), tries) for cid, kind, tries in rows]

    def keep(self, cid: CidDigest, kind: Kind, body: bytes, contents: "Contents") -> None:
        """It is here, and can be used as what it was named: whoever may ask for it may ask for its parts too."""
        with self._transaction() as run:
            run.execute(
                "UPDATE content SET state = 'here', title = ?, body = ?, problem = NULL WHERE cid = ? AND kind = ?",
                (contents.title, body, cid, kind.value),
            )
            seqs = [row[0] for row in run.execute("SELECT seq FROM named WHERE cid = ?", (cid,))]
            self._name(run, [Naming(part, seq, name, size) for seq in seqs for part, name, size in contents.parts])
            run.executemany(
                "INSERT INTO content (cid, kind, state) VALUES (?, ?, 'wanted') ON CONFLICT DO NOTHING",
                [(item, Kind.TRAINING.value) for item in contents.accounts],
            )
            self._version += 1

    def postpone(self, wanted: Wanted, problem: str, now: float) -> None:
        """It could not be had; it is tried again, each time later."""
        pause = min(FIRST_PAUSE * 2.0 ** min(wanted.tries, 20), LONGEST_PAUSE)
        self._fail(wanted, "wanted", problem, now + pause)

    def refuse(self, wanted: Wanted, problem: str) -> None:
        """It is not what it should be, and never will be."""
        self._fail(wanted, "unusable", problem, 0.0)

    def held(self, cid: CidDigest, kind: Kind) -> Held | None:
        """Where it stands as content of this kind; None when nobody looks for it."""
        row = self._row("SELECT state, body, problem FROM content WHERE cid = ? AND kind = ?", cid, kind.value)
        return None if row is None else Held(*row)

    def body(self, cid: CidDigest) -> bytes | None:
        """Its bytes, if they are here, whatever they are."""
        row = self._row("SELECT body FROM content WHERE cid = ? AND body IS NOT NULL", cid)
        return None if row is None else bytes(row[0])

    def titles(self, cids: Sequence[CidDigest]) -> dict[CidDigest, str]:
        """Of those that are here; at most some hundreds at once."""
        marks = ",".join("?" * len(cids))
        with self._lock:
            rows = self._connection.execute(
                f"SELECT cid, title FROM content WHERE cid IN ({marks}) AND title IS NOT NULL", cids
            ).fetchall()
        return dict(rows)

    def namings(self, cid: CidDigest) -> list[Naming]:
        """By what it was named, in the order of events; whether they still stand is for the index to say."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT seq, name, size FROM named WHERE cid = ? ORDER BY seq", (cid,)
            ).fetchall()
        return [Naming(cid, *row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Pieces of content by state."""
        with self._lock:
            return dict(self._connection.execute("SELECT state, count(*) FROM content GROUP BY state").fetchall())

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    def _fail(self, wanted: Wanted, state: str, problem: str, next_at: float) -> None:
        with self._transaction() as run:
            run.execute(
                "UPDATE content SET state = ?, problem = ?, next_at = ?, tries = tries + 1 WHERE cid = ? AND kind = ?",
                (state, problem[:500], next_at, wanted.cid, wanted.kind.value),
            )
            if state == "unusable" or wanted.tries == 0:
                self._version += 1

    @staticmethod
    def _name(run: sqlite3.Connection, namings: Iterable[Naming]) -> None:
        run.executemany(
            "INSERT INTO named VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(item.cid, item.seq, item.name, item.size) for item in namings],
        )

    def _row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
