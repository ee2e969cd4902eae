"""`assay bench federated`: the aggregation rules, what they cost and what they withstand."""

from pathlib import Path
from typing import Annotated

import typer

from offchain.cli.bench_files import JsonFile, write_rows
from offchain.cli.output import console, print_facts
from offchain.errors import Rejected


def federated(
    speed: Annotated[bool, typer.Option("--speed", help="Time and memory of every rule beside Flower's.")] = False,
    privacy: Annotated[bool, typer.Option("--privacy", help="What differential privacy costs in accuracy.")] = False,
    secure: Annotated[bool, typer.Option("--secure", help="What secure aggregation costs beside plain.")] = False,
    homomorphic: Annotated[
        bool, typer.Option("--homomorphic", help="Plain, masking and homomorphic sums beside each other and training.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Little of everything.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all data; the first seed without --speed.")] = 0,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many, without --speed.")] = 3,
    attacks: Annotated[str | None, typer.Option("--attack", help="Names with commas; all if none.")] = None,
    rules: Annotated[str | None, typer.Option("--rule", help="Names with commas; all if none.")] = None,
    hostile: Annotated[str, typer.Option("--hostile", help="Percent of participants, with commas.")] = "20,30",
    json_file: JsonFile = None,
) -> None:
    """What the rules withstand, every attack against every rule; with --speed, what they cost beside Flower's."""
    if speed + privacy + secure + homomorphic > 1:
        raise typer.BadParameter("--speed, --privacy, --secure and --homomorphic are four benchmarks; give one of them")
    if speed:
        _speed(quick, seed, json_file)
    elif privacy:
        _privacy(quick, seed, seeds, json_file)
    elif secure:
        _secure(quick, seed, json_file)
    elif homomorphic:
        _homomorphic(quick, seed, json_file)
    else:
        _matrix(quick, range(seed, seed + seeds), attacks, rules, hostile, json_file)


def _matrix(
    quick: bool, seeds: range, attacks: str | None, rules: str | None, hostile: str, json_file: Path | None
) -> None:
    from dataclasses import asdict, replace

    from offchain.bench import federated as bench
    from offchain.bench import federated_tables as tables

    shares = _percents(hostile)
    options = bench.QUICK if quick else replace(bench.Options(), seeds=tuple(seeds), hostile=shares)
    options = replace(options, attacks=_names(attacks) or options.attacks, rules=_names(rules) or options.rules)
    measured_with = bench.facts(options)
    print_facts(measured_with, title="Measured with", as_json=False)
    clean = bench.baseline(options)
    console.print(f"accuracy, {clean.centralised:.1f} % centralised, {clean.federated:.1f} % FedAvg without an attack")
    rows = bench.run(options, clean, lambda row: console.print(tables.line(row), soft_wrap=True))
    for share in options.hostile:
        console.print(tables.matrix(rows, share), soft_wrap=True)
    console.print(tables.best(rows), soft_wrap=True)
    write_rows(json_file, rows, **measured_with, **asdict(clean))


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def _percents(text: str) -> tuple[int, ...]:
    found = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) < 50 for part in found):
        raise Rejected(f"--hostile {text!r}: give percents from 1 to 49, with commas")
    return tuple(int(part) for part in found)


def _speed(quick: bool, seed: int, json_file: Path | None) -> None:
    """Installs Flower into an environment of its own under .build/."""
    from dataclasses import replace

    from offchain.bench import federated_speed as bench

    options = replace(bench.QUICK if quick else bench.Options(), seed=seed)
    measured_with = bench.facts(options)
    print_facts(measured_with, title="Measured with", as_json=False)
    rows = bench.run(options, lambda line: console.print(line, soft_wrap=True))
    console.print(bench.table(rows), soft_wrap=True)
    write_rows(json_file, rows, **measured_with)


def _secure(quick: bool, seed: int, json_file: Path | None) -> None:
    """A minute on one core."""
    from dataclasses import replace

    from offchain.bench import federated_secure as bench

    options = replace(bench.QUICK if quick else bench.Options(), seed=seed)
    measured_with = bench.facts(options)
    print_facts(measured_with, title="Measured with", as_json=False)
    rows = bench.run(options, lambda row: console.print(bench.line(row), soft_wrap=True))
    console.print(bench.cpu_table(rows), soft_wrap=True)
    console.print(bench.bytes_table(rows), soft_wrap=True)
    write_rows(json_file, rows, **measured_with)


def _homomorphic(quick: bool, seed: int, json_file: Path | None) -> None:
    """Three minutes on one core."""
    from dataclasses import replace

    from offchain.bench import federated_homomorphic as bench

    options = replace(bench.QUICK if quick else bench.Options(), seed=seed)
    measured_with = bench.facts(options)
    print_facts(measured_with, title="Measured with", as_json=False)
    rows = bench.run(options, lambda row: console.print(bench.line(row), soft_wrap=True))
    console.print(bench.table(rows), soft_wrap=True)
    write_rows(json_file, rows, **measured_with)


def _privacy(quick: bool, seed: int, seeds: int, json_file: Path | None) -> None:
    """A quarter of an hour on one core; --quick is breast cancer at twelve participants."""
    from offchain.bench import federated_privacy as bench
    from offchain.bench.federated_privacy_sets import NAMES

    measured_with = bench.facts(seeds=seeds)
    print_facts(measured_with, title="Measured with", as_json=False)
    names, participants = (("breast_cancer",), (12,)) if quick else (NAMES, bench.PARTICIPANTS)
    rows = bench.run(
        names=names,
        participants=participants,
        seeds=seeds,
        first_seed=seed,
        tell=lambda row: console.print(bench.line(row), soft_wrap=True),
    )
    write_rows(json_file, rows, **measured_with)
