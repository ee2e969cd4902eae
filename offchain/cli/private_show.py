"""`assay private list`, `show` and `data`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
from offchain.cli.files import require_folder
from offchain.cli.output import console, print_facts, print_json, print_rows, rows_table
from offchain.cli.private_run import Oid
from offchain.cli.session import Session, key_names, load_settings, open_session

if TYPE_CHECKING:
    from offchain.storage.store import Store


def list_orders(
    limit: Annotated[int, typer.Option("--limit", "-n", help="The latest so many.", min=1)] = 20,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """List private orders, the latest first."""
    from offchain.chain.private_orders import PrivateOrders
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_summary import row

    session = open_session(load_settings(home=home, rpc=rpc), chain_id)
    orders = PrivateOrders(session.contracts)
    count = orders.count()
    numbers = [PrivateId(number) for number in range(count, max(count - limit, 0), -1)]
    rows = [row(number, orders.terms(number), orders.state(number)) for number in numbers]
    print_rows(rows, title="Private orders", as_json=as_json, empty="there are none yet")


def show(
    oid: Oid,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show a private order: phase and countdown, terms, who has claimed and what they have proven."""
    settings = load_settings(home=home, rpc=rpc, store=store)
    session = open_session(settings, chain_id)
    with session.store() as place:
        found, seconds = _facts(session, place, oid)
    if as_json:
        print_json({**found, "ends_in_seconds": seconds})
        return
    names = key_names(settings)
    providers = [{**one, "provider": names.get(one["provider"], one["provider"])} for one in found.pop("providers")]
    if seconds is not None:
        found["phase"] += f", for {countdown(seconds)}"
    print_facts(found, title=f"Private order {oid}", as_json=False)
    if providers:
        console.print(rows_table(providers, "Providers"))


def data(
    oid: Oid,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=r"Directory to write to. \[order-OID]")] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    store: options.Store = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Write what a provider needs to train: the circuit, and the client's training data if there is any."""
    from offchain.chain.private_orders import PrivateOrders
    from offchain.cli.prove_inputs import MAX_DATA_BYTES
    from offchain.cli.prove_train import CIRCUIT_FILE, TRAIN_FILE
    from offchain.data.dataset import Dataset
    from offchain.model.export import write_files
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_desk import read_order

    folder = out or Path(f"order-{oid}")
    require_folder(folder, "--out")
    session = open_session(load_settings(home=home, rpc=rpc, store=store), chain_id)
    with session.store() as place:
        manifest = read_order(PrivateOrders(session.contracts), place, PrivateId(oid)).manifest
        files = {CIRCUIT_FILE: manifest.circuit.description()}
        if manifest.train is not None:
            content = place.read(manifest.train, max_bytes=MAX_DATA_BYTES)
            shape = manifest.circuit.input_shape
            Dataset.from_bytes(content, max_bytes=MAX_DATA_BYTES, shape=shape, name=f"training data of order {oid}")
            files[TRAIN_FILE] = content
    written = write_files(files, folder)
    print_facts({"files": ", ".join(map(str, written))}, title=f"Private order {oid}", as_json=as_json)


def _facts(session: Session, place: "Store", oid: int) -> tuple[dict[str, Any], int | None]:
    from offchain.chain.private_orders import PrivateOrders
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_desk import read_order
    from offchain.roles.private_summary import ends_in, facts

    orders = PrivateOrders(session.contracts)
    order = read_order(orders, place, PrivateId(oid))
    state = orders.state(order.oid)
    return facts(session.contracts, order), ends_in(order.terms, state, session.client.now())
