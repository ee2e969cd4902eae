"""The tables of an index, and its file: whose it is, and when a fresh one is made."""

import logging
import sqlite3
from pathlib import Path

from offchain.chain.addresses import Addresses
from offchain.errors import Rejected
from offchain.explorer.index.decoding import abis_of, events_of
from offchain.explorer.index.things import THINGS

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the tables and of the folds: an index of another version is made again from the chain."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE kinds (id INTEGER PRIMARY KEY, contract TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE accounts (id INTEGER PRIMARY KEY, address BLOB NOT NULL UNIQUE);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE transactions (
  id INTEGER PRIMARY KEY, block INTEGER NOT NULL, hash BLOB NOT NULL, action TEXT NOT NULL,
  sender INTEGER, gas INTEGER, price TEXT, fee TEXT
);
CREATE INDEX transactions_block ON transactions (block);
CREATE INDEX transactions_missing ON transactions (id) WHERE gas IS NULL;
CREATE INDEX transactions_sender ON transactions (sender) WHERE sender IS NOT NULL;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, block INTEGER NOT NULL, log_index INTEGER NOT NULL,
  tx INTEGER NOT NULL, raw BLOB NOT NULL, oid INTEGER, dispute INTEGER, task INTEGER, ref INTEGER
);
CREATE INDEX events_block ON events (block);
CREATE INDEX events_kind ON events (kind, seq);
CREATE INDEX events_oid ON events (oid, seq) WHERE oid IS NOT NULL;
CREATE INDEX events_dispute ON events (dispute, seq) WHERE dispute IS NOT NULL;
CREATE INDEX events_task ON events (task, seq) WHERE task IS NOT NULL;
CREATE INDEX events_ref ON events (ref, seq) WHERE ref IS NOT NULL;
CREATE TABLE event_accounts (account INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (account, seq)) WITHOUT ROWID;
CREATE TABLE sums (account INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (account, name))
  WITHOUT ROWID;
CREATE TABLE parts (
  account INTEGER NOT NULL, thing TEXT NOT NULL, number INTEGER NOT NULL, role TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (account, thing, number, role)
) WITHOUT ROWID;
CREATE INDEX parts_seq ON parts (seq);
"""

_THING = """
CREATE TABLE {table} (
  key INTEGER PRIMARY KEY, parent INTEGER, open INTEGER NOT NULL, brief TEXT, state TEXT NOT NULL
);
CREATE INDEX {table}_open ON {table} (open, key);
CREATE INDEX {table}_parent ON {table} (parent, key) WHERE parent IS NOT NULL;
"""


def identity(addresses: Addresses) -> dict[str, str]:
    """What an index is of: one deployment on one chain, as this version folds it."""
    contracts = {name: addresses.of(name) for name in addresses.contracts}
    kinds = " ".join(f"{contract}.{entry['name']}" for _, contract, entry in events_of(abis_of(addresses)))
    return {
        "version": str(VERSION),
        "kinds": kinds,
        "chain": f"{addresses.chain_id} {addresses.genesis.hex()}",
        "start": str(addresses.block),
        "contracts": " ".join(f"{name}={address}" for name, address in sorted(contracts.items())),
    }


def connect(path: Path) -> sqlite3.Connection:
    """A connection to an index, for one thread at a time; transactions are begun by hand."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # after a power failure the chain tells the rest again
    connection.execute("PRAGMA cache_size = -8192")  # KiB; there may be many readers
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def prepare(path: Path, addresses: Addresses) -> None:
    """Makes the file, or a fresh one where the old one is of another chain, deployment or version.

    Raises Rejected when there is something else in its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = identity(addresses)
    try:
        if path.exists() and not _is_of(path, wanted):
            logger.info("%s: of another chain, deployment or version; made again", path)
            for suffix in ("-wal", "-shm", ""):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        connection = connect(path)
        try:
            _create(connection, wanted)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise Rejected(f"{path}: cannot be used as the explorer's index ({error}); move it away") from error


def _is_of(path: Path, wanted: dict[str, str]) -> bool:
    connection = connect(path)
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return True
        if not {"meta", "events"} <= tables:
            raise sqlite3.DatabaseError("it holds other tables")
        found = dict(connection.execute("SELECT name, value FROM meta"))
    finally:
        connection.close()
    return all(found.get(name) == value for name, value in wanted.items())


def _create(connection: sqlite3.Connection, wanted: dict[str, str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    if there is None:
        statements = _TABLES + "".join(_THING.format(table=thing.table) for thing in THINGS)
        for statement in statements.split(";"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", wanted.items())
        kinds = [kind.split(".") for kind in wanted["kinds"].split()]
        connection.executemany("INSERT INTO kinds VALUES (?, ?, ?)", [(n, *kind) for n, kind in enumerate(kinds)])
    connection.execute("COMMIT")
