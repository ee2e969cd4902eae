"""`assay private claim`, `run` and `open`: what providers and clients of private orders do."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.files import require_folder
from offchain.cli.output import console, errors, print_facts, print_json_line
from offchain.cli.proof_options import ProofTools, Reference
from offchain.cli.session import Session, load_settings, open_session, unlock
from offchain.errors import Retryable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from offchain.config import Settings
    from offchain.proofs.system import ProofSystem
    from offchain.roles.context import RoleContext
    from offchain.roles.private_client import PrivateClient
    from offchain.roles.private_provider import PrivateProvider

POLL_SECONDS = 2.0
STORE_SECONDS = 120.0
"""How long one download may take: a model that cannot be had must be asked for while there is time."""

Oid = Annotated[int, typer.Argument(metavar="OID", help="The order's number (see `assay private list`).", min=1)]


def claim(
    oid: Oid,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Directory with a model (see `assay get`).")],
    key: options.Key,
    tools: ProofTools = None,
    reference: Reference = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Claim an order with a model: its hash goes on chain, and a bond.

    The order is checked first: circuit, verifier, test set. The model and the
    secrets stay here; keep `assay private run` running, or the bond is lost.
    """
    from offchain.cli.prove_inputs import read_model
    from offchain.proofs.private_order import PrivateId

    network = read_model(model)
    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    with open_party(session, unlock(settings, key), "provider") as context, errors.status("checking the order"):
        provider = _provider(session, context, PrivateId(oid), tools, reference)
        record = provider.claim(PrivateId(oid), network)
    facts = {"order": oid, "model_hash": f"0x{record.model_hash:064x}"}
    print_facts(facts, title="Claimed", as_json=as_json)


def run(
    oid: Oid,
    key: options.Key,
    once: Annotated[bool, typer.Option("--once", help="One step, then end.")] = False,
    tools: ProofTools = None,
    reference: Reference = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """See an order to its end, as its client or as a provider that has claimed.

    The client releases the test set, opens what is handed over, asks for what
    it cannot get, and shows faults. A provider proves, hands over, and posts
    pieces. Killed, it goes on where it was.
    """
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_client import PrivateClient

    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    account = unlock(settings, key)
    number = PrivateId(oid)
    role = "client" if _client_of(session, number) == account.address else "provider"
    with open_party(session, account, role) as context:
        party: PrivateClient | PrivateProvider
        if role == "client":
            party = PrivateClient(context, session.archive())
        else:
            party = _provider(session, context, number, tools, reference)
        _until_closed(party, oid, once=once, as_json=as_json)


def open_model(
    oid: Oid,
    key: options.Key,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=r"Directory to write to. \[private-OID]")] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Decrypt the model of your order, check it against the commitment, score it again, and write it."""
    from offchain.model.export import write_files
    from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, encode_graph, encode_weights
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_client import PrivateClient

    folder = out or Path(f"private-{oid}")
    require_folder(folder, "--out")
    settings = load_settings(home=home, rpc=rpc, store=store, password_file=password_file)
    session = open_session(settings, chain_id)
    with open_party(session, unlock(settings, key), "client") as context, errors.status("opening"):
        opened = PrivateClient(context, session.archive()).open(PrivateId(oid))
    network = opened.network
    written = write_files({GRAPH_FILE: encode_graph(network), WEIGHTS_FILE: encode_weights(network)}, folder)
    facts = {"correct": opened.correct, "proven": opened.proven, "files": ", ".join(str(path) for path in written)}
    print_facts(facts, title="This is the model that was proven", as_json=as_json)


@contextmanager
def open_party(session: Session, account: "LocalAccount", role: str) -> Iterator["RoleContext"]:
    """What a party of private orders needs; its journal is apart from that of ordinary orders."""
    from offchain.roles.context import RoleContext

    with (
        session.store(seconds=STORE_SECONDS) as store,
        session.journal(f"private-{role}", account.address) as records,
        closing(session.sender(account)) as sender,
    ):
        yield RoleContext(session.client, session.contracts, sender, store, records)


def open_system_of(
    name: str, settings: "Settings", tools: Path | None, reference: Path | None, progress: Callable[[str], None]
) -> "ProofSystem":
    """See `open_proof_system`."""
    from offchain.cli.prove_inputs import ToolOptions, open_proof_system

    return open_proof_system(name, settings, ToolOptions(tools, reference), progress)


def _provider(
    session: Session, context: "RoleContext", oid: int, tools: Path | None, reference: Path | None
) -> "PrivateProvider":
    """A provider with the proof system that the order asks for."""
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_desk import PrivateDesk
    from offchain.roles.private_provider import PrivateProvider

    archive = session.archive()
    wanted = PrivateDesk(context, archive).order(PrivateId(oid)).manifest.system
    system = open_system_of(wanted, session.settings, tools, reference, lambda line: errors.print(line))
    return PrivateProvider(context, archive, system)


def _client_of(session: Session, oid: int) -> str:
    from offchain.chain.private_orders import PrivateOrders
    from offchain.proofs.private_order import PrivateId

    orders = PrivateOrders(session.contracts)
    orders.require(PrivateId(oid))
    return orders.state(PrivateId(oid)).client


def _until_closed(party: "PrivateClient | PrivateProvider", oid: int, *, once: bool, as_json: bool) -> None:
    """Steps until the order is closed; says what is new."""
    from offchain.proofs.private_order import PrivateId

    last = ""
    while True:
        try:
            said = party.step(PrivateId(oid))
        except Retryable as error:
            if once:
                raise
            said = f"later: {error}"
        if said != last and as_json:
            print_json_line({"order": oid, "says": said})
        elif said != last:
            console.print(said, markup=False)
        last = said
        if once or said.startswith("closed"):
            return
        time.sleep(POLL_SECONDS)
