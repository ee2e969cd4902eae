"""`assay explorer`: a page that shows the deployment live, on this machine or for others to read."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from offchain.cli import options
from offchain.cli.output import console, errors, print_json_line
from offchain.cli.session import Session, load_settings, open_session
from offchain.errors import AssayError

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from fastapi import APIRouter

    from offchain.explorer.api.serving import Explorer
    from offchain.explorer.index import Index, Step
    from offchain.storage.store import Store
    from offchain.types import OrderId

DEFAULT_PORT = 7400
STORE_SECONDS = 30.0
"""For one piece of content; it is tried again."""


def explorer(
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; anything but a loopback address is for others to read.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = DEFAULT_PORT,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="No desk: nothing is stored, scored or played for a wallet.")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    metrics: options.Metrics = None,
    as_json: options.Json = False,
) -> None:
    """Serve a page that shows orders, scores, disputes, stakes and rewards live, and lets a wallet take part.

    Runs until Ctrl-C. What it shows is read from the chain's events into an index below --home, which survives
    restarts and can be deleted at any time; the page works while it catches up.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    wishes = _Wishes(host, port, read_only, open_browser, as_json)
    with ExitStack() as stack:
        finished = _run(session, stack, wishes, metrics)
    if not finished:
        # A node that does not answer holds a thread up, and Python would wait for it. The index is safe: it is
        # written in whole transactions.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The flags."""

    host: str
    port: int
    read_only: bool
    open_browser: bool
    as_json: bool


def _run(session: Session, stack: ExitStack, wishes: _Wishes, metrics: str | None) -> bool:
    """Serves until it is told to stop; whether all threads have ended."""
    from offchain.explorer.api.metrics import Meters
    from offchain.explorer.api.serving import Explorer, Options
    from offchain.metrics.server import metrics_place, serve_metrics

    meters = Meters()
    if metrics is not None:
        stack.enter_context(serve_metrics(meters.registry, metrics_place(metrics)))
    kept = stack.enter_context(session.store(seconds=STORE_SECONDS))
    where = Options(wishes.host, wishes.port, session.settings.home / "explorer")
    progress = _Progress(quiet=wishes.as_json)
    with ExitStack() as desks:  # closed before the index that the desk reads
        desk = partial(_desk, session, desks) if where.is_local and not wishes.read_only else None
        served = Explorer(session.contracts, kept, where, meters=meters, desk=desk, progress=progress.step)
        stack.callback(progress.close)
        Thread(target=_look_at, args=(kept,), daemon=True).start()  # which may take its time to answer
        asyncio.run(_serve(served, partial(_announce, served, wishes, has_desk=desk is not None)))
    return served.close()


async def _serve(served: Explorer, announce: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    announce()  # from here on Ctrl-C is heard
    await served.serve(stop)


def _desk(session: Session, stack: ExitStack, index: Index) -> APIRouter:
    """What prepares calls for a wallet, with this machine's store and journals."""
    from offchain.explorer.desk import Desk, DeskPlace, desk_router

    store = stack.enter_context(session.store())
    archive = stack.enter_context(session.archive())
    journals = session.settings.journals

    def orders_of(account: ChecksumAddress) -> Iterator[OrderId]:
        before: int | None = None
        while True:
            page = index.orders(index.standing().head_at, state="open", account=account, before=before)
            yield from (row.oid for row in page.rows)
            before = page.next
            if before is None:
                return

    place = DeskPlace(session.client, session.contracts, store, archive, journals, session.journal, orders_of)
    desk = Desk(place)
    stack.callback(desk.close)
    return desk_router(desk)


def _look_at(store: Store) -> None:
    """Says it when the store cannot be used: what is on the chain is shown all the same."""
    try:
        store.probe()
    except AssayError as error:
        errors.print(
            Text(f"{error}; until then titles, downloads and orders from the page have to wait"), soft_wrap=True
        )


def _announce(served: Explorer, wishes: _Wishes, *, has_desk: bool) -> None:
    if wishes.as_json:
        print_json_line({"url": served.url, "desk": has_desk, "page": served.parts.page.built})
    else:
        console.print(f"[bold]Explorer[/bold] at {served.url}  (Ctrl-C stops it)", soft_wrap=True)
        if not served.parts.page.built:
            console.print("The page is not built: run [bold]make page[/bold] and start again; the API works without it")
    if wishes.open_browser:
        import webbrowser

        webbrowser.open(served.url)


class _Progress:
    """One line on the terminal while the index catches up. Called by the index's thread."""

    def __init__(self, *, quiet: bool) -> None:
        self._status = None if quiet or not errors.is_terminal else errors.status("reading the chain …")
        self._shown = False
        self._events = 0

    def step(self, step: Step) -> None:
        """After each step of the index."""
        self._events += len(step.events)
        if step.caught_up:
            self.close()
        elif self._status is not None:
            self._status.update(f"reading the chain: {self._events:,} events, up to block {step.head.number:,}")
            if not self._shown:
                self._status.start()
                self._shown = True

    def close(self) -> None:
        """Takes the line away."""
        if self._status is not None and self._shown:
            self._status.stop()
            self._shown = False
