"""The network, accounts, rewards, tasks and raw events as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from offchain.explorer.api import schema
from offchain.explorer.api.plain import arguments_json, terms_json
from offchain.explorer.content.reading import Reading
from offchain.explorer.index import Index, rows
from offchain.explorer.index.rows_orders import GasRow, OrderRow
from offchain.explorer.index.words import actor_of, text_of
from offchain.types import Seconds


def network(found: rows.Network, gas: GasRow) -> schema.Network:
    """Totals."""
    same = ("escrow", "rewards_put", "slashed", "slashed_paid", "burned", "held", "paid", "tax", "supply", "now")
    return schema.Network.model_validate(
        {name: getattr(found, name) for name in (*same, "games", "events", "transactions")}
        | {
            "orders": {
                "total": found.orders,
                "by_phase": _by_name(found.phases),
                "by_outcome": _by_name(found.outcomes),
            },
            "stakes": {
                role.name.lower(): {
                    "accounts": found.accounts.get(role, 0),
                    "bonded": amount,
                    "locked": found.locked.get(role, 0),
                }
                for role, amount in found.stakes.items()
            },
            "disputes": {
                "total": found.disputes,
                "open": found.open_disputes,
                "by_verdict": _by_name(found.verdicts),
            },
            "requests": {"total": found.requests, "open": found.open_requests},
            "tasks": {"total": found.tasks, "open": found.open_tasks},
            "accounts": _by_name(found.accounts),
            "gas": gas,
        }
    )


def account(found: rows.Account, orders: Sequence[OrderRow], reading: Reading, now: Seconds) -> schema.AccountPage:
    """Everything about one account; `orders`: those that it has a part in, as far as they are shown."""
    titles = reading.titles([row.manifest for row in orders])
    known = {row.oid: {"title": titles.get(row.manifest), "phase": row.phase} for row in orders}
    parts = [
        {"title": None, "phase": None, **known.get(part.oid, {})}
        | {"oid": part.oid, "roles": part.roles, "earned": part.earned}
        for part in found.orders
    ]
    same = set(schema.AccountPage.model_fields) - {"orders", "now"}
    return schema.AccountPage.model_validate(
        {name: getattr(found, name) for name in same} | {"orders": parts, "now": now}
    )


def rewards(found: rows.Rewards, now: Seconds) -> schema.Rewards:
    """Roots, claims and the committee."""
    names = set(schema.RootOut.model_fields) - {"refuted"}
    roots = [{name: getattr(row, name) for name in names} | {"refuted": row.refuter is not None} for row in found.roots]
    committee = found.committee
    candidates = [
        {"account": address, "stake": stake, "endpoint": committee.endpoints.get(address)}
        for address, stake in committee.candidates.items()
    ]
    return schema.Rewards.model_validate(
        {
            "roots": roots,
            "claims": found.claims.rows,
            "next": found.claims.next,
            "candidates": candidates,
            "epochs": committee.epochs,
            "held": found.held,
            "now": now,
        }
    )


def parameters(found: rows.ParametersRow, now: Seconds) -> schema.ParametersOut:
    """What is in force."""
    return schema.ParametersOut.model_validate(
        {"parameters": found.parameters, "since": found.since, "owner": found.owner, "now": now}
    )


def task_row(found: rows.TaskRow, title: str | None) -> dict[str, Any]:
    """The fields of a row."""
    names = set(schema.TaskRow.model_fields) - {"title"}
    return {name: getattr(found, name) for name in names} | {"title": title}


def task_page(found: rows.TaskPage, title: str | None, now: Seconds) -> schema.TaskPage:
    """Everything about one task."""
    return schema.TaskPage.model_validate(
        task_row(found.row, title)
        | {
            "now": now,
            "terms": terms_json(found.terms),
            "model_root": found.model_root,
            "refundable": found.refundable,
            "withdrawn": found.withdrawn,
            "members": found.participants,
            "rounds_list": found.rounds,
            "games_list": found.games,
        }
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; None: of all."""

    oid: int | None = None
    dispute: int | None = None
    task: int | None = None
    account: str | None = None
    contract: str | None = None
    name: str | None = None


def events(index: Index, wanted: Wanted, *, after: int | None, before: int | None, limit: int) -> schema.Events:
    """A page of events: ascending with `after`, else the newest first."""
    filters = asdict(wanted)
    if after is not None:
        page = index.events(after=after, limit=limit, **filters)
    else:
        page = index.latest_events(limit, before=before, **filters)
    return schema.Events(events=[event(row) for row in page.rows], next=page.next)


def event(found: rows.EventRow) -> schema.EventOut:
    """An event with its arguments by the names of the ABI."""
    same = set(schema.EventOut.model_fields) - {"args", "text", "actor"}
    return schema.EventOut.model_validate(
        {name: getattr(found, name) for name in same}
        | {
            "args": arguments_json(found.contract, found.name, found.arguments),
            "text": text_of(found),
            "actor": actor_of(found),
        }
    )


def _by_name(counts: Mapping[Any, int]) -> dict[str, int]:
    return {key.name.lower() if isinstance(key, IntEnum) else str(key): count for key, count in counts.items()}
