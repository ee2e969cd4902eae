"""`assay bench`: measurements, side by side in one run."""

from dataclasses import asdict
from typing import Annotated

import typer

from offchain.cli.bench_federated import federated
from offchain.cli.bench_files import JsonFile, write_json, write_rows
from offchain.cli.bench_proofs import proofs
from offchain.cli.output import console, errors, print_facts, rows_table

app = typer.Typer(no_args_is_help=True, help="Measure the hot paths; every table says what it was measured with.")


@app.command()
def evaluation(
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="CPU threads; torch's choice if none.")
    ] = None,
    repetitions: Annotated[int, typer.Option("--repetitions", min=1, help="The median of so many is shown.")] = 7,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random weights and samples.")] = 0,
    scale: Annotated[float, typer.Option("--scale", min=0.001, help="Multiplies the numbers of samples.")] = 1.0,
    profile: Annotated[bool, typer.Option("--profile", help="Also show where the time goes, on one thread.")] = False,
    json_file: JsonFile = None,
) -> None:
    """Integer evaluation beside the same network in float32 torch."""
    from offchain.bench import evaluation as bench

    rows, measured_with = bench.run(threads, repetitions, seed, scale), bench.facts(seed)
    shown = {name: " ".join(value) if isinstance(value, list) else value for name, value in measured_with.items()}
    print_facts(shown, title="Measured with", as_json=False)
    console.print(rows_table([asdict(row) for row in rows], "\nInteger evaluation beside float32 torch"))
    shares = bench.profile(seed) if profile else []
    if shares:
        console.print(rows_table([asdict(share) for share in shares], "\nWhere the time goes"))
    write_rows(json_file, rows, **measured_with, profile=[asdict(share) for share in shares])


@app.command()
def chain(
    transactions: Annotated[int, typer.Option("--transactions", min=10, help="Transfers in each way.")] = 600,
    keys: Annotated[int, typer.Option("--keys", min=1, max=16, help="Keys that the sender uses at once.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """Transactions a second through Anvil: the sender beside send-and-wait."""
    from offchain.bench.chain import run, table

    rows = run(transactions, keys)
    console.print(table(rows), soft_wrap=True)
    write_rows(json_file, rows)


@app.command()
def gas(json_file: JsonFile = None) -> None:
    """Gas of every action, beside the snapshot in the repository and the paper's; needs the project's directory."""
    from offchain.bench import gas_multisig
    from offchain.bench.gas import run, table

    measured, rows = run()
    console.print(table(measured, rows))
    committees = gas_multisig.committee_rows(measured.actions)
    accounts = gas_multisig.account_rows(measured.actions)
    if committees:
        console.print(gas_multisig.committee_table(committees))
    if accounts:
        console.print(gas_multisig.account_table(accounts))
    write_rows(
        json_file,
        rows,
        **asdict(measured.setting),
        sizes=dict(measured.sizes),
        multisig=[asdict(row) for row in committees],
        per_account=[asdict(row) for row in accounts],
    )


@app.command()
def dispute(
    samples: Annotated[str, typer.Option("--samples", help="Sizes of test sets, with commas.")] = "1000,10000,100000",
    networks: Annotated[str | None, typer.Option("--networks", help="Names with commas; all if none.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of weights, samples and the lie's place.")] = 0,
    json_file: JsonFile = None,
) -> None:
    """Gas and calldata of whole disputes through Anvil, by move, and the challenger's CPU time."""
    from offchain.bench import dispute as bench

    rows = bench.run(bench.parse_samples(samples), bench.parse_networks(networks), seed)
    measured_with = bench.facts(seed)
    print_facts(measured_with, title="Measured with", as_json=False)
    console.print(bench.table(rows))
    console.print(bench.move_table(rows))
    write_rows(json_file, rows, **measured_with)


@app.command()
def ledger(
    parts: Annotated[
        str | None, typer.Option("--part", help="sync, emulated, throughput, failover, with commas; all if none.")
    ] = None,
    sizes: Annotated[str, typer.Option("--sizes", help="Replicas of `sync`, with commas.")] = "10,30,100",
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Of `sync`; the median counts.")] = 3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of latencies, requests and accounts.")] = 0,
    no_journal: Annotated[
        bool, typer.Option("--no-journal", help="In `sync` replicas keep nothing on disk, as the paper's code does.")
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """The aggregators' ledger: synchronisation, an emulated network, throughput, a killed primary; some minutes."""
    from offchain.bench import ledger as bench

    options = bench.Options(bench.parse_parts(parts), bench.parse_sizes(sizes), rounds, seed, not no_journal)
    measured_with = bench.facts(options)
    print_facts(measured_with, title="Measured with", as_json=False)
    results = bench.run(options, console.print)
    if json_file is not None:
        write_json(json_file, {**measured_with, **bench.as_json(results)})


@app.command()
def explorer(
    orders: Annotated[int, typer.Option("--orders", min=2, help="How many the chain has.")] = 10_000,
    events: Annotated[int, typer.Option("--events", min=100, help="In about so many events.")] = 500_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the network and the test set in the orders.")] = 0,
    json_file: JsonFile = None,
) -> None:
    """The explorer's index on a chain with many events: catching up beside the plain loop, and reading."""
    from offchain.bench import explorer as bench

    measured_with = bench.facts(seed)
    print_facts(measured_with, title="Measured with", as_json=False)
    measured = bench.run(orders, events, seed, errors.print)
    console.print(bench.table(measured))
    console.print(bench.read_table(measured))
    if json_file is not None:
        write_json(json_file, {**measured_with, **asdict(measured)})


app.command()(federated)
app.command()(proofs)
