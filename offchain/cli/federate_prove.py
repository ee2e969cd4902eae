"""Options of `assay federate` about proofs of accuracy: what a client asks for, and what proves."""

from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from offchain.cli.output import errors, print_facts
from offchain.cli.session import Session
from offchain.errors import Rejected

if TYPE_CHECKING:
    from offchain.chain.client import ChainClient
    from offchain.config import Settings
    from offchain.federated.accuracy_part import AccuracyPart
    from offchain.federated.terms import AccuracyTerms
    from offchain.proofs.system import ProofSystem
    from offchain.roles.federated_accuracy import AccuracyRequest, PreparedAccuracy
    from offchain.roles.federated_prover import Systems
    from offchain.storage.store import Store

PROOFS = "Proofs of accuracy"

Prove = Annotated[
    str | None,
    typer.Option(
        "--prove",
        metavar="DATA",
        rich_help_panel=PROOFS,
        help="Samples (a file, or sklearn:NAME:test) on which each participant proves in every round how accurate its "
        "model is: the best leads, and rewards go by it. All participants get these samples.",
    ),
]
Minimum = Annotated[
    float,
    typer.Option("--minimum", min=0, max=1, rich_help_panel=PROOFS, help="Part right, below which an update is out."),
]
Baseline = Annotated[
    float, typer.Option("--baseline", min=0, max=1, rich_help_panel=PROOFS, help="Part right above which is paid.")
]
Chunk = Annotated[
    int, typer.Option("--chunk", min=1, max=65_535, rich_help_panel=PROOFS, help="Samples that one proof is about.")
]
Draws = Annotated[
    int, typer.Option("--draws", min=1, max=64, rich_help_panel=PROOFS, help="Chunks that each proves in a round.")
]
ProveTime = Annotated[str, typer.Option("--prove-time", rich_help_panel=PROOFS, help="For the proofs of a round.")]
System = Annotated[str, typer.Option("--system", rich_help_panel=PROOFS, help="ultrahonk or groth16.")]


def systems_of(settings: "Settings") -> "Systems":
    """Opens each proof system once, when it is asked for; what it makes is kept below --home."""
    from offchain.cli.prove_inputs import ToolOptions, open_proof_system

    opened: dict[str, ProofSystem] = {}

    def open_once(name: str) -> "ProofSystem":
        if name not in opened:
            opened[name] = open_proof_system(name, settings, ToolOptions(None, None), errors.print)
        return opened[name]

    return open_once


def ask_for_proofs(
    settings: "Settings",
    client: "ChainClient",
    data: str,
    shares: tuple[float, float],
    cut: tuple[int, int],
    system: str,
) -> "AccuracyRequest":
    """What is to be proven. `shares`: minimum and baseline; `cut`: samples of a chunk, and draws. Raises Rejected."""
    from offchain.federated.local_data import load_local
    from offchain.proofs.prove import SYSTEMS
    from offchain.roles.federated_accuracy import AccuracyRequest

    if system not in SYSTEMS:
        raise Rejected(f"--system {system!r}: choose {' or '.join(SYSTEMS)}")
    if shares[0] <= shares[1]:
        raise Rejected(f"--minimum {shares[0]:g}: has to be above --baseline, for who is accepted is paid")
    return AccuracyRequest(
        test=load_local(data),
        systems=systems_of(settings),
        minimum=shares[0],
        baseline=shares[1],
        beacon=client.head().hash,
        samples=cut[0],
        draws=cut[1],
        system=cast(Literal["ultrahonk", "groth16"], system),
    )


def require_provable(session: Session, store: "Store", terms: "AccuracyTerms", part: "AccuracyPart") -> None:
    """Raises Rejected unless test chunks and verifier are what the chain says, and proofs can be made here."""
    from offchain.chain.proofs import Verifiers
    from offchain.roles.federated_prover import lay_ground

    ground = lay_ground(store, terms, part, systems_of(session.settings))
    Verifiers(session.contracts).require(terms.verifier, ground.verifier)


def show_proofs(prepared: "PreparedAccuracy", samples: int) -> None:
    """What participants will have to prove."""
    terms = prepared.terms
    facts = {
        "system": prepared.part.system + (" (INSECURE set-up: for tests only)" if prepared.verifier.insecure else ""),
        "verifier": f"0x{terms.verifier.hex()}",
        "test samples": f"{terms.chunks * samples} in {terms.chunks} chunks, {prepared.left_over} left over",
        "each proves": f"{terms.draws} of them a round, {terms.draws * samples} samples",
        "least right": terms.minimum_correct,
        "paid above": terms.baseline,
    }
    print_facts(facts, title="Proofs of accuracy", as_json=False)
