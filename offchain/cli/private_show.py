"""`assay private list` and `show`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import countdown
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


def _facts(session: Session, place: "Store", oid: int) -> tuple[dict[str, Any], int | None]:
    from offchain.chain.private_orders import PrivateOrders
    from offchain.proofs.private_order import PrivateId
    from offchain.roles.private_desk import read_order
    from offchain.roles.private_summary import ends_in, facts

    orders = PrivateOrders(session.contracts)
    order = read_order(orders, place, PrivateId(oid))
    state = orders.state(order.oid)
    return facts(session.contracts, order), ends_in(order.terms, state, session.client.now())
