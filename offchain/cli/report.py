"""`assay report`: one self-contained HTML file about an order, or about the whole network."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=r"File to write. \[order-OID.html, or network.html]")
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
    if (oid is None) != network:
        raise typer.BadParameter("give an order's number OID, or --network")
    path = out or Path("network.html" if oid is None else f"order-{oid}.html")
    if not as_json:
        _require_writable(path)
    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    if oid is None:
        _network(session, path, as_json)
    else:
        _order(session, oid, path, as_json)


def _order(session: Session, number: int, path: Path, as_json: bool) -> None:
    from offchain.reports.gathering import gather_order
    from offchain.reports.order import order_document, order_json

    oid = session.order(number)
    with (
        session.store(seconds=STORE_SECONDS) as store,
        errors.status("reading the chain"),
        _indexed(session) as indexed,
    ):
        story = gather_order(session.contracts, store, indexed, oid)
    if as_json:
        print_json(order_json(story))
    else:
        _write(order_document(story), path)


def _network(session: Session, path: Path, as_json: bool) -> None:
    from offchain.reports.gathering import gather_network
    from offchain.reports.network import network_document, network_json

    with errors.status("reading the chain"), _indexed(session, receipts=True) as indexed:
        story = gather_network(session.contracts, indexed)
    if as_json:
        print_json(network_json(story))
    else:
        _write(network_document(story), path)


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
