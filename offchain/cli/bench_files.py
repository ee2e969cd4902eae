"""Where benchmarks write their rows."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.files import require_writable_file
from offchain.cli.output import console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def _checked(path: Path | None) -> Path | None:
    if path is not None:
        require_writable_file(path, "--json")
    return path


JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file.", callback=_checked)]


def write_rows(path: Path | None, rows: "Sequence[DataclassInstance]", **facts: Any) -> None:
    """Writes facts and rows, if there is a path."""
    if path is not None:
        write_json(path, {**facts, "rows": [asdict(row) for row in rows]})


def write_json(path: Path, fields: dict[str, Any]) -> None:
    """Writes the fields, and says so."""
    path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {path}", soft_wrap=True)
