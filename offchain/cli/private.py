"""`assay private`: orders whose model nobody sees but the client. Here: the app, `put`, `cancel`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options, private_run, private_show
from offchain.cli.amounts import parse_tokens
from offchain.cli.durations import parse_duration
from offchain.cli.output import console, errors, print_facts, print_json, tokens
from offchain.cli.private_run import Oid, open_party, open_system_of
from offchain.cli.proof_options import ProofTools, Reference
from offchain.cli.prove_inputs import read_circuit
from offchain.cli.session import load_settings, open_session, require_terminal, unlock
from offchain.errors import Rejected
from offchain.types import Wei

if TYPE_CHECKING:
    from offchain.proofs.chunks import SplitTestSet
    from offchain.proofs.system import CompiledVerifier
    from offchain.roles.private_client import PrivateClient, PrivateRequest, PrivateWindows

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Order a model that nobody else sees: providers prove their scores instead of showing their models, the best "
        "hands its model over encrypted to you, and a contract decides if it is not what was proven. "
        "docs/private-orders.md goes through it."
    ),
)

DATA, TERMS, TIMES = "Circuit and data", "Terms", "Times"


def _window(flag: str, text: str) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(flag, rich_help_panel=TIMES, help=text)
    return made


@app.command()
def put(
    circuit: Annotated[
        Path,
        typer.Option("--circuit", rich_help_panel=DATA, help="Description of a circuit (`assay prove train`)."),
    ],
    data: Annotated[
        Path, typer.Option("--data", rich_help_panel=DATA, help="Test samples: safetensors, inputs and labels.")
    ],
    reward: Annotated[str, typer.Option("--reward", rich_help_panel=TERMS, help="Reward in tokens, held in escrow.")],
    minimum: Annotated[
        float, typer.Option("--minimum", rich_help_panel=TERMS, min=0, max=1, help="Least share of right samples.")
    ],
    key: options.Key,
    train: Annotated[
        Path | None, typer.Option("--train", rich_help_panel=DATA, help="Samples to train on, published as they are.")
    ] = None,
    system: Annotated[
        str, typer.Option("--system", rich_help_panel=DATA, help="ultrahonk, or groth16 (needs a set-up).")
    ] = "ultrahonk",
    show_test: Annotated[
        bool,
        typer.Option(
            "--show-test",
            rich_help_panel=DATA,
            help="Let providers see the test set before they claim; scores then say little of other samples.",
        ),
    ] = False,
    title: Annotated[str, typer.Option("--title", help="What the order is called.")] = "",
    draws: Annotated[
        int | None, typer.Option("--draws", rich_help_panel=TERMS, min=1, max=64, help="Chunks that are proven; all.")
    ] = None,
    bond: Annotated[
        str | None, typer.Option("--bond", rich_help_panel=TERMS, help="Of a claim, in tokens; the protocol's.")
    ] = None,
    request_bond: Annotated[
        str, typer.Option("--request-bond", rich_help_panel=TERMS, help="Tokens you pay for each piece posted.")
    ] = "0.01",
    claims: Annotated[int, typer.Option("--claims", rich_help_panel=TERMS, min=1, max=32, help="Most claims.")] = 8,
    claim_seconds: Annotated[str, _window("--claim-seconds", "To train and claim.")] = "1h",
    release_seconds: Annotated[str, _window("--release-seconds", "For you to release the test set.")] = "30m",
    prove_seconds: Annotated[str, _window("--prove-seconds", "To prove the drawn chunks.")] = "1h",
    handover_seconds: Annotated[str, _window("--handover-seconds", "To hand the model over.")] = "30m",
    dispute_seconds: Annotated[str, _window("--dispute-seconds", "For you to look at it.")] = "1h",
    answer_seconds: Annotated[str, _window("--answer-seconds", "To post 256 pieces.")] = "30m",
    tools: ProofTools = None,
    reference: Reference = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Escrow a reward for a model by its proven score.

    Keep `assay private run` running with the same key: it releases the test
    set, opens the model, and shows faults before their window is over.
    """
    from offchain.roles.private_client import PrivateWindows

    times = [claim_seconds, release_seconds, prove_seconds, handover_seconds, dispute_seconds, answer_seconds]
    windows = PrivateWindows(*(parse_duration(text, "--*-seconds") for text in times))
    asked = parse_tokens(request_bond, "--request-bond")
    _require_claimable(windows, asked)
    made = read_circuit(circuit)
    parts = _read_chunks(data, made.samples)
    chunks = parts.chunks
    if not yes:
        require_terminal("your consent", "add --yes")
    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    with errors.status("making the verifier") as status:
        verifier = open_system_of(system, settings, tools, reference, status.update).verifier(made)
    session = open_session(settings, chain_id)
    account = unlock(settings, key)
    least = Wei(session.contracts.protocol_parameters().claim_bond)
    drawn = min(len(chunks), 64) if draws is None else draws
    if drawn > len(chunks):
        raise Rejected(f"--draws {drawn}: --data has {len(chunks)} chunks of {made.samples} samples")
    from offchain.roles.private_client import PrivateRequest

    request = PrivateRequest(
        title=title,
        circuit=made,
        system=system,
        verifier=verifier.registry_key,
        chunks=chunks,
        sealed=not show_test,
        reward=parse_tokens(reward, "--reward"),
        bond=least if bond is None else parse_tokens(bond, "--bond"),
        request_bond=asked,
        draws=drawn,
        minimum_correct=-int(-minimum * drawn * made.samples // 1),
        maximum_claims=claims,
        windows=windows,
        train=None if train is None else train.read_bytes(),
    )
    with open_party(session, account, "client") as context:
        from offchain.roles.private_client import PrivateClient

        client = PrivateClient(context, session.archive())
        _finish(client)
        if parts.left_over:
            errors.print(f"{parts.left_over} samples are left over and tested by nobody")
        if not as_json:
            _describe(request)
        if not yes and not typer.confirm("Put it?"):
            console.print("Nothing has been sent.")
            raise typer.Exit
        with _registered(client, verifier), errors.status("escrowing the reward"):
            oid = client.put(request)
    if as_json:
        print_json({"order_id": oid})
    else:
        console.print(
            f"Private order [bold]{oid}[/bold] is open. Keep [bold]assay private run {oid} --key {key}[/bold] running."
        )


@app.command()
def cancel(
    oid: Oid,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Take an order back, and the escrow with it, while nobody has claimed."""
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_client import PrivateClient

    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    with open_party(session, unlock(settings, key), "client") as context:
        client = PrivateClient(context, session.archive())
        client.desk.order(PrivateId(oid))
        client.cancel(PrivateId(oid))
    console.print(f"Private order {oid} is cancelled, its reward is back")


def _require_claimable(windows: "PrivateWindows", request_bond: Wei) -> None:
    """Raises Rejected for terms with which `assay private claim` would not claim."""
    from offchain.proofs.private_rules import LEAST_ANSWER_SECONDS, LEAST_REQUEST_BOND

    if windows.answer < LEAST_ANSWER_SECONDS:
        raise Rejected(f"--answer-seconds {windows.answer}: providers claim for {LEAST_ANSWER_SECONDS} or more only")
    if request_bond < LEAST_REQUEST_BOND:
        raise Rejected(f"--request-bond: providers claim for {tokens(LEAST_REQUEST_BOND)} tokens or more only")


def _finish(client: "PrivateClient") -> None:
    """Puts what was on its way when an earlier command died. Raises Rejected then: one order may be enough."""
    from offchain.chain.errors import ContractRejected

    finished = []
    for record in client.unfinished():
        try:
            finished.append(client.put_prepared(record))
        except ContractRejected as error:  # it must not keep its client from putting better ones
            errors.print(f"an earlier order is still refused, and left out: {error}", markup=False)
    if finished:
        numbers = ", ".join(str(oid) for oid in finished)
        raise Rejected(
            f"an earlier `put` had died on the way: its order {numbers} is put now; for another, run it again"
        )


def _describe(request: "PrivateRequest") -> None:
    tested = request.draws * request.circuit.samples
    facts = {
        "title": request.title,
        "test set": f"{len(request.chunks)} chunks of {request.circuit.samples}, {request.draws} of them drawn",
        "nobody sees it": "before claims are over" if request.sealed else "is not so: --show-test",
        "a model needs": f"{request.minimum_correct} of {tested} right",
        "reward": f"{tokens(request.reward)} tokens, held in escrow",
        "bond of a claim": f"{tokens(request.bond)} tokens",
    }
    print_facts(facts, title="The order", as_json=False)


@contextmanager
def _registered(client: "PrivateClient", verifier: "CompiledVerifier") -> Iterator[None]:
    """Deploys and registers the circuit's verifier where nobody has."""
    with errors.status("deploying the verifier"):
        client.desk.ensure_verifier(verifier)
    yield


def _read_chunks(path: Path, samples: int) -> "SplitTestSet":
    """The test set, shuffled by randomness of its own and cut."""
    import secrets

    from offchain.cli.prove_inputs import MAX_DATA_BYTES
    from offchain.data.dataset import Dataset
    from offchain.proofs.chunks import split

    with path.open("rb") as file:
        content = file.read(MAX_DATA_BYTES + 1)
    data = Dataset.from_bytes(content, max_bytes=MAX_DATA_BYTES, name=f"--data {path}")
    return split(data.inputs, data.labels, samples, secrets.token_bytes(32))


app.command("list")(private_show.list_orders)
app.command()(private_show.show)
app.command()(private_show.data)
app.command()(private_run.claim)
app.command()(private_run.run)
app.command("open")(private_run.open_model)
