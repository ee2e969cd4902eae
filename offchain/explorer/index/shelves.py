"""Where states and sums lie: read when first asked for, kept while they are hot, written when a batch is done."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.explorer.index import codec
from offchain.explorer.index.subjects import Delta
from offchain.explorer.index.things import BOND, CANDIDATE, Key, Sums, Thing

ROLES = 8
"""More than there are: a bond's key is its account's number times this, and the role."""

MAX_HOT = 8192
"""States kept between batches."""

NETWORK = 0
"""Stands for an account in the network's sums."""


class Accounts:
    """Numbers of accounts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}

    def number(self, account: ChecksumAddress) -> int:
        """The account's number, from 1; a new one where it has none."""
        known = self._numbers.get(account)
        if known is None:
            raw = bytes.fromhex(account[2:])
            row = self._connection.execute("SELECT id FROM accounts WHERE address = ?", (raw,)).fetchone()
            if row is None:
                known = int(
                    self._connection.execute("INSERT INTO accounts (address) VALUES (?)", (raw,)).lastrowid or 0
                )
            else:
                known = int(row[0])
            self._numbers[account] = known
        return known

    def forget(self) -> None:
        """Forgets what a transaction that was rolled back has made."""
        self._numbers.clear()


class Shelves:
    """States of things, and sums. Changes are written by `save`, within the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, accounts: Accounts) -> None:
        self._connection = connection
        self._accounts = accounts
        self._hot: dict[tuple[str, Key], Any] = {}
        self._stored: dict[tuple[str, Key], Sums] = {}
        self._dirty: dict[tuple[str, Key], Thing] = {}
        self._sums: defaultdict[tuple[int, str], int] = defaultdict(int)

    # Things

    def get(self, thing: Thing, key: Key) -> Any:
        """The state of a thing; None when there is none."""
        place = (thing.table, key)
        if place in self._hot:
            return self._hot[place]
        row = self._connection.execute(
            f"SELECT state FROM {thing.table} WHERE key = ?", (self._number(thing, key),)
        ).fetchone()
        state = self._hot[place] = None if row is None else codec.load(thing.state, row[0])
        self._stored[place] = {} if state is None else thing.sums(key, state)
        return state

    def put(self, thing: Thing, key: Key, state: Any) -> None:
        """Changes the state of a thing that was read; None: there is no such thing any more."""
        place = (thing.table, key)
        self._hot[place] = state
        self._dirty[place] = thing

    def add(self, account: int, name: str, amount: int) -> None:
        """Adds to a sum."""
        self._sums[account, name] += amount

    def save(self) -> None:
        """Writes what has changed."""
        rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        gone: defaultdict[str, list[tuple[int]]] = defaultdict(list)
        for place, thing in self._dirty.items():
            state, number = self._hot[place], self._number(thing, place[1])
            sums = {} if state is None else thing.sums(place[1], state)
            self._count(self._stored[place], sums)
            self._stored[place] = sums
            if state is None:
                gone[thing.table].append((number,))
                continue
            shelf = thing.shelf(state)
            brief = None if shelf.brief is None else json.dumps(shelf.brief, separators=(",", ":"))
            rows[thing.table].append((number, shelf.parent, int(shelf.open), brief, codec.dump(state)))
        for table, changed in rows.items():
            self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?)", changed)
        for table, removed in gone.items():
            self._connection.executemany(f"DELETE FROM {table} WHERE key = ?", removed)
        self._save_sums()
        self._dirty.clear()
        if len(self._hot) > MAX_HOT:
            self._hot.clear()
            self._stored.clear()

    def forget(self) -> None:
        """Forgets everything that was not saved, and what a transaction that was rolled back has saved."""
        for kept in (self._hot, self._stored, self._dirty, self._sums):
            kept.clear()

    def _count(self, before: Sums, after: Sums) -> None:
        for name, amount in after.items():
            self._sums[NETWORK, name] += amount
        for name, amount in before.items():
            self._sums[NETWORK, name] -= amount

    def _save_sums(self) -> None:
        changed = [(place, amount) for place, amount in self._sums.items() if amount]
        select = "SELECT value FROM sums WHERE account = ? AND name = ?"
        rows, gone = [], []
        for place, amount in changed:
            there = self._connection.execute(select, place).fetchone()
            value = amount if there is None else int(there[0]) + amount
            if value:
                rows.append((*place, str(value)))
            else:
                gone.append(place)
        self._connection.executemany("INSERT OR REPLACE INTO sums VALUES (?, ?, ?)", rows)
        self._connection.executemany("DELETE FROM sums WHERE account = ? AND name = ?", gone)
        self._sums.clear()

    def _number(self, thing: Thing, key: Key) -> int:
        return thing_number(thing, key, self._accounts.number)


def count_deltas(shelves: Shelves, accounts: Accounts, deltas: Iterable[Delta], sign: int) -> None:
    """Adds what an event adds to sums; `sign` -1 takes it back."""
    for account, name, amount in deltas:
        shelves.add(NETWORK if account is None else accounts.number(account), name, sign * amount)


def count_gas(shelves: Shelves, sender: int, action: str, gas: int, fee: int, sign: int) -> None:
    """Adds a transaction's gas to the sums of the network and of the account that sent it."""
    for account in (NETWORK, sender):
        shelves.add(account, "gas", sign * gas)
        shelves.add(account, "fee", sign * fee)
    shelves.add(NETWORK, "gas transactions", sign)
    shelves.add(NETWORK, f"gas of {action}", sign * gas)
    shelves.add(NETWORK, f"fee of {action}", sign * fee)
    shelves.add(NETWORK, f"count of {action}", sign)


def thing_number(thing: Thing, key: Key, number_of: Any) -> int:
    """The number under which a thing lies; `number_of` gives those of accounts."""
    if thing is BOND and isinstance(key, tuple):
        return int(number_of(key[0])) * ROLES + int(key[1])
    if thing is CANDIDATE:
        return int(number_of(key))
    return int(key)  # type: ignore[arg-type]  # only bonds and candidates have other keys


def bond_role(number: int) -> Role:
    """The role of the bond under a number."""
    return Role(number % ROLES)


def sums_of(connection: sqlite3.Connection, account: int) -> dict[str, int]:
    """All sums of an account, or of the network."""
    rows: Iterable[tuple[str, str]] = connection.execute("SELECT name, value FROM sums WHERE account = ?", (account,))
    return {name: int(value) for name, value in rows}
