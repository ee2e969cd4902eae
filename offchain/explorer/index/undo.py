"""Takes events back: what they touched is folded again from those that are left."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from offchain.dispute.state import NOBODY
from offchain.errors import Bug
from offchain.explorer.index.decoding import LogDecoder
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.shelves import NETWORK, Accounts, Shelves, count_deltas, count_gas
from offchain.explorer.index.stored import StoredEvents
from offchain.explorer.index.subjects import Subject
from offchain.explorer.index.things import (
    BOND,
    CANDIDATE,
    CYCLE,
    DISPUTE,
    EPOCH,
    GAME,
    ORDER,
    PARAMETERS,
    REQUEST,
    TASK,
    THINGS,
    Key,
    Thing,
)


class Undo:
    """The writer's way back; within its transactions."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        decoder: LogDecoder,
        subjects: Sequence[Subject],
        accounts: Accounts,
        shelves: Shelves,
    ) -> None:
        self._connection = connection
        self._decoder = decoder
        self._ours = frozenset(decoder.addresses)
        self._subjects = subjects
        self._accounts = accounts
        self._shelves = shelves
        self._stored = StoredEvents(connection, decoder, subjects)

    def take_back(self, block: int) -> None:
        """Takes back all events from `block` on."""
        removed = list(self._stored.where("e.block >= ?", (block,)))
        touched: dict[tuple[str, Key], tuple[Thing, Key]] = {}
        links = []
        for number, event in removed:
            subject = self._subjects[number]
            if subject.deltas is not None:
                count_deltas(self._shelves, self._accounts, subject.deltas(event.arguments), -1)
            touched |= {(thing.table, key): (thing, key) for thing, key in subject.touched(event.arguments)}
            links += [(self._accounts.number(account), event.seq) for account in event.accounts]
        run = self._connection.execute
        self._connection.executemany("DELETE FROM event_accounts WHERE account = ? AND seq = ?", links)
        if removed:
            run("DELETE FROM parts WHERE seq >= ?", (removed[0][1].seq,))
        self._take_back_gas(block)
        run("DELETE FROM events WHERE block >= ?", (block,))
        run("DELETE FROM blocks WHERE number >= ?", (block,))
        for thing, key in touched.values():
            self._fold_again(thing, key)
        self._shelves.add(NETWORK, "events", -len(removed))
        self._shelves.save()

    def _take_back_gas(self, block: int) -> None:
        rows = self._connection.execute(
            "SELECT sender, gas, fee, action FROM transactions WHERE block >= ?", (block,)
        ).fetchall()
        for sender, gas, fee, action in rows:
            if gas is not None:
                count_gas(self._shelves, sender, action, gas, int(fee), -1)
        self._shelves.add(NETWORK, "transactions", -len(rows))
        self._connection.execute("DELETE FROM transactions WHERE block >= ?", (block,))

    def _fold_again(self, thing: Thing, key: Key) -> None:
        self._shelves.get(thing, key)  # what its state now adds to the sums
        state = None
        for kind, event in self._history(thing, key):
            if (thing, key) in self._subjects[kind].touched(event.arguments):
                state = thing.fold(key, state, event)
        self._shelves.put(thing, key, state)

    def _history(self, thing: Thing, key: Key) -> Iterable[tuple[int, EventRow]]:
        """The events about a thing, and perhaps others."""
        column = {ORDER: "oid", DISPUTE: "dispute", TASK: "task"}.get(thing)
        if column is not None:
            return self._stored.where(f"e.{column} = ?", (key,))
        if thing in (REQUEST, GAME, EPOCH):
            return self._stored.where("e.ref = ?", (key,))
        if thing is CYCLE:
            refuted = self._decoder.kind_of["RewardTreasury", "RootRefuted"]
            return self._stored.where("e.ref = ? OR e.kind = ?", (key, refuted))
        if thing is PARAMETERS:
            return self._of_contract("Parameters")
        if thing not in (BOND, CANDIDATE):
            raise Bug(f"no history of {thing.table}")
        account: Any = key[0] if isinstance(key, tuple) else key
        if account == NOBODY or account in self._ours:
            return self._of_contract("StakeVault" if thing is BOND else "AggregatorCommittee")
        number = self._accounts.number(account)
        return self._stored.where("e.seq IN (SELECT seq FROM event_accounts WHERE account = ?)", (number,))

    def _of_contract(self, contract: str) -> Iterable[tuple[int, EventRow]]:
        kinds = [number for number, kind in enumerate(self._decoder.kinds) if kind.contract == contract]
        return self._stored.where(f"e.kind IN ({', '.join('?' * len(kinds))})", kinds)

    def clear(self) -> None:
        """Takes back everything."""
        tables = ["events", "event_accounts", "parts", "sums", "transactions", "blocks"]
        for table in [*tables, *(thing.table for thing in THINGS)]:
            self._connection.execute(f"DELETE FROM {table}")
        self._shelves.forget()
