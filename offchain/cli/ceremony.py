"""`assay ceremony`: trusted set-ups for Groth16 that are to be trusted if one contributor is honest."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.output import errors, print_facts
from offchain.cli.session import load_settings
from offchain.errors import Rejected

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Set up Groth16 keys together: powers for all circuits first, then a key for each circuit. "
        "A key is good if one contributor of each was honest and forgot its secret."
    ),
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A ceremony's folder, as its last contributor left it.")]
To = Annotated[Path, typer.Option("--to", help="Folder to write, which must be new.")]
PowersFolder = Annotated[Path | None, typer.Option("--powers", help="For a circuit: the folder of finished powers.")]


@app.command()
def new(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write, which must be new.")],
    size: Annotated[
        int | None, typer.Option("--size", help="Powers for circuits of up to 2^SIZE constraints.", min=1, max=22)
    ] = None,
    circuit: Annotated[
        Path | None, typer.Option("--circuit", help="A circuit's description (`assay prove circuit --description`).")
    ] = None,
    powers: PowersFolder = None,
    as_json: options.Json = False,
) -> None:
    """Begin with powers (--size), or with a circuit's key (--circuit, --powers)."""
    from offchain.proofs.circuit import MAX_DESCRIPTION_BYTES, parse_circuit
    from offchain.proofs.groth16 import ceremony

    if (size is None) == (circuit is None) or (circuit is None) != (powers is None):
        raise Rejected("give --size for powers, or --circuit and --powers for a circuit's key")
    if size is not None:
        ceremony.new_powers(to, 1 << size)
    elif circuit is not None and powers is not None:
        if circuit.stat().st_size > MAX_DESCRIPTION_BYTES:
            raise Rejected(f"{circuit}: not a circuit's description; make one with `assay prove circuit --description`")
        with errors.status("starting") as status:
            made = parse_circuit(circuit.read_bytes())
            ceremony.new_circuit(to, made, powers, secrets.randbelow, status.update)
    print_facts({"folder": str(to), "state": ceremony.read(to).state().hex()}, title="Begun", as_json=as_json)


@app.command()
def contribute(
    folder: Folder,
    to: To,
    name: Annotated[str, typer.Option("--name", help="Who contributes; public.")],
    as_json: options.Json = False,
) -> None:
    """Multiply a secret of your own into it. Note the state, and look for it in the finished transcript."""
    from offchain.proofs.groth16 import ceremony

    with errors.status("contributing"):
        state = ceremony.contribute(folder, to, name, secrets.randbelow)
    print_facts({"folder": str(to), "name": name, "state": state}, title="Contributed", as_json=as_json)


@app.command()
def finish(
    folder: Folder,
    to: To,
    beacon: Annotated[
        str, typer.Option("--beacon", help="16 to 64 bytes in hex that nobody knew before the last contribution.")
    ],
    as_json: options.Json = False,
) -> None:
    """End it with a public value, such as the hash of a block announced beforehand."""
    from offchain.proofs.groth16 import ceremony

    try:
        value = bytes.fromhex(beacon.removeprefix("0x"))
    except ValueError:
        raise Rejected(f"--beacon {beacon[:80]!r}: not hex; give 16 to 64 bytes, such as a block's hash") from None
    with errors.status("finishing"):
        state = ceremony.finish(folder, to, value)
    print_facts({"folder": str(to), "state": state}, title="Finished", as_json=as_json)


@app.command()
def verify(
    folder: Folder,
    powers: PowersFolder = None,
    install: Annotated[
        bool, typer.Option("--install", help="Use the circuit's key for proofs from now on, once it is verified.")
    ] = False,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Check a ceremony from its beginning; compare names, states and the beacon with what you know."""
    from offchain.proofs.groth16 import ceremony
    from offchain.proofs.groth16.system import open_groth16

    ceremony.read(folder)  # refuses what is no ceremony's folder
    with errors.status("checking") as status:
        if not ceremony.is_circuit(folder):
            if install:
                raise Rejected("powers are not installed; give the folder of a circuit's key")
            report = ceremony.check_powers(folder, secrets.randbelow)[1]
        else:
            if powers is None:
                raise Rejected("a circuit's key follows from powers; give --powers, the folder of phase 1")
            key, report = ceremony.check_circuit(folder, powers, secrets.randbelow, status.update)
            if install and (not report.is_usable or report.circuit is None):
                raise Rejected("nobody has contributed, or it is not finished; contribute and finish it first")
            if install and report.circuit is not None:
                open_groth16(load_settings(home=home).proofs).install_key(report.circuit, key)
    facts = {
        "contributors": ", ".join(report.contributors) or "nobody",
        "finished": report.is_finished,
        "circuit_hash": report.circuit.circuit_hash if report.circuit else None,
        "state": report.state,
        "installed": install,
    }
    print_facts(facts, title="Verified", as_json=as_json)
