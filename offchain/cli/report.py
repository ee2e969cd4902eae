"""`assay report`: one self-contained HTML file about an order, or about the whole network."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.output import console, errors, print_json
from offchain.cli.session import Session, load_settings, open_session
from offchain.errors import Rejected

if TYPE_CHECKING:
    from offchain.reports.document import Document
    from offchain.reports.indexed import Indexed

STORE_SECONDS = 30.0
"""How long one file may take; what takes longer is said to be missing."""


def report(
    oid: Annotated[
        int | None, typer.Argument(metavar="OID", help="The order's number (see `assay orders`).", min=1)
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="The economy of the whole deployment over time, instead of one order.")
    ] = False,
    task: Annotated[
        int | None, typer.Option("--task", help="A federated task, instead of an order (see `assay federate status`).")
    ] = None,
    test: Annotated[
        str | None,
        typer.Option("--test", help="With --task: samples of your own, on which the model of each round is tried."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=r"File to write. \[order-OID.html, task-TASK.html or network.html]"),
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Write a report as one HTML file that needs nothing else: open it in a browser, print it, send it to somebody.

    Of an order: its timeline, where the money went, learning curves, what validators said, the winner's mistakes on the
    test set, disputes move by move, and gas. Content that the store does not have is said to be missing. --json prints
    the same for machines instead.
    """
    if sum((oid is not None, network, task is not None)) != 1:
        raise typer.BadParameter("give an order's number OID, or --task TASK, or --network")
    if test is not None and task is None:
        raise typer.BadParameter("--test: a federated task's models are tried on it; give --task too")
    name = "network" if network else f"order-{oid}" if task is None else f"task-{task}"
    path = out or Path(f"{name}.html")
    if not as_json:
        _require_writable(path)
    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    if oid is not None:
        document, machine = _order(session, oid)
    elif task is not None:
        document, machine = _task(session, task, test)
    else:
        document, machine = _network(session)
    if as_json:
        print_json(machine())
    else:
        _write(document(), path)


Made = tuple["Callable[[], Document]", "Callable[[], dict[str, Any]]"]
"""What is made for people, and for machines."""


def _order(session: Session, number: int) -> Made:
    from offchain.reports.gathering import gather_order
    from offchain.reports.order import order_document, order_json

    oid = session.order(number)
    with (
        session.store(seconds=STORE_SECONDS) as store,
        errors.status("reading the chain"),
        _indexed(session) as indexed,
    ):
        story = gather_order(session.contracts, store, indexed, oid)
    return lambda: order_document(story), lambda: order_json(story)


def _task(session: Session, number: int, test: str | None) -> Made:
    from offchain.cli.federate_run import open_task
    from offchain.federated.local_data import load_local
    from offchain.reports.gathering_task import gather_task
    from offchain.reports.task import task_document, task_json

    samples = None if test is None else load_local(test)
    _, task = open_task(session, number)
    with (
        session.store(seconds=STORE_SECONDS) as store,
        errors.status("reading the chain"),
        _indexed(session) as indexed,
    ):
        story = gather_task(session.contracts, store, indexed, task, samples)
    return lambda: task_document(story), lambda: task_json(story)


def _network(session: Session) -> Made:
    from offchain.reports.gathering import gather_network
    from offchain.reports.network import network_document, network_json

    with errors.status("reading the chain"), _indexed(session, receipts=True) as indexed:
        story = gather_network(session.contracts, indexed)
    return lambda: network_document(story), lambda: network_json(story)


def _indexed(session: Session, *, receipts: bool = False) -> "AbstractContextManager[Indexed]":
    """The index that an explorer keeps too, so that the next report has less to read."""
    from offchain.reports.indexed import up_to_date

    folder = session.settings.home / "explorer"
    name = f"{session.client.chain_id}-{session.contracts.addresses.proof_of_training}.sqlite"
    return up_to_date(session.contracts, folder / name, receipts=receipts)


def _write(document: "Document", path: Path) -> None:
    from offchain.reports.html import render

    text = render(document)
    path.write_text(text, encoding="utf-8")
    console.print(f"{path}: {document.title}, {len(text.encode()) / 1024:,.0f} KiB", highlight=False)


def _require_writable(path: Path) -> None:
    """Raises Rejected before any work is done."""
    if path.is_dir():
        raise Rejected(f"--out {path}: a directory; give the name of a file")
    if not path.absolute().parent.is_dir():
        raise Rejected(f"--out {path}: there is no directory {path.absolute().parent}")
