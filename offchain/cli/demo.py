"""`assay demo`: an order's whole life in one terminal; `assay demo federated` and `zk`: a federated task's."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from offchain.cli.files import require_writable_file
from offchain.cli.output import console

app = typer.Typer(
    invoke_without_command=True,
    help="Show an order's whole life: escrow, real training, scores, slashing, rewards by root, verified download. "
    "`assay demo federated` shows federated training instead, `assay demo zk` proofs of accuracy.",
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

    result = play(HOSPITALS, chain, console, _proofs())
    print_report(result, console)
    _write(result, json_file)


@app.command("zk")
def zero_knowledge(chain: Chain = "auto", json_file: JsonFile = None) -> None:
    """Show proofs of accuracy: eight participants whose updates nobody sees, led by who has proven the best model.

    Each proves with UltraHonk how many of the client's test samples its own model has right, in chunks that a later
    block's hash draws. One has staked most and claims a sample too much, one sends another's proofs: both lose. What is
    made once, the circuit's verifier above all, is kept below ASSAY_HOME.
    """
    _require_writable(json_file)
    from offchain.cli.demo_federated_tables import print_report
    from offchain.demo.federated.play import play
    from offchain.demo.federated.scenario import PROVERS

    result = play(PROVERS, chain, console, _proofs())
    print_report(result, console)
    _write(result, json_file)


def _proofs() -> Path:
    from offchain.config import Settings

    return Settings().home / "proofs"


def _require_writable(json_file: Path | None) -> None:
    if json_file is not None:
        require_writable_file(json_file, "--json")


def _write(result: dict[str, Any], json_file: Path | None) -> None:
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {json_file}")
