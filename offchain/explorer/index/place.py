"""How far an index is, as it is kept in its file."""

import json
import sqlite3
from dataclasses import dataclass

from offchain.chain.cursor import Cursor, Mark


@dataclass(frozen=True, slots=True)
class Place:
    """How far the index is, and the numbers that the next event and the next transaction get.

    `revision` is another one after every change.
    """

    cursor: Cursor
    next_seq: int
    next_tx: int
    revision: int


def load_place(connection: sqlite3.Connection, start: int) -> Place:
    """The place; before block `start`, where nothing was read."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'place'").fetchone()
    if row is None:
        return Place(Cursor.at(start), 1, 1, 0)
    said = json.loads(row[0])
    marks = tuple(Mark(number, bytes.fromhex(block_hash)) for number, block_hash in said["marks"])
    cursor = Cursor(said["start"], said["position"], marks)
    return Place(cursor, said["next_seq"], said["next_tx"], said["revision"])


def save_place(connection: sqlite3.Connection, place: Place) -> None:
    """Writes it, within the caller's transaction."""
    cursor = place.cursor
    said = {
        "start": cursor.start,
        "position": cursor.position,
        "marks": [[mark.number, mark.hash.hex()] for mark in cursor.marks],
        "next_seq": place.next_seq,
        "next_tx": place.next_tx,
        "revision": place.revision,
    }
    save_note(connection, "place", json.dumps(said))


def save_note(connection: sqlite3.Connection, name: str, text: str) -> None:
    """Writes anything else that is known of the whole."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, text))
