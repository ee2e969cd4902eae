"""`assay devnet`: a development chain in this terminal."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from offchain.cli.output import console
from offchain.errors import Rejected


def devnet(
    chain: Annotated[str, typer.Option("--chain", help="anvil, embedded, or auto: Anvil if it is installed.")] = "auto",
    port: Annotated[int, typer.Option("--port", help="Port on the loopback interface.")] = 8545,
    block_time: Annotated[float, typer.Option("--block-time", help="Seconds between blocks (Anvil).")] = 1.0,
    state: Annotated[
        Path | None, typer.Option("--state", help="File that keeps the chain across runs (Anvil).")
    ] = None,
) -> None:
    """Run a development chain until Ctrl-C. Every account of `assay keys dev` is rich on it."""
    from offchain.chain.devnet import Anvil, AnvilOptions, EmbeddedNet, find_anvil

    chosen = ("anvil" if find_anvil() else "embedded") if chain == "auto" else chain
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if chosen == "anvil":
        options = AnvilOptions(block_seconds=block_time, mixed=True, port=port, state=state)
        with Anvil.start(options) as anvil:
            _wait(stop, "Anvil", anvil.url)
    elif chosen == "embedded":
        if state is not None:
            raise Rejected("--state: only Anvil keeps its chain; leave it out or use --chain anvil")
        with EmbeddedNet() as net:
            _wait(stop, "embedded chain", net.serve(port))
    else:
        raise Rejected(f"--chain {chain}: expected anvil, embedded or auto")


def _wait(stop: threading.Event, kind: str, url: str) -> None:
    console.print(f"[bold]{kind}[/bold] at {url}  (Ctrl-C stops it)")
    console.print("Next, in another terminal: [bold]assay keys dev[/bold], then [bold]assay deploy[/bold]")
    stop.wait()
