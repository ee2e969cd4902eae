"""Events as they are stored, read back."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from offchain.explorer.index.decoding import LogDecoder
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.subjects import Subject
from offchain.types import Seconds

_SELECT = """
SELECT e.seq, e.kind, e.raw, e.block, b.hash, b.at, t.hash, e.log_index, e.oid, e.dispute, e.task
FROM events e JOIN blocks b ON b.number = e.block JOIN transactions t ON t.id = e.tx
WHERE {where} ORDER BY e.seq {order} LIMIT ?
"""


class StoredEvents:
    """The events behind one connection."""

    def __init__(self, connection: sqlite3.Connection, decoder: LogDecoder, subjects: Sequence[Subject]) -> None:
        self._connection = connection
        self._decoder = decoder
        self._subjects = subjects
        self._ours = frozenset(decoder.addresses)

    def where(
        self, condition: str, values: Sequence[Any], *, limit: int = -1, newest_first: bool = False
    ) -> Iterator[tuple[int, EventRow]]:
        """Those that meet an SQL condition about `e`, in order, each with its kind."""
        query = _SELECT.format(where=condition, order="DESC" if newest_first else "ASC")
        for row in self._connection.execute(query, (*values, limit)):
            seq, number, raw, block, block_hash, at, tx, log_index, oid, dispute, task = row
            said = self._decoder.arguments(number, raw)
            if said is None:
                continue  # never stored
            kind = self._decoder.kinds[number]
            accounts = tuple([one for one in self._subjects[number].accounts(said) if one not in self._ours])
            yield (
                number,
                EventRow(
                    seq,
                    kind.contract,
                    kind.name,
                    said,
                    block,
                    block_hash,
                    Seconds(at),
                    tx,
                    log_index,
                    oid,
                    dispute,
                    task,
                    accounts,
                ),
            )
