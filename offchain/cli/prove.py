"""`assay prove` and `assay verify-proof`: proofs of a model's accuracy that show nothing else of the model."""

from pathlib import Path
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.files import require_writable_file
from offchain.cli.output import console, errors, print_facts, print_json
from offchain.cli.proof_options import TOOLS, ProofTools, Reference
from offchain.cli.prove_inputs import (
    BindingOptions,
    ChunkOptions,
    ToolOptions,
    binding_of,
    open_proof_system,
    read_chunk,
    read_circuit,
    read_model,
    read_salt,
)
from offchain.cli.session import load_settings

app = typer.Typer(no_args_is_help=True, help="Prove how accurate a model is, and show nothing else of it.")

PROOF, STATEMENT = "What is proven", "For whom"

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Directory with a model (see `assay get`).")]
Samples = Annotated[int, typer.Option("--samples", min=1, max=65_535, rich_help_panel=PROOF, help="In a chunk.")]
System = Annotated[
    str, typer.Option("--system", rich_help_panel=TOOLS, help="ultrahonk, or groth16 (256 bytes, own set-up).")
]
CircuitFile = Annotated[
    Path | None,
    typer.Option(
        "--circuit",
        rich_help_panel=PROOF,
        help="Description of the circuit, such as an order's, instead of the one that this model needs at least.",
    ),
]


@app.command()
def accuracy(
    model: Model,
    data: Annotated[
        Path, typer.Option("--data", rich_help_panel=PROOF, help="Test samples: safetensors, inputs and labels.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write the proof to.")] = Path("proof.json"),
    chunk: Annotated[
        int | None,
        typer.Option("--chunk", min=0, rich_help_panel=PROOF, help="Which chunk of --data; without it, all of it."),
    ] = None,
    samples: Samples = 64,
    beacon: Annotated[
        str | None,
        typer.Option("--beacon", rich_help_panel=PROOF, help="With --chunk: 32 bytes that --data is shuffled by."),
    ] = None,
    salt: Annotated[
        Path | None,
        typer.Option("--salt", rich_help_panel=PROOF, help=r"The commitment's secret; made if missing. \[MODEL/salt]"),
    ] = None,
    prover: Annotated[
        str | None, typer.Option("--prover", rich_help_panel=STATEMENT, help="The binding itself, a number.")
    ] = None,
    round_id: Annotated[
        str | None, typer.Option("--round", rich_help_panel=STATEMENT, help="Or a round of AccuracyProofs, 32 bytes.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", rich_help_panel=STATEMENT, help="With --round: whose proof it is.")
    ] = None,
    circuit_file: CircuitFile = None,
    system: System = "ultrahonk",
    tools: ProofTools = None,
    reference: Reference = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Prove how many samples of a chunk a model gets right."""
    require_writable_file(out, "--out")
    settings = load_settings(home=home, rpc=rpc)
    network = read_model(model)
    named = None if circuit_file is None else read_circuit(circuit_file, network)
    part = read_chunk(ChunkOptions(data, chunk, samples if named is None else named.samples, beacon))
    bound = binding_of(settings, BindingOptions(prover, round_id, account, chain_id))
    from offchain.proofs.circuit import Circuit
    from offchain.proofs.proof_file import encode_proof
    from offchain.proofs.prove import prove_accuracy
    from offchain.proofs.statement import chunk_elements

    circuit = named or Circuit.of(network, len(part))
    chunk_elements(circuit, part)  # refuses what does not fit, before a salt is made
    with errors.status("proving") as status:
        chosen = open_proof_system(system, settings, ToolOptions(tools, reference), status.update)
        secret = read_salt(salt or model / "salt")
        proof = prove_accuracy(network, part, bound, secret, chosen, circuit=circuit)
    out.write_bytes(encode_proof(circuit, proof))
    said = proof.statement
    facts = {
        "correct": said.correct,
        "samples": circuit.samples,
        "model_hash": f"0x{said.model_hash:064x}",
        "chunk_hash": f"0x{said.chunk_hash:064x}",
        "prover": f"0x{said.prover:064x}",
        "circuit_hash": circuit.circuit_hash,
        "proof_bytes": len(proof.data),
        "file": str(out),
    }
    print_facts(facts, title="Proven, and verified", as_json=as_json)


@app.command()
def circuit(
    model: Model,
    samples: Samples = 64,
    circuit_file: CircuitFile = None,
    system: System = "ultrahonk",
    solidity: Annotated[
        Path | None, typer.Option("--solidity", help="Also write the verifier's source to this file.")
    ] = None,
    description: Annotated[
        Path | None, typer.Option("--description", help="Also write the circuit's description to this file.")
    ] = None,
    tools: ProofTools = None,
    reference: Reference = None,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Show the circuit of a model, and the verifier that a round would name.

    Needs the model's shape, not its weights: anyone with a model of this
    shape gets the same key, and so the same code on chain.
    """
    for flag, path in (("--solidity", solidity), ("--description", description)):
        if path is not None:
            require_writable_file(path, flag)
    from offchain.proofs.circuit import Circuit

    settings = load_settings(home=home)
    network = read_model(model)
    made = Circuit.of(network, samples) if circuit_file is None else read_circuit(circuit_file, network)
    with errors.status("making the verifier") as status:
        chosen = open_proof_system(system, settings, ToolOptions(tools, reference), status.update)
        verifier, size = chosen.verifier(made), chosen.size(made)
    if solidity is not None:
        solidity.write_text(verifier.source, encoding="utf-8")
    if description is not None:
        description.write_bytes(made.description())
    facts = {
        "circuit_hash": made.circuit_hash,
        "registry_key": verifier.registry_key,
        "code_hash": verifier.code_hash,
        "system": system,
        "samples": made.samples,
        "shift": made.shift,
        "size": size,
        "code_bytes": len(verifier.runtime),
        "insecure": verifier.insecure,
    }
    print_facts(facts, title="The circuit", as_json=as_json)
    if verifier.insecure and not as_json:
        console.print(
            "[yellow]INSECURE[/yellow]: made with a set-up whose secret is known; for development chains only."
        )


def verify_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof (see `assay prove accuracy`).")],
    tools: ProofTools = None,
    reference: Reference = None,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Check a proof of accuracy by the code that the chain would run.

    It says what is proven of which hashes; whether they are those of a round
    is for you to compare.
    """
    from offchain.errors import Rejected
    from offchain.proofs.proof_file import MAX_FILE_BYTES, decode_proof

    with file.open("rb") as opened:
        made, proof = decode_proof(opened.read(MAX_FILE_BYTES + 1), str(file))
    with errors.status("verifying") as status:
        settings = load_settings(home=home)
        chosen = open_proof_system(proof.system, settings, ToolOptions(tools, reference), status.update)
        holds, verifier = chosen.verify(made, proof), chosen.verifier(made)
    if not holds:
        raise Rejected(f"{file}: INVALID, the proof does not hold for what it says")
    said = proof.statement
    facts = {
        "valid": True,
        "system": proof.system,
        "correct": said.correct,
        "samples": made.samples,
        "model_hash": f"0x{said.model_hash:064x}",
        "chunk_hash": f"0x{said.chunk_hash:064x}",
        "prover": f"0x{said.prover:064x}",
        "circuit_hash": made.circuit_hash,
        "registry_key": verifier.registry_key,
        "insecure": verifier.insecure,
    }
    if as_json:
        print_json(facts)
        return
    print_facts(facts, title=f"Valid: at least {said.correct} of {made.samples} right", as_json=False)
    if verifier.insecure:
        console.print(
            "[yellow]INSECURE[/yellow]: by a set-up whose secret is known, with which anyone proves anything. It shows "
            "something only to who saw it made."
        )
