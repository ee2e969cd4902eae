"""`assay get`: the verified model of an order."""

from pathlib import Path
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.files import require_folder
from offchain.cli.output import console, errors, print_json
from offchain.cli.session import key_names, load_settings, open_session

FORMATS = ("files", "torch", "safetensors", "onnx")


def get(
    oid: options.Oid,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=r"Directory to write to. \[model-OID]")] = None,
    form: Annotated[
        str, typer.Option("--format", "-f", help="files (graph and weights as claimed), torch, safetensors or onnx.")
    ] = "files",
    provider: Annotated[
        str | None,
        typer.Option("--provider", help="The model of this provider (key or address) instead of the winner's."),
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Download an order's winning model, verify every hash against the chain, and write it."""
    if form not in FORMATS:
        raise typer.BadParameter(f"--format {form!r}: expected one of {', '.join(FORMATS)}")
    from offchain.roles.fetch import fetch_model, write_model

    folder = out or Path(f"model-{oid}")
    require_folder(folder, "--out")
    settings = load_settings(home=home, rpc=rpc, store=store)
    session = open_session(settings, chain_id)
    who = None if provider is None else session.account_called(provider, "--provider")
    with session.store() as place, errors.status("downloading and verifying"):
        fetched = fetch_model(session.contracts, place, session.order(oid), provider=who)
    written = write_model(fetched, form, folder)  # type: ignore[arg-type]  # checked above
    if as_json:
        print_json({"order_id": oid, "provider": fetched.provider, "model_root": fetched.root, "files": written})
        return
    owner = key_names(settings).get(fetched.provider, fetched.provider)
    console.print(f"Verified: this is the model of {owner} that is on chain, root")
    console.print(f"  0x{fetched.root.hex()}")
    for path in written:
        console.print(f"  {path}", soft_wrap=True)
