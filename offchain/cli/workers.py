"""`assay ROLE run`: the long-lived workers."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.metrics import introduce, metered
from offchain.cli.output import console, print_json_line
from offchain.cli.seat import seat_place
from offchain.cli.session import Session, load_settings, open_context, open_session, unlock
from offchain.types import Ppm, Wei

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from offchain.roles.context import RoleContext, WorkerEvent
    from offchain.roles.loop import Loop
    from offchain.roles.worker import Worker

ROLES = ("client", "provider", "validator", "verifier", "aggregator")

_PURPOSE = {
    "client": "Care for your orders: release test data in time, seal what is over.",
    "provider": "Train models for orders and compete for their rewards.",
    "validator": "Score every model of an order, exactly, and earn from the winner's pool.",
    "verifier": "Score every model anew; challenge false scores and take the liars' stake; ask for what is withheld.",
    "aggregator": "Sit in the committee; seal orders and pay everyone.",
}


def role_app(role: str) -> typer.Typer:
    """The commands of one role."""
    app = typer.Typer(no_args_is_help=True, help=_PURPOSE[role])
    app.command("run", help=_HELP[role])(_COMMANDS[role])
    app.callback()(lambda: None)  # keeps `run` a command of its own although it is the only one
    return app


def run_client(
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """See `_HELP`."""
    from offchain.roles.client import ClientOptions, ClientWorker

    session = _open(home, rpc, store, chain_id, password_file)
    archive = session.archive()
    chosen = ClientOptions(archive=archive)
    run_worker(session, "client", key, as_json, lambda context: ClientWorker(context, chosen), metrics=metrics)


def run_provider(
    key: options.Key,
    trials: Annotated[int, typer.Option("--trials", min=1, max=6, help="Settings tried per order.")] = 4,
    max_epochs: Annotated[int, typer.Option("--max-epochs", min=1, help="Epochs after which training stops.")] = 128,
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="Orders trained for at once.")] = 2,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """See `_HELP`."""
    from offchain.model.search import SearchSettings
    from offchain.roles.provider import ProviderOptions, ProviderWorker

    search = SearchSettings(configurations=trials, max_epochs=max_epochs)
    chosen = ProviderOptions(skill=search, slots=parallel)
    session = _open(home, rpc, store, chain_id, password_file)
    run_worker(session, "provider", key, as_json, lambda context: ProviderWorker(context, chosen), metrics=metrics)


def run_validator(
    key: options.Key,
    v_stake: Annotated[
        str | None, typer.Option("--vstake", help="Tokens behind each score; the order's minimum by default.")
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """See `_HELP`."""
    from offchain.roles.validator import ValidatorOptions, ValidatorWorker

    chosen = ValidatorOptions(vstake=Wei(0) if v_stake is None else parse_tokens(v_stake, "--vstake"))
    session = _open(home, rpc, store, chain_id, password_file)
    run_worker(session, "validator", key, as_json, lambda context: ValidatorWorker(context, chosen), metrics=metrics)


def run_verifier(
    key: options.Key,
    always: Annotated[
        bool,
        typer.Option("--always", help="Challenge every false score, even where the gas costs more than it brings."),
    ] = False,
    coin_price: Annotated[
        float, typer.Option("--coin-price", min=0, help="Tokens that one coin of the chain, which pays gas, is worth.")
    ] = 1.0,
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="Models scored at once.")] = 2,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """See `_HELP`."""
    from offchain.roles.verifier import VerifierOptions, VerifierWorker

    price = Ppm(round(coin_price * 1_000_000))
    chosen = VerifierOptions(slots=parallel, always=always, coin_price_ppm=price)
    session = _open(home, rpc, store, chain_id, password_file)
    run_worker(session, "verifier", key, as_json, lambda context: VerifierWorker(context, chosen), metrics=metrics)


def run_aggregator(
    key: options.Key,
    stake: Annotated[
        str | None, typer.Option("--stake", help="Tokens locked for a seat; the protocol's minimum by default.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Take part in the aggregators' ledger: where the other members' nodes connect. "
            "Without it orders are paid by propose, confirm and execute.",
        ),
    ] = None,
    api: Annotated[
        str | None,
        typer.Option("--api", metavar="HOST:PORT", help="Where participants find the ledger's HTTP API."),
    ] = None,
    announce: Annotated[
        str | None,
        typer.Option(
            "--announce",
            metavar="'HOST:PORT URL'",
            help="What others are told on chain, if it is not what --listen and --api say.",
        ),
    ] = None,
    members: Annotated[
        Path | None, typer.Option("--members", help="A membership file, instead of what members announced on chain.")
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """See `_HELP`."""
    from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
    from offchain.roles.backup import require_no_signatures_forgotten

    amount = None if stake is None else parse_tokens(stake, "--stake")
    place = seat_place(listen=listen, api=api, announce=announce, members=members)
    session = _open(home, rpc, store, chain_id, password_file)
    require_no_signatures_forgotten(
        session.settings.journals,
        now=session.client.now(),
        ends_at=session.contracts.epoch_ends_at(),
        length=session.contracts.protocol_parameters().epoch_seconds,
    )
    account = unlock(session.settings, key)

    def build(context: "RoleContext") -> "Worker":
        chosen = AggregatorOptions(stake=amount)
        if place is None:
            return AggregatorWorker(context, chosen)
        return AggregatorWorker(context, chosen, treasurer=place.maker(session.settings.journals, bytes(account.key)))

    run_worker(session, "aggregator", key, as_json, build, account, metrics=metrics)


_COMMANDS: dict[str, Callable[..., None]] = {
    "client": run_client,
    "provider": run_provider,
    "validator": run_validator,
    "verifier": run_verifier,
    "aggregator": run_aggregator,
}
_HELP = {role: f"{text} Runs until Ctrl-C; killed, it goes on where it was." for role, text in _PURPOSE.items()}


def _open(
    home: options.Home,
    rpc: options.Rpc,
    store: options.Store,
    chain_id: options.ChainId,
    password_file: options.PasswordFile,
) -> Session:
    return open_session(load_settings(home=home, rpc=rpc, store=store, password_file=password_file), chain_id)


def run_worker(
    session: Session,
    role: str,
    key: str,
    as_json: bool,
    build: "Callable[[RoleContext], Loop]",
    unlocked: "LocalAccount | None" = None,
    *,
    metrics: str | None = None,
) -> None:
    """Runs what `build` makes until it is told to stop; `unlocked`: the account of `key`, if it is open already.

    `metrics`: where to serve them, `[HOST:]PORT`.
    """
    account = unlocked or unlock(session.settings, key)
    with metered(session, metrics) as (counted, page):
        _run_worker(counted, role, key, as_json, build, account, page)


def _run_worker(
    session: Session,
    role: str,
    key: str,
    as_json: bool,
    build: "Callable[[RoleContext], Loop]",
    account: "LocalAccount",
    page: str | None,
) -> None:
    stop, meters = threading.Event(), session.meters

    def report(event: "WorkerEvent") -> None:
        if as_json:
            print_json_line({"role": role, "oid": event.oid, "what": event.what, **event.detail})
        else:
            _print_event(event)

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with open_context(session, account, role, report if meters is None else meters.report(report)) as context:
        _print_start(session, role, key, context, as_json, page)
        worker = build(context)
        if meters is None:
            worker.run(stop)
            return
        introduce(meters, session, role, context)
        worker.run(stop, meters.around(worker))


def _print_start(
    session: Session, role: str, key: str, context: "RoleContext", as_json: bool, page: str | None
) -> None:
    if as_json:
        here = {"account": context.account, "endpoint": session.client.endpoint, "process": os.getpid()}
        shown = here if page is None else {**here, "metrics": page}
        print_json_line({"role": role, "oid": None, "what": "started", **shown})
        return
    place = "" if page is None else f", metrics at {page}"
    line = f"{role} {key} ({context.account}) on {session.client.endpoint}{place}; Ctrl-C stops it"
    console.print(line, soft_wrap=True, highlight=False)


def _print_event(event: "WorkerEvent") -> None:
    noun = "task" if event.role == "participant" else "order"
    where = "" if event.oid is None else f"{noun} {event.oid} "
    shown = {name: value for name, value in event.detail.items() if name not in ("key", "transaction")}
    if not shown.get("given_up", True):
        del shown["given_up"]  # what is tried again is the rule
    detail = "  ".join(f"{name} {_word(value)}" for name, value in shown.items() if value not in ((), []))
    style = "yellow" if event.what in ("trouble", "reverted") else "bold"
    clock = time.strftime("%H:%M:%S ")
    console.print(Text.assemble((clock, "dim"), where, (event.what, style), " ", (detail, "dim")), soft_wrap=True)


def _word(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
