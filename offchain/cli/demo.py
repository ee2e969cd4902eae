"""`assay demo`: an order's whole life in one terminal."""

import json
from pathlib import Path
from typing import Annotated

import typer

from offchain.cli.files import require_writable_file
from offchain.cli.output import console


def demo(
    chain: Annotated[
        str, typer.Option("--chain", help="anvil, embedded, auto (Anvil if installed), or a development chain's URL.")
    ] = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")] = None,
) -> None:
    """Show an order's whole life: escrow, real training, scores, slashing, rewards by root, verified download."""
    if json_file is not None:
        require_writable_file(json_file, "--json")
    from offchain.cli.demo_tables import print_report
    from offchain.demo.play import play
    from offchain.demo.scenario import DIGITS

    result = play(DIGITS, chain, console)
    print_report(result, console)
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {json_file}")
