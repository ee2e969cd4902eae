"""`assay bench proofs`."""

from pathlib import Path
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.bench_files import JsonFile, write_rows
from offchain.cli.output import console, errors, print_facts, rows_table
from offchain.cli.session import load_settings


def proofs(
    large: Annotated[
        bool, typer.Option("--large", help="Also models of up to 100,000 weights; compiling takes minutes.")
    ] = False,
    cases: Annotated[
        str | None, typer.Option("--cases", help="Only models whose name holds one of these, with commas.")
    ] = None,
    systems: Annotated[str, typer.Option("--systems", help="Proof systems, with commas.")] = "ultrahonk,groth16",
    repetitions: Annotated[int, typer.Option("--repetitions", min=1, help="Proofs of which the median counts.")] = 3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of training and of the split.")] = 0,
    cache: Annotated[
        Path | None, typer.Option("--cache", help=r"Directory of compiled circuits and keys. \[proofs in --home]")
    ] = None,
    home: options.Home = None,
    json_file: JsonFile = None,
) -> None:
    """Proofs of accuracy in both proof systems: time, memory, bytes, gas; beside the papers'."""
    from offchain.bench import proofs as bench
    from offchain.bench import proofs_tables as tables
    from offchain.bench.proofs_models import chosen_cases

    settings = load_settings(home=home)
    names = tuple(name.strip() for name in systems.split(","))
    chosen = bench.Options(
        chosen_cases(large, cases), names, repetitions, seed, cache or settings.proofs, settings.proof_tools
    )
    measured_with = bench.facts(chosen)
    print_facts(measured_with, title="Measured with", as_json=False)
    rows = []
    for row in bench.run(chosen, errors.print):
        errors.print(tables.line(row))
        rows.append(row)
    console.print(rows_table([tables.proving(row) for row in rows], "\nProving"))
    console.print(rows_table([tables.verifying(row) for row in rows], "\nProofs, in the same order"))
    console.print(rows_table(tables.PAPERS, "\nThe papers' figures"))
    write_rows(json_file, rows, **measured_with)
