"""Events as they are, for streams, logs and whoever folds them in its own way."""

from typing import Any

from eth_typing import ChecksumAddress

from offchain.explorer.index.reads import Reads
from offchain.explorer.index.rows import EventRow, Page


def read_events(
    reads: Reads,
    after: int,
    oid: int | None,
    dispute: int | None,
    task: int | None,
    account: ChecksumAddress | None,
    contract: str | None,
    name: str | None,
    limit: int,
) -> Page[EventRow]:
    """Events beyond `after`, ascending, that fit all that is given."""
    conditions, values = ["e.seq > ?"], [after]
    for column, number in (("oid", oid), ("dispute", dispute), ("task", task)):
        if number is not None:
            conditions.append(f"e.{column} = ?")
            values.append(number)
    if account is not None:
        known = reads.number_of(account)
        if known is None:
            return Page((), None)
        conditions.append(
            "e.seq IN (SELECT seq FROM event_accounts WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?)"
        )
        # With other conditions any of the account's events may be the next that fits.
        few = len(conditions) == 2 and contract is None and name is None
        values += [known, after, limit + 1 if few else -1]
    kinds = _kinds(reads, contract, name)
    if kinds is not None:
        conditions.append(f"e.kind IN ({', '.join('?' * len(kinds))})")
        values += kinds
    found = list(reads.events(" AND ".join(conditions), values, limit=limit + 1))
    rows = tuple(found[:limit])
    return Page(rows, rows[-1].seq if len(found) > limit else None)


def read_latest(reads: Reads, limit: int) -> tuple[EventRow, ...]:
    """The newest events, the newest first."""
    return tuple(reads.events("1", limit=limit, newest_first=True))


def _kinds(reads: Reads, contract: str | None, name: str | None) -> list[Any] | None:
    if contract is None and name is None:
        return None
    return [
        number
        for number, kind in enumerate(reads.decoder.kinds)
        if contract in (None, kind.contract) and name in (None, kind.name)
    ]
