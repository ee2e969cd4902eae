"""Flags of commands that prove or verify: where the tools behind UltraHonk are."""

from pathlib import Path
from typing import Annotated

import typer

TOOLS = "Tools"

ProofTools = Annotated[
    Path | None,
    typer.Option(
        "--proof-tools",
        rich_help_panel=TOOLS,
        help=r"Directory with the node_modules that UltraHonk needs. \[ASSAY_PROOF_TOOLS, else here or above]",
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference-string",
        rich_help_panel=TOOLS,
        help=r"Directory with Aztec's reference string. \[ASSAY_REFERENCE_STRING, else a local INSECURE one]",
    ),
]
