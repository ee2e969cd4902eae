"""`assay bench federated`: the aggregation rules, what they cost and what they withstand."""

from typing import Annotated

import typer

from offchain.cli.bench_files import JsonFile, write_rows
from offchain.cli.output import console, print_facts
from offchain.errors import Rejected


def federated(
    speed: Annotated[bool, typer.Option("--speed", help="Time and memory of every rule beside Flower's.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes only.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all data.")] = 0,
    json_file: JsonFile = None,
) -> None:
    """Aggregation beside Flower's (--speed); installs Flower into an environment of its own under .build/."""
    if not speed:
        raise Rejected("bench federated: say what to measure, --speed")
    from dataclasses import replace

    from offchain.bench import federated_speed as bench

    options = replace(bench.QUICK if quick else bench.Options(), seed=seed)
    measured_with = bench.facts(options)
    print_facts(measured_with, title="Measured with", as_json=False)
    rows = bench.run(options, lambda line: console.print(line, soft_wrap=True))
    console.print(bench.table(rows), soft_wrap=True)
    write_rows(json_file, rows, **measured_with)
