"""`assay request-data`: have a leaf of a model or a test set shown on chain, or what hides it voided."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
from offchain.cli.output import console, errors, print_json, print_rows, short, tokens
from offchain.cli.session import Session, key_names, load_settings, open_context, open_session, unlock

if TYPE_CHECKING:
    from offchain.chain.availability import Asked, Availability
    from offchain.dispute.requests import Request, Target
    from offchain.roles.context import RoleContext
    from offchain.types import OrderId

ITEMS = ("header", "node", "unit", "weights", "sample")
NEEDED = {"header": (), "node": ("node",), "unit": ("node", "unit"), "weights": ("node", "unit"), "sample": ("sample",)}
"""Places that must be said; `--chunk` is 0 by default."""
ALLOWED = {item: {*places} | ({"chunk"} if item in ("weights", "sample") else set()) for item, places in NEEDED.items()}

MODEL = "Which leaf of a model"
TEST = "Which leaf of the test set"


def request_data(
    oid: options.Oid,
    model: Annotated[
        int | None, typer.Option("--model", help="Index of a revealed model.", min=0, rich_help_panel=MODEL)
    ] = None,
    item: Annotated[
        str | None,
        typer.Option(
            "--item", help="header (the default), node, unit or weights; sample for --test.", rich_help_panel=MODEL
        ),
    ] = None,
    node: Annotated[int | None, typer.Option("--node", help="Index of a node.", min=0, rich_help_panel=MODEL)] = None,
    unit: Annotated[
        int | None, typer.Option("--unit", help="Index of one of its units.", min=0, rich_help_panel=MODEL)
    ] = None,
    chunk: Annotated[
        int | None,
        typer.Option(
            "--chunk",
            help=r"Which 1,024 bytes of the unit's weights, or of the sample's input. \[0]",
            min=0,
            rich_help_panel=MODEL,
        ),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Ask for the test set.", rich_help_panel=TEST)] = False,
    sample: Annotated[
        int | None, typer.Option("--sample", help="Index of a sample.", min=0, rich_help_panel=TEST)
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until it is shown; if nobody does in time, have it voided.")
    ] = False,
    key: Annotated[
        str | None, typer.Option("--key", "-k", help="Name of the key that asks; it needs a verifier's bond.")
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Ask for data of an order that cannot be had, or that breaks a rule. Without --model or --test: list requests.

    Locks the order's request bond: whoever shows the leaf on chain, in valid
    form, gets it. If nobody does in time, the model is void and its provider
    slashed, part of it for you; or the test set is void, and the providers
    share the reward.
    """
    places = {"node": node, "unit": unit, "chunk": chunk, "sample": sample}
    given = {name: value for name, value in places.items() if value is not None}
    listing = model is None and not test
    if listing and (item or given or wait):
        raise typer.BadParameter("say what is missing: --model K or --test")
    chosen = "" if listing else _chosen_item(model, item, given, test=test)
    if key is None and not listing:
        raise typer.BadParameter("--key: say whose bond is locked")
    session = open_session(load_settings(home=home, rpc=rpc, password_file=password_file), chain_id)
    order = session.order(oid)
    from offchain.chain.availability import Availability

    court = Availability(session.contracts)
    if key is None or listing:
        _list(session, court, order, as_json)
        return
    target = _target(order, model, chosen, given)
    with open_context(session, unlock(session.settings, key), "verifier") as context:
        _ask(context, court, target, wait=wait, as_json=as_json)


def _chosen_item(model: int | None, item: str | None, given: dict[str, int], *, test: bool) -> str:
    """The item asked for, once it is clear that the flags say one thing."""
    if test and model is not None:
        raise typer.BadParameter("--model and --test: ask for one of the two at a time")
    chosen = item or ("sample" if test else "header")
    if chosen not in ITEMS:
        raise typer.BadParameter(f"--item {chosen!r}: expected one of {', '.join(ITEMS)}")
    if (chosen == "sample") != test:
        other = "--test" if chosen == "sample" else "--model K"
        raise typer.BadParameter(f"--item {chosen}: goes with {other}")
    _check_places(chosen, given)
    if model is not None and model >= 2**16:
        raise typer.BadParameter(f"--model {model}: must be below {2**16}")
    return chosen


def _check_places(item: str, given: dict[str, int]) -> None:
    for name in NEEDED[item]:
        if name not in given:
            raise typer.BadParameter(f"--{name}: say which, for --item {item}")
    for name, value in given.items():
        if name not in ALLOWED[item]:
            raise typer.BadParameter(f"--{name}: means nothing for --item {item}")
        if value >= 2**32:
            raise typer.BadParameter(f"--{name} {value}: must be below {2**32}")


def _target(oid: "OrderId", model: int | None, item: str, given: dict[str, int]) -> "Target":
    from offchain.dispute.requests import Item, Target

    return Target(
        oid=oid,
        item=Item[item.upper()],
        model_index=model or 0,
        node=given.get("node", 0),
        unit=given.get("unit", given.get("sample", 0)),
        chunk=given.get("chunk", 0),
    )


def _ask(context: "RoleContext", court: "Availability", target: "Target", *, wait: bool, as_json: bool) -> None:
    from offchain.chain.availability import Asked
    from offchain.roles.request_data import ask, in_words, see_through

    number = ask(context, court, target)
    asked = court.request_of(number)
    left = countdown(max(asked.deadline - context.client.now(), 0))
    if not as_json and asked.is_open:
        whose = "" if asked.asker == context.account else f", asked for by {asked.asker}"
        console.print(f"request {number}: {left} to show it{whose}", highlight=False)
    if wait:
        with errors.status("waiting for somebody to show it"):
            asked = see_through(context, court, number)
    shown = court.shown(Asked(number, asked))
    payload = None if shown is None else shown.payload
    if as_json:
        print_json(_fields(number, asked) | {"payload": payload})
        return
    console.print(in_words(asked), highlight=False)
    if payload:
        console.print(f"  {len(payload):,} bytes; --json prints them", highlight=False)


def _list(session: Session, court: "Availability", oid: "OrderId", as_json: bool) -> None:
    from offchain.roles.request_data import requests_of

    found = requests_of(court, oid)
    if as_json:
        print_json([_fields(one.id, one.request) for one in found])
        return
    names, now = key_names(session.settings), session.client.now()
    rows = [_row(one, names.get(one.request.asker, short(one.request.asker)), now) for one in found]
    print_rows(rows, title=f"Data asked for in order {oid}", as_json=False, empty="nothing")


def _row(one: "Asked", asker: str, now: int) -> dict[str, Any]:
    from offchain.dispute.requests import describe_target

    status = one.request.status.name.lower()
    if one.is_open:
        left = one.request.deadline - now
        status = f"{countdown(left)} left" if left > 0 else "time is up"
    return {
        "ID": one.id,
        "leaf": describe_target(one.request.target),
        "asker": asker,
        "bond": tokens(one.request.bond),
        "state": status,
    }


def _fields(number: int, asked: "Request") -> dict[str, Any]:
    target = asked.target
    return {
        "id": number,
        "order_id": target.oid,
        "item": target.item.name.lower(),
        "model_index": target.model_index,
        "node": target.node,
        "unit": target.unit,
        "chunk": target.chunk,
        "asker": asked.asker,
        "deadline": asked.deadline,
        "status": asked.status.name.lower(),
        "bond": asked.bond,
    }
