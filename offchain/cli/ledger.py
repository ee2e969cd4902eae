"""`assay ledger`: what participants have told the aggregators' ledger, and telling it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
from offchain.cli.ledger_access import Api, Members, Place, Seconds, place
from offchain.cli.ledger_tell import announce, follow, submit
from offchain.cli.output import console, print_json, print_rows, printable, rows_table, short, tokens
from offchain.cli.session import account_called, key_names, load_settings
from offchain.errors import Rejected, Retryable
from offchain.types import TOKEN

if TYPE_CHECKING:
    from offchain.ledger.api import schema
    from offchain.ledger.client.client import Replica

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Read and write the aggregators' ledger, where participants find each other's messages in one order.\n\n"
        "Several replicas are asked, and what f + 1 of them say alike is believed; every record's signature is checked "
        "here. Money is decided on chain alone: the ledger shows what was said, not what counts."
    ),
)

PHASES = ("training", "reveal", "validation", "challenge", "over")
MID = re.compile(r"0x[0-9a-fA-F]{64}")
ROLES = ("client", "provider", "validator", "verifier", "aggregator")

Client = Annotated[
    str | None,
    typer.Option(
        "--client", help="Only the order of this client (a key of yours or an address): numbers are the clients' word."
    ),
]


@app.command("status")
def status(
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 5.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show each replica: its view, how far it is, its state's root, and whom it is connected to.

    Ends with 2 when none answers.
    """
    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    with where.client() as client:
        found = client.survey()
    if as_json:
        print_json([_survey_json(item) for item in found])
        return
    print_rows([_survey_row(item) for item in found], title="Replicas of the ledger", as_json=False)
    states = Counter((item.state.sequence, item.state.root) for item in found if item.state)
    if states:
        (sequence, root), count = states.most_common(1)[0]
        line = f"\n{count} of {len(found)} replicas are at batch {sequence:,} with root {root}"
        console.print(line, highlight=False, soft_wrap=True)
    for item in found:
        if item.error:
            console.print(printable(f"{item.error}"), highlight=False, markup=False, soft_wrap=True)
    if not states:
        raise Retryable("no replica of the ledger answers; are aggregators running with --listen?")


@app.command("orders")
def orders(
    phase: Annotated[
        str | None, typer.Option("--phase", help=f"Only orders in this phase: {', '.join(PHASES)}.")
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", help="Only orders of this client (a key of yours or an address).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 20,
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """List orders, those that pay most per second of training first (Manage.FetchOrders)."""
    if phase is not None and phase not in PHASES:
        raise typer.BadParameter(f"--phase {phase!r}: expected one of {', '.join(PHASES)}")
    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    with where.client() as ledger:
        found = ledger.orders(phase=phase, client=_client(where, client), limit=limit)
    if as_json:
        print_json([item.model_dump() for item in found])
        return
    names = _names(where)
    print_rows([_order_row(item, names) for item in found], title="Orders", as_json=False, empty="none")


@app.command("show")
def show(
    oid: options.Oid,
    client: Client = None,
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show all that was said about an order: claims, models, validations and challenges."""
    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    with where.client() as ledger:
        cycles = ledger.cycles(oid, client=_client(where, client))
    if as_json:
        print_json([cycle.model_dump() for cycle in cycles])
        return
    names = _names(where)
    for cycle in cycles:
        console.print(rows_table([_order_row(cycle.order, names)], f"Order {oid}"))
        claims = [
            {"claim of": names.get(c.account, short(c.account)), "commitment": c.commitment} for c in cycle.claims
        ]
        tables = (claims, _model_rows(cycle.models, names), _validation_rows(cycle.validations, names))
        for rows in filter(None, tables):
            console.print()
            console.print(rows_table(rows, None))


@app.command("validations")
def validations(
    oid: options.Oid,
    client: Client = None,
    mid: Annotated[str | None, typer.Option("--mid", help="Only of this model (its root, 0x and 64 digits).")] = None,
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """List the validations of an order with their challenges (Manage.FetchValidations)."""
    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    with where.client() as ledger:
        found = ledger.validations(oid, client=_client(where, client), mid=None if mid is None else _mid("--mid", mid))
    if as_json:
        print_json([item.model_dump() for item in found])
        return
    print_rows(_validation_rows(found, _names(where)), title=f"Validations of order {oid}", as_json=False, empty="none")


@app.command("get")
def get(
    mid: Annotated[str, typer.Argument(metavar="MID", help="The model's root, 0x and 64 hex digits.")],
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show where a model is (Get). What comes from there must hash to the MID: `assay get OID` downloads and checks."""
    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    with where.client() as ledger:
        found = ledger.models(_mid("MID", mid))
    if as_json:
        print_json([item.model_dump() for item in found])
        return
    print_rows(_model_rows(found, _names(where)), title="Where the model is", as_json=False)


@app.command("nodes")
def nodes(
    role: Annotated[str | None, typer.Option("--role", help=f"Only nodes in this role: {', '.join(ROLES)}.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 100,
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """List what participants say of themselves: role, resources, where they answer."""
    if role is not None and role not in ROLES:
        raise typer.BadParameter(f"--role {role!r}: expected one of {', '.join(ROLES)}")
    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    with where.client() as ledger:
        found = ledger.nodes(role=role, limit=limit)
    if as_json:
        print_json([item.model_dump() for item in found])
        return
    names = _names(where)
    rows = [
        {
            "account": names.get(item.account, item.account),
            "role": item.role,
            "resources": item.resources,
            "endpoint": item.endpoint,
        }
        for item in found
    ]
    print_rows(rows, title="Nodes", as_json=False, empty="none")


app.command("submit")(submit)
app.command("follow")(follow)
app.command("announce")(announce)


def _client(where: Place, text: str | None) -> str | None:
    """The address that `--client` names. Raises Rejected."""
    return None if text is None else account_called(load_settings(home=where.home), text, "--client")


def _mid(flag: str, text: str) -> str:
    """The root that was given. Raises Rejected when it is none."""
    if not MID.fullmatch(text):
        raise Rejected(f"{flag} {text[:80]}: expected 0x and 64 hex digits, as `assay ledger show OID` prints them")
    return text


def _names(where: Place) -> dict[str, str]:
    """Names of the user's own keys; none where there is no such folder."""
    try:
        return {str(account): name for account, name in key_names(load_settings(home=where.home)).items()}
    except Rejected:
        return {}


def _order_row(order: schema.OrderOut, names: dict[str, str]) -> dict[str, Any]:
    ends = {"training": order.t1, "reveal": order.t2, "validation": order.t3, "challenge": order.t4}
    return {
        "OID": order.oid,
        "phase": order.phase,
        "ends in": "" if order.phase == "over" else _clock(ends[order.phase]),
        "reward": tokens(int(order.reward)),
        "per second": int(order.reward) / max(1, order.t1 - order.t0) / TOKEN,
        "client": names.get(order.account, short(order.account)),
        "claims": order.claims,
        "models": order.models,
        "scores": order.validations,
    }


def _model_rows(models: Sequence[schema.ModelOut], names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"OID": item.oid, "provider": names.get(item.account, short(item.account)), "MID": item.mid, "link": item.link}
        for item in models
    ]


def _validation_rows(found: Sequence[schema.ValidationOut], names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "validator": names.get(item.account, short(item.account)),
            "MID": f"{item.mid[:10]}…",
            "score": item.score,
            "vStake": tokens(int(item.v_stake)),
            "VID": item.id,
            "challenged by": [names.get(c.account, short(c.account)) for c in item.challenges],
        }
        for item in found
    ]


def _survey_row(item: Replica) -> dict[str, Any]:
    status, state = item.status, item.state
    if status is None or state is None:
        return dict.fromkeys(("replica", "view", "primary", "batch", "stable", "links", "waiting", "root")) | {
            "replica": item.url
        }
    return {
        "replica": item.url,
        "view": f"{status.view}{' (changing)' if status.changing else ''}",
        "primary": status.primary,
        "batch": state.sequence,
        "stable": status.stable,
        "links": f"{sum(peer.connected for peer in status.peers) - 1}/{len(status.peers) - 1}",
        "waiting": status.waiting,
        "root": f"{state.root[:10]}…",
    }


def _survey_json(item: Replica) -> dict[str, Any]:
    return {
        "url": item.url,
        "error": item.error,
        "status": None if item.status is None else item.status.model_dump(),
        "state": None if item.state is None else item.state.model_dump(),
    }


def _clock(end: int) -> str:
    """How long until then, by this machine's clock."""
    from time import time

    return countdown(end - int(time()))
