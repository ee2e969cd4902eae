"""Disputes with their moves, and requests for data."""

from dataclasses import asdict, is_dataclass
from typing import Any

from offchain.dispute.words import NOWHERE, line_of, place_after
from offchain.explorer.index.reads import ALL, Reads
from offchain.explorer.index.rows import Page
from offchain.explorer.index.rows_orders import DisputePage, DisputeRow, MoveRow, RequestRow
from offchain.explorer.index.things import DISPUTE, REQUEST, Thing


def read_disputes(reads: Reads, state: str, oid: int | None, before: int | None, limit: int) -> Page[DisputeRow]:
    """Disputes, the newest first."""
    rows = _listed(reads, DISPUTE, state, oid, before, limit + 1)
    return Page(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


def read_requests(reads: Reads, state: str, oid: int | None, before: int | None, limit: int) -> Page[RequestRow]:
    """Requests, the newest first."""
    rows = _listed(reads, REQUEST, state, oid, before, limit + 1)
    return Page(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


def disputes_of_order(reads: Reads, oid: int) -> tuple[DisputeRow, ...]:
    """All disputes about an order, the oldest first."""
    return tuple(state for _, state in reads.states(DISPUTE, "parent = ?", (oid,)))


def requests_of_order(reads: Reads, oid: int) -> tuple[RequestRow, ...]:
    """All requests about an order, the oldest first."""
    return tuple(state for _, state in reads.states(REQUEST, "parent = ?", (oid,)))


def read_dispute(reads: Reads, number: int) -> DisputePage | None:
    """A dispute, move by move."""
    row: DisputeRow | None = reads.state(DISPUTE, number)
    if row is None:
        return None
    events = list(reads.events("e.dispute = ?", (number,)))
    gas = reads.gas_of("dispute", number)
    moves, told, place = [], set[bytes](), NOWHERE
    for event in events:
        place = place_after(place, event.name, event.arguments, None)
        line = line_of(event.name, event.arguments, place)
        if line is None:
            continue
        used = None if event.tx in told else gas.get(event.tx)
        told.add(event.tx)
        detail = {name: _plain(value) for name, value in event.arguments.items() if name != "id"}
        if event.name == "TensorPicked":
            detail["operation"] = place.op
        moves.append(MoveRow(event.seq, event.at, event.tx, line.side, event.name, line.text, used, detail))
    return DisputePage(row, tuple(moves))


def _listed(reads: Reads, thing: Thing, state: str, oid: int | None, before: int | None, limit: int) -> list[Any]:
    conditions, values = ["key < ?"], [ALL if before is None else before]
    if state != "all":
        conditions.append("open = ?")
        values.append(int(state == "open"))
    if oid is not None:
        conditions.append("parent = ?")
        values.append(oid)
    found = reads.states(thing, " AND ".join(conditions), values, limit=limit, newest_first=True)
    return [each for _, each in found]


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
