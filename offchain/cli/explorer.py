"""`assay explorer`: a page that shows the deployment live, on this machine or for others to read."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.output import console, errors, print_json_line
from offchain.cli.session import Session, load_settings, open_session

if TYPE_CHECKING:
    from offchain.explorer.api.serving import Explorer
    from offchain.explorer.desk import Desk
    from offchain.explorer.index import Step

DEFAULT_PORT = 7400


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
    with ExitStack() as stack:
        finished = _run(session, stack, host, port, read_only, open_browser, metrics, as_json)
    if not finished:
        # A node that does not answer holds a thread up, and Python would wait for it. The index is safe: it is
        # written in whole transactions.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _run(
    session: Session,
    stack: ExitStack,
    host: str,
    port: int,
    read_only: bool,
    open_browser: bool,
    metrics: str | None,
    as_json: bool,
) -> bool:
    """Serves until it is told to stop; whether all threads have ended."""
    from offchain.explorer.api.guard import is_loopback
    from offchain.explorer.api.metrics import Meters
    from offchain.explorer.api.serving import Explorer, Options
    from offchain.explorer.desk import desk_router
    from offchain.metrics.server import metrics_place, serve_metrics

    meters, folder = Meters(), session.settings.home / "explorer"
    if metrics is not None:
        stack.enter_context(serve_metrics(meters.registry, metrics_place(metrics)))
    kept = stack.enter_context(session.store(seconds=30.0))
    desk = None if read_only or not is_loopback(host) else _desk(session, stack)
    router = None if desk is None else desk_router(desk)
    progress = _Progress(quiet=as_json)
    served = Explorer(
        session.contracts, kept, Options(host, port, folder), meters=meters, desk=router, progress=progress.step
    )
    try:
        _announce(served, desk is not None, open_browser, folder, as_json)
        asyncio.run(_serve(served))
    finally:
        progress.close()
        finished = served.close()
    return finished


async def _serve(served: Explorer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await served.serve(stop)


def _desk(session: Session, stack: ExitStack) -> Desk:
    """What prepares calls for a wallet, with this machine's store and journals."""
    from offchain.explorer.desk import Desk, DeskPlace

    store = stack.enter_context(session.store())
    archive = stack.enter_context(session.archive())
    settings = session.settings
    place = DeskPlace(session.client, session.contracts, store, archive, settings.journals, session.journal)
    desk = Desk(place)
    stack.callback(desk.close)
    return desk


def _announce(served: Explorer, has_desk: bool, open_browser: bool, folder: Path, as_json: bool) -> None:
    if as_json:
        print_json_line({"url": served.url, "desk": has_desk, "page": served.parts.page.built, "index": str(folder)})
    else:
        console.print(f"[bold]Explorer[/bold] at {served.url}  (Ctrl-C stops it)", soft_wrap=True)
        if not served.parts.page.built:
            console.print("The page is not built: run [bold]make page[/bold] and start again; the API works without it")
    if open_browser:
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
