"""`assay bench`: measurements, side by side in one run."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

app = typer.Typer(no_args_is_help=True, help="Measure the hot paths; every table says what it was measured with.")

JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file.")]


@app.command()
def chain(
    transactions: Annotated[int, typer.Option("--transactions", min=10)] = 600,
    keys: Annotated[int, typer.Option("--keys", min=1, max=16)] = 3,
    json_file: JsonFile = None,
) -> None:
    """Transactions a second through Anvil: the sender beside send-and-wait."""
    from offchain.bench.chain import run, table

    rows = run(transactions, keys)
    console.print(table(rows))
    _write(json_file, rows)


@app.command()
def evaluation(
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="CPU threads; torch's number if not given.")
    ] = None,
    repetitions: Annotated[int, typer.Option("--repetitions", min=1)] = 7,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    scale: Annotated[float, typer.Option("--scale", min=0.001, help="Multiplies the numbers of samples.")] = 1.0,
    json_file: JsonFile = None,
) -> None:
    """Integer evaluation beside the same network in float32 torch."""
    from offchain.bench.evaluation import facts, run, table

    rows, measured_with = run(threads, repetitions, seed, scale), facts(seed)
    console.print(measured_with)
    console.print(table(rows))
    _write(json_file, rows, **measured_with)


def _write(path: Path | None, rows: "Sequence[DataclassInstance]", **facts: Any) -> None:
    if path is not None:
        path.write_text(json.dumps({**facts, "rows": [asdict(row) for row in rows]}, indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {path}")
