"""Events as they are, for streams, logs and whoever folds them in its own way."""

from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.explorer.index.reads import Reads
from offchain.explorer.index.rows import EventRow, Page

LAST = 2**63 - 1
"""Beyond every `seq`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: all that is given must fit."""

    oid: int | None = None
    dispute: int | None = None
    task: int | None = None
    account: ChecksumAddress | None = None
    contract: str | None = None
    name: str | None = None


def read_events(reads: Reads, wanted: Wanted, after: int, limit: int) -> Page[EventRow]:
    """Events beyond `after`, ascending."""
    return _read(reads, wanted, "seq > ?", after, limit, newest_first=False)


def read_latest(reads: Reads, wanted: Wanted, before: int | None, limit: int) -> Page[EventRow]:
    """Events before `before`, or all, the newest first."""
    return _read(reads, wanted, "seq < ?", LAST if before is None else before, limit, newest_first=True)


def _read(reads: Reads, wanted: Wanted, bound: str, seq: int, limit: int, *, newest_first: bool) -> Page[EventRow]:
    conditions, values = [f"e.{bound}"], [seq]
    for column, number in (("oid", wanted.oid), ("dispute", wanted.dispute), ("task", wanted.task)):
        if number is not None:
            conditions.append(f"e.{column} = ?")
            values.append(number)
    if wanted.account is not None:
        known = reads.number_of(wanted.account)
        if known is None:
            return Page((), None)
        order = "DESC" if newest_first else "ASC"
        conditions.append(
            f"e.seq IN (SELECT seq FROM event_accounts WHERE account = ? AND {bound} ORDER BY seq {order} LIMIT ?)"
        )
        # With other conditions any of the account's events may be the next that fits.
        few = len(conditions) == 2 and wanted.contract is None and wanted.name is None
        values += [known, seq, limit + 1 if few else -1]
    kinds = _kinds(reads, wanted.contract, wanted.name)
    if kinds is not None:
        conditions.append(f"e.kind IN ({', '.join('?' * len(kinds))})")
        values += kinds
    found = list(reads.events(" AND ".join(conditions), values, limit=limit + 1, newest_first=newest_first))
    rows = tuple(found[:limit])
    return Page(rows, rows[-1].seq if len(found) > limit else None)


def _kinds(reads: Reads, contract: str | None, name: str | None) -> list[Any] | None:
    if contract is None and name is None:
        return None
    return [
        number
        for number, kind in enumerate(reads.decoder.kinds)
        if contract in (None, kind.contract) and name in (None, kind.name)
    ]
