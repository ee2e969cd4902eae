"""`assay orders` and `assay show`: what is going on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.disputes import print_disputes
from offchain.cli.durations import countdown
from offchain.cli.output import console, errors, print_facts, print_json, print_rows, rows_table, short, tokens
from offchain.cli.session import Session, key_names, load_settings, open_session
from offchain.types import TOKEN

if TYPE_CHECKING:
    from offchain.roles.summary import OrderSummary


MANIFEST_SECONDS = 5.0
"""How long `show` waits for an order's manifest, which it can do without."""


def orders(
    phase: Annotated[str | None, typer.Option("--phase", help="Only orders in this phase, e.g. training.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="The latest so many.", min=1)] = 20,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """List orders, those that pay most per second of training first (Manage.FetchOrders)."""
    from offchain.protocol.lifecycle import Phase
    from offchain.roles.summary import summarise
    from offchain.types import OrderId

    if phase is not None and phase.upper().replace("-", "_") not in Phase.__members__:
        known = ", ".join(name.lower().replace("_", "-") for name in Phase.__members__)
        raise typer.BadParameter(f"--phase {phase!r}: expected one of {known}")
    session = open_session(load_settings(home=home, rpc=rpc), chain_id)
    count = session.contracts.order_count()
    found = [summarise(session.contracts, OrderId(oid)) for oid in range(max(1, count - limit + 1), count + 1)]
    if phase is not None:
        found = [item for item in found if item.phase.name == phase.upper().replace("-", "_")]
    found.sort(key=lambda item: item.reward_per_second, reverse=True)
    names = key_names(session.settings)
    if as_json:
        print_json([item.to_json() for item in found])
        return
    rows = [
        {
            "OID": item.oid,
            "phase": item.phase.label + (f", {item.outcome.name.lower()}" if item.outcome else ""),
            "ends in": "" if item.ends_at is None else countdown(item.ends_at - item.now),
            "reward": tokens(item.reward),
            "per second": item.reward_per_second / TOKEN,
            "client": names.get(item.client, short(item.client)),
            "claims": item.claims,
            "models": len(item.models),
        }
        for item in found
    ]
    print_rows(rows, title="Orders", as_json=False, empty="none; put one with `assay put`")


def show(
    oid: options.Oid,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show one order: phase, claims, models, scores, disputes move by move, settlement."""
    from offchain.chain.court import Court
    from offchain.roles.dispute_summary import summarise_disputes
    from offchain.roles.summary import summarise

    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    summary = summarise(session.contracts, session.order(oid))
    disputes = summarise_disputes(Court(session.contracts), oid=summary.oid)
    if as_json:
        print_json(summary.to_json() | {"disputes": [item.to_json() for item in disputes]})
        return
    _show(session, summary)
    if disputes:
        print_disputes(session, disputes, moves=True)


def _describe(session: Session, summary: "OrderSummary") -> Callable[[int], str]:
    """What a score means to people; for a regression in the label's own units if the manifest can be had now."""
    from offchain.errors import Rejected, Retryable
    from offchain.roles.materials import fetch_manifest
    from offchain.roles.score_units import describe_score

    found = None
    if summary.score_function.is_regression:
        try:
            with session.store(seconds=MANIFEST_SECONDS) as place:
                found = fetch_manifest(place, session.contracts.order(summary.oid).terms).preprocessing
        except (Rejected, Retryable):
            errors.print(f"without the manifest {summary.manifest} errors are shown in steps of the quantised label")
    return lambda score: describe_score(summary.score_function, score, summary.samples, found)


def _show(session: Session, summary: "OrderSummary") -> None:
    names = key_names(session.settings)

    def name(address: str) -> str:
        return names.get(address, short(address))  # type: ignore[call-overload, no-any-return]

    ends = "" if summary.ends_at is None else f", ends in {countdown(summary.ends_at - summary.now)}"
    facts: dict[str, Any] = {
        "phase": summary.phase.label + ends,
        "client": names.get(summary.client, summary.client),
        "reward": f"{tokens(summary.reward)} tokens",
        "score": summary.score_function.name.lower().replace("_", " "),
        "manifest": summary.manifest,
        "test samples": summary.samples or "not released",
        "claims": summary.claims,
    }
    if summary.outcome:
        facts["outcome"] = summary.outcome.name.lower()
        waits = summary.pays_at is not None and not summary.paid
        facts["paid"] = f"in {countdown((summary.pays_at or 0) - summary.now)}, by root" if waits else summary.paid
    print_facts(facts, title=f"Order {summary.oid}", as_json=False)
    if summary.models:
        rows, describe = [], _describe(session, summary)
        for model in summary.models:
            row: dict[str, Any] = {"model": model.index, "provider": name(model.provider)}
            row |= {name(sheet.validator): sheet.shown(model.index, describe) for sheet in summary.sheets}
            rows.append(row | {"eligible": model.eligible, "winner": model.provider == summary.winner})
        console.print(rows_table(rows, "Models and their scores"))
    if summary.payouts:
        paid = [{"account": name(payout.account), "tokens": tokens(payout.amount)} for payout in summary.payouts]
        if summary.tax:
            paid.append({"account": "aggregators", "tokens": tokens(summary.tax)})
        console.print(rows_table(paid, "Payouts"))
