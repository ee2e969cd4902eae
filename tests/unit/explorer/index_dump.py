"""All that an index holds; the numbers that depend on its history (of events, transactions, accounts) are taken out."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from offchain.explorer.index.shelves import NETWORK, ROLES
from offchain.explorer.index.things import BOND, CANDIDATE, CYCLE, THINGS


def dump(path: Path) -> dict[str, Any]:
    """Two indexes of one chain have the same."""
    connection = sqlite3.connect(path)
    try:
        return _dump(connection)
    finally:
        connection.close()


def _dump(connection: sqlite3.Connection) -> dict[str, Any]:
    def rows(query: str) -> list[Any]:
        return connection.execute(query).fetchall()

    names = {number: address.hex() for number, address in rows("SELECT id, address FROM accounts")} | {NETWORK: ""}
    order = {seq: place for place, (seq,) in enumerate(rows("SELECT seq FROM events ORDER BY seq"))}
    found: dict[str, Any] = {
        "events": rows(
            "SELECT e.kind, e.block, e.log_index, t.hash, e.raw, e.oid, e.dispute, e.task, e.ref "
            "FROM events e JOIN transactions t ON t.id = e.tx ORDER BY e.seq"
        ),
        "blocks": rows("SELECT * FROM blocks ORDER BY number"),
        "transactions": [
            (*row, sender and names[sender])
            for *row, sender in rows(
                "SELECT block, hash, action, gas, price, fee, sender FROM transactions ORDER BY id"
            )
        ],
        "links": sorted((names[account], order[seq]) for account, seq in rows("SELECT * FROM event_accounts")),
        "sums": sorted((names[account], name, value) for account, name, value in rows("SELECT * FROM sums")),
        "parts": sorted(
            (names[account], thing, number, role, order[seq])
            for account, thing, number, role, seq in rows("SELECT account, thing, number, role, seq FROM parts")
        ),
    }
    for thing in THINGS:
        things = rows(f"SELECT key, parent, open, brief, state FROM {thing.table} ORDER BY key")
        if thing is BOND:
            things = sorted((names[key // ROLES], key % ROLES, *rest) for key, *rest in things)
        elif thing is CANDIDATE:
            things = sorted((names[key], *rest) for key, *rest in things)
        elif thing is CYCLE:
            things = [(*rest, _without_seq(state)) for *rest, state in things]
        found[thing.table] = things
    return found


def _without_seq(state: str) -> Any:
    cycle, postings = json.loads(state)
    return cycle, [posting[1:] for posting in postings]
