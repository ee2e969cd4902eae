"""`assay verification`: what block explorers need to show the contracts' sources."""

from pathlib import Path
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.output import console, print_rows
from offchain.cli.session import load_settings, open_session

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.", file_okay=False)
]


def verification(
    folder: Folder,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Write each contract's standard JSON input and constructor arguments, to verify it with a block explorer.

    Needs the sources: run it in a clone of the repository. Nothing is sent anywhere.
    """
    from offchain.chain.verification import verifications, write_verifications

    session = open_session(load_settings(home=home, rpc=rpc), chain_id)
    found = verifications(session.contracts.addresses)
    write_verifications(found, session.client.chain_id, folder)
    rows = [
        {
            "contract": item.name,
            "address": item.address,
            "arguments": f"{len(item.arguments)} bytes",
            "file": f"{item.name}.standard.json",
        }
        for item in found
    ]
    print_rows(rows, title=f"Verification input in {folder}", as_json=as_json)
    if not as_json:
        console.print("index.json holds what the explorer's form asks besides: compiler, path, arguments.")
