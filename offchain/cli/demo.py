"""`assay demo`: an order's whole life in one terminal; `assay demo federated`: a federated task's."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from offchain.cli.files import require_writable_file
from offchain.cli.output import console

app = typer.Typer(
    invoke_without_command=True,
    help="Show an order's whole life: escrow, real training, scores, slashing, rewards by root, verified download. "
    "`assay demo federated` shows federated training instead.",
)

Chain = Annotated[
    str, typer.Option("--chain", help="anvil, embedded, auto (Anvil if installed), or a development chain's URL.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")]


@app.callback()
def demo(context: typer.Context, chain: Chain = "auto", json_file: JsonFile = None) -> None:
    """See `app`."""
    if context.invoked_subcommand is not None:
        return
    _require_writable(json_file)
    from offchain.cli.demo_tables import print_report
    from offchain.demo.play import play
    from offchain.demo.scenario import DIGITS

    result = play(DIGITS, chain, console)
    print_report(result, console)
    _write(result, json_file)


@app.command("federated")
def federated(chain: Chain = "auto", json_file: JsonFile = None) -> None:
    """Show federated training: twelve participants, a third hostile, a crash, and a leader that lies and is caught.

    They train on scikit-learn's breast cancer and digits data, each on its own part; the chain's clock is moved on
    whenever nobody has anything left to do in a window.
    """
    _require_writable(json_file)
    from offchain.cli.demo_federated_tables import print_report
    from offchain.demo.federated.play import play
    from offchain.demo.federated.scenario import HOSPITALS

    result = play(HOSPITALS, chain, console)
    print_report(result, console)
    _write(result, json_file)


def _require_writable(json_file: Path | None) -> None:
    if json_file is not None:
        require_writable_file(json_file, "--json")


def _write(result: dict[str, Any], json_file: Path | None) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {json_file}")
