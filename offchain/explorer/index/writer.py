"""Takes events in, and takes them back: everything of one range of blocks in one SQL transaction."""

import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.cursor import Cursor
from offchain.explorer.index.decoding import LogDecoder
from offchain.explorer.index.place import Place, load_place, save_note, save_place
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.shelves import NETWORK, Accounts, Shelves, count_deltas, count_gas
from offchain.explorer.index.subjects import Subject, order_or_task, subjects_of
from offchain.explorer.index.things import DISPUTE, REQUEST
from offchain.explorer.index.undo import Undo
from offchain.types import OrderId, Seconds

_QUIET = frozenset({"UtilityToken", "StakeVault"})
"""Contracts whose events do not name what a transaction was for, if there are others."""

_BIRTHS = (("UtilityToken", "Transfer"), ("Parameters", "OwnershipTransferred"))
"""From nobody: a contract's constructor."""

_ZERO = bytes(32)

_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log of ours: its kind and raw bytes (see `LogDecoder`), and where it is. `at`: time of its block."""

    kind: int
    raw: bytes
    block: int
    block_hash: bytes
    at: int
    tx: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the transaction with a number here has used: gas, and its price in wei of the chain's coin."""

    id: int
    hash: bytes
    sender: ChecksumAddress
    gas: int
    price: int


class StaleIndexError(Exception):
    """Somebody else has written to the index: its state was read again."""


class Writer:
    """The one that writes. Not thread-safe; another writer of the same file is noticed, and ends this one's batch."""

    def __init__(self, connection: sqlite3.Connection, decoder: LogDecoder, start: int) -> None:
        connection.execute("PRAGMA cache_size = -65536")
        self._connection = connection
        self._decoder = decoder
        self._ours = frozenset(decoder.addresses)
        self._start = start
        self._subjects = subjects_of(decoder)
        self._accounts = Accounts(connection)
        self._births = {decoder.kind_of[place] for place in _BIRTHS}
        self._shelves = Shelves(connection, self._accounts)
        self._undo = Undo(connection, decoder, self._subjects, self._accounts, self._shelves)
        self._place = load_place(self._connection, self._start)
        self._noted = ""

    @property
    def cursor(self) -> Cursor:
        """What was read."""
        return self._place.cursor

    @property
    def newest(self) -> int:
        """The `seq` of the newest event that was ever taken in, 0 before the first."""
        return self._place.next_seq - 1

    def apply(self, logs: Sequence[RawLog], cursor: Cursor, head: dict[str, Any]) -> tuple[EventRow, ...]:
        """Takes in the logs up to `cursor`, with what is known of the chain's head; the events.

        Raises StaleIndexError, with nothing changed, when somebody else has written.
        """
        with _Transaction(self):
            place = self._place
            events, place = self._take(logs, place)
            self._shelves.save()
            self._save(Place(cursor, place.next_seq, place.next_tx, place.revision + 1), head)
        return events

    def roll_back(self, block: int, cursor: Cursor) -> None:
        """Takes back all events from `block` on, and folds what they touched from what is left."""
        with _Transaction(self):
            if block <= self._start:
                self._undo.clear()
            else:
                self._undo.take_back(block)
            place = self._place
            self._save(Place(cursor, place.next_seq, place.next_tx, place.revision + 1), None)

    def note_head(self, head: dict[str, Any]) -> None:
        """Keeps what is known of the chain's head, where nothing else has changed."""
        text = json.dumps(head)
        if text != self._noted:
            save_note(self._connection, "head", text)
            self._noted = text

    def add_receipts(self, receipts: Sequence[Receipt]) -> int:
        """Notes what transactions have used; those that are gone meanwhile are left out. How many there were."""
        noted = 0
        with _Transaction(self):
            for one in receipts:
                select = "SELECT action FROM transactions WHERE id = ? AND hash = ? AND gas IS NULL"
                row = self._connection.execute(select, (one.id, one.hash)).fetchone()
                if row is None:
                    continue
                sender = self._accounts.number(one.sender)
                fee = one.gas * one.price
                self._connection.execute(
                    "UPDATE transactions SET sender = ?, gas = ?, price = ?, fee = ? WHERE id = ?",
                    (sender, one.gas, str(one.price), str(fee), one.id),
                )
                count_gas(self._shelves, sender, row[0], one.gas, fee, 1)
                noted += 1
            if noted:
                self._save(dataclasses.replace(self._place, revision=self._place.revision + 1), None)
        return noted

    def close(self) -> None:
        """Closes its connection."""
        self._connection.close()

    # Taking in

    def _take(self, logs: Sequence[RawLog], place: Place) -> tuple[tuple[EventRow, ...], Place]:
        events: list[EventRow] = []
        rows: list[tuple[Any, ...]] = []
        links: list[tuple[int, int]] = []
        parts: list[tuple[Any, ...]] = []
        transactions: list[tuple[int, int, bytes, str]] = []
        blocks = {log.block: (log.block, log.block_hash, log.at) for log in logs}
        seq, tx = place.next_seq, place.next_tx
        for (block, _), together in groupby(logs, key=lambda log: (log.block, log.tx)):
            batch = list(together)
            in_game = self._in_game(batch)
            for log in batch:
                said = self._decoder.arguments(log.kind, log.raw)
                if said is None:
                    continue
                event, ref = self._event(seq, log, said, in_game=in_game)
                self._fold(self._subjects[log.kind], event)
                oid = self._oid(event)
                if oid is not event.oid:
                    event = dataclasses.replace(event, oid=oid)
                rows.append((seq, log.kind, block, log.log_index, tx, log.raw, oid, event.dispute, event.task, ref))
                links += [(self._accounts.number(account), seq) for account in event.accounts]
                parts += self._parts_of(log.kind, event)
                events.append(event)
                seq += 1
            transactions.append((tx, block, batch[0].tx, self._action(batch)))
            tx += 1
        self._insert(blocks.values(), transactions, rows, links, parts)
        return tuple(events), Place(place.cursor, seq, tx, place.revision)

    def _insert(
        self,
        blocks: Iterable[tuple[Any, ...]],
        transactions: list[tuple[int, int, bytes, str]],
        rows: list[tuple[Any, ...]],
        links: list[tuple[int, int]],
        parts: list[tuple[Any, ...]],
    ) -> None:
        run = self._connection.executemany
        run("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?)", blocks)
        run("INSERT INTO transactions (id, block, hash, action) VALUES (?, ?, ?, ?)", transactions)
        run(_EVENT, rows)
        links.sort()
        run("INSERT OR IGNORE INTO event_accounts VALUES (?, ?)", links)
        run("INSERT OR IGNORE INTO parts VALUES (?, ?, ?, ?, ?)", parts)
        self._shelves.add(NETWORK, "events", len(rows))
        self._shelves.add(NETWORK, "transactions", len(transactions))

    def _in_game(self, logs: Sequence[RawLog]) -> bool:
        return any(self._decoder.kinds[log.kind].contract == "FederatedCourt" for log in logs)

    def _action(self, logs: Sequence[RawLog]) -> str:
        """What a transaction was for: its first event that is not about tokens or stakes alone."""
        if any(log.kind in self._births and log.raw.startswith(_ZERO) for log in logs):
            return "Deployment"
        kinds = [self._decoder.kinds[log.kind] for log in logs]
        loud = [kind for kind in kinds if kind.contract not in _QUIET]
        bonds = [kind for kind in kinds if kind.contract == "StakeVault"]
        return (loud or bonds or kinds)[0].name

    def _event(self, seq: int, log: RawLog, said: dict[str, Any], *, in_game: bool) -> tuple[EventRow, int | None]:
        """The event, and the number of what else it is about."""
        kind, subject = self._decoder.kinds[log.kind], self._subjects[log.kind]
        keys = subject.keys
        oid = said[keys["oid"]] if "oid" in keys else None
        task = said[keys["task"]] if "task" in keys else None
        if "lock" in keys:
            oid, task = order_or_task(said, in_game=in_game)
        accounts = subject.accounts(said)
        event = EventRow(
            seq,
            kind.contract,
            kind.name,
            said,
            log.block,
            log.block_hash,
            Seconds(log.at),
            log.tx,
            log.log_index,
            oid,
            said["id"] if "dispute" in keys else None,
            task,
            tuple([account for account in accounts if account not in self._ours]),
        )
        return event, said[keys["ref"]] if "ref" in keys else None

    def _fold(self, subject: Subject, event: EventRow) -> None:
        shelves, said = self._shelves, event.arguments
        for thing, key in subject.touched(said):
            state = shelves.get(thing, key)
            after = thing.fold(key, state, event)
            if after is not state:
                shelves.put(thing, key, after)
        if subject.deltas is not None:
            count_deltas(shelves, self._accounts, subject.deltas(said), 1)

    def _oid(self, event: EventRow) -> OrderId | None:
        """The order: of a dispute or a request not all events say which it is about, but its state does."""
        if event.oid is not None:
            return event.oid
        if event.dispute is not None:
            state = self._shelves.get(DISPUTE, event.dispute)
        elif event.contract == "AvailabilityCourt":
            state = self._shelves.get(REQUEST, event.arguments["id"])
        else:
            return None
        return None if state is None else state.oid

    def _parts_of(self, kind: int, event: EventRow) -> list[tuple[Any, ...]]:
        reader = self._subjects[kind].parts
        if reader is None:
            return []
        found = reader(event.arguments)
        return [
            (self._accounts.number(account), thing, number, role, event.seq) for account, thing, number, role in found
        ]

    # Transactions

    def _save(self, place: Place, head: dict[str, Any] | None) -> None:
        save_place(self._connection, place)
        if head is not None:
            save_note(self._connection, "head", json.dumps(head))
        self._place = place

    def begin(self) -> None:
        """Begins a transaction, if nobody else has written meanwhile."""
        self._connection.execute("BEGIN IMMEDIATE")
        if load_place(self._connection, self._start) != self._place:
            self.abandon()
            raise StaleIndexError

    def commit(self) -> None:
        """Ends it."""
        self._shelves.save()
        self._connection.execute("COMMIT")

    def abandon(self) -> None:
        """Undoes it, and forgets all that was kept in memory."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._shelves.forget()
        self._accounts.forget()
        self._place = load_place(self._connection, self._start)


class _Transaction:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        self._writer.begin()

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is not None:
            self._writer.abandon()
            return
        try:
            self._writer.commit()
        except BaseException:
            self._writer.abandon()
            raise
