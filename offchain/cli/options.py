"""Options that several commands share. A `[` in a help text is escaped, or rich would take it for a style."""

from pathlib import Path
from typing import Annotated

import typer

NETWORK = "Where things are"

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help=r"Directory of keys, addresses, journals and content. \[ASSAY_HOME, else ~/.assay]",
        rich_help_panel=NETWORK,
    ),
]
Rpc = Annotated[
    str | None,
    typer.Option(
        "--rpc", help=r"JSON-RPC URL of a node. \[ASSAY_RPC, else http://127.0.0.1:8545]", rich_help_panel=NETWORK
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=r"Storage: local:PATH, kubo:URL, embedded:PATH or gateway:URL. \[ASSAY_STORE, else local: in --home]",
        rich_help_panel=NETWORK,
    ),
]
ChainId = Annotated[
    int | None,
    typer.Option("--chain-id", help="Refuse to talk to any other chain.", rich_help_panel=NETWORK, min=1),
]
Key = Annotated[str, typer.Option("--key", "-k", help="Name of the key that acts (see `assay keys list`).")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", help=r"File whose first line unlocks the key. \[ASSAY_PASSWORD_FILE, else you are asked]"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="HOST:PORT",
        help="Serve Prometheus metrics there (see docs/metrics.md); a port alone is on 127.0.0.1.",
    ),
]
Oid = Annotated[int, typer.Argument(metavar="OID", help="The order's number (see `assay orders`).", min=1)]
