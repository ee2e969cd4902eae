"""`assay devnet`: a development chain in this terminal."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from offchain.cli.files import require_writable_file
from offchain.cli.output import console
from offchain.errors import Rejected

DEFAULT_PORT = 8545


def devnet(
    chain: Annotated[str, typer.Option("--chain", help="anvil, embedded, or auto: Anvil if it is installed.")] = "auto",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on the loopback interface; 0 takes a free one.")
    ] = DEFAULT_PORT,
    block_time: Annotated[float, typer.Option("--block-time", min=0.1, help="Seconds between blocks (Anvil).")] = 1.0,
    state: Annotated[
        Path | None, typer.Option("--state", help="File that keeps the chain across runs (Anvil).")
    ] = None,
) -> None:
    """Run a development chain until Ctrl-C. Every account of `assay keys dev` is rich on it."""
    from offchain.chain.devnet import Anvil, AnvilOptions, EmbeddedNet, find_anvil

    if chain not in ("anvil", "embedded", "auto"):
        raise Rejected(f"--chain {chain}: expected anvil, embedded or auto")
    chosen = ("anvil" if find_anvil() else "embedded") if chain == "auto" else chain
    if state is not None:
        _check_state(state, chosen)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if chosen == "anvil":
        _check_port(port)
        options = AnvilOptions(block_seconds=block_time, mixed=True, port=port, state=state)
        with Anvil.start(options) as anvil:
            _wait(stop, "Anvil", anvil.url)
    else:
        with EmbeddedNet() as net:
            _wait(stop, "embedded chain", net.serve(port))


def _check_state(state: Path, chain: str) -> None:
    if chain != "anvil":
        raise Rejected("--state: only Anvil keeps its chain; leave it out or use --chain anvil")
    require_writable_file(state, "--state")


def _check_port(port: int) -> None:
    """Anvil says only that it could not listen; this says where."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Rejected(f"--port {port}: cannot listen there ({error.strerror}); choose another") from error


def _wait(stop: threading.Event, kind: str, url: str) -> None:
    console.print(f"[bold]{kind}[/bold] at {url}  (Ctrl-C stops it)", soft_wrap=True)
    if url.endswith(f":{DEFAULT_PORT}"):
        console.print("Next, in another terminal: [bold]assay keys dev[/bold], then [bold]assay deploy[/bold]")
    else:
        console.print(f"Next, in another terminal: [bold]export ASSAY_RPC={url}[/bold],", soft_wrap=True)
        console.print("then [bold]assay keys dev[/bold] and [bold]assay deploy[/bold]")
    stop.wait()
