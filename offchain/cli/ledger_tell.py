"""`assay ledger submit`, `follow` and `announce`: telling the ledger."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.ledger_access import Api, Members, Seconds, place
from offchain.cli.output import console, errors, print_json, print_json_line, print_rows
from offchain.cli.session import load_settings, unlock
from offchain.errors import Rejected, Retryable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offchain.ledger.api import schema
    from offchain.ledger.records.bodies import Body

ROLES = ("client", "provider", "validator", "verifier", "aggregator")


def submit(
    oid: options.Oid,
    key: options.Key,
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Tell the ledger what a key has done in an order, as the chain shows it: order, claim, model, scores.

    Signs a message for each and has it ordered. What the ledger holds already
    is left as it is, so this can be repeated. The ledger takes each only in the
    order's window for it, by its own time.
    """
    from coincurve import PrivateKey

    from offchain.roles.statements import statements

    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    session = where.session(password_file)
    order = session.order(oid)
    account = unlock(session.settings, key)
    bodies = statements(session.contracts, order, account.address)
    if not bodies:
        raise Rejected(
            f"order {oid}: key {key} has nothing to tell; the chain shows no order, claim, model or score of it"
        )
    with where.client(PrivateKey(bytes(account.key))) as ledger:
        _print(bodies, ledger.submit(bodies), as_json)


def follow(
    key: options.Key,
    every: Annotated[float, typer.Option("--every", min=0.1, max=3600, help="Seconds between looks.")] = 5.0,
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Stay, and tell the ledger what a key does on chain, as it happens. Goes beside a worker of any role.

    As `submit` for every order that is not over, again and again. Ctrl-C stops
    it; when it is started again it leaves out nothing and doubles nothing.
    """
    from coincurve import PrivateKey

    from offchain.roles.telling import Teller

    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    session = where.session(password_file)
    account = unlock(session.settings, key)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def report(body: Body, receipt: schema.ReceiptOut) -> None:
        if as_json:
            print_json_line({"what": type(body).__name__.lower(), **receipt.model_dump()})
        else:
            oid = getattr(body, "oid", None)
            line = f"order {oid}: {type(body).__name__.lower()}: {receipt.text}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    with where.client(PrivateKey(bytes(account.key))) as ledger:
        teller = Teller(session.contracts, account.address, ledger, report)
        while not stop.is_set():
            try:
                teller.tell()
            except Retryable as error:
                errors.print(f"waiting: {error}", highlight=False, markup=False, soft_wrap=True)
            stop.wait(every)


def announce(
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"What you do: {', '.join(ROLES)}.")],
    key: options.Key,
    resources: Annotated[str, typer.Option("--resources", help="With what, in your own words.")] = "",
    endpoint: Annotated[str, typer.Option("--endpoint", help="Where you answer, if you do.")] = "",
    api: Api = None,
    members: Members = None,
    seconds: Seconds = 30.0,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
) -> None:
    """Say what you are: role, resources and endpoint (node info). Replaces what the key said before in this role."""
    if role not in ROLES:
        raise typer.BadParameter(f"ROLE {role!r}: expected one of {', '.join(ROLES)}")
    from coincurve import PrivateKey

    from offchain.ledger.records.bodies import Node, Role

    where = place(api=api, members=members, seconds=seconds, home=home, rpc=rpc, chain_id=chain_id)
    account = unlock(load_settings(home=home, rpc=rpc, password_file=password_file), key)
    body = Node(Role[role.upper()], resources, endpoint)
    with where.client(PrivateKey(bytes(account.key))) as ledger:
        _print([body], ledger.submit([body]), as_json)


def _print(bodies: Sequence[Body], receipts: Sequence[schema.ReceiptOut], as_json: bool) -> None:
    """Raises Rejected, after printing, when the ledger refused one of them."""
    if as_json:
        print_json([receipt.model_dump() for receipt in receipts])
    else:
        rows = [
            {
                "what": type(body).__name__.lower(),
                "result": receipt.text,
                "batch": receipt.sequence,
                "id": f"{receipt.digest[:18]}…",
            }
            for body, receipt in zip(bodies, receipts, strict=True)
        ]
        print_rows(rows, title="Told the ledger", as_json=False)
    refused = sum(not receipt.stands for receipt in receipts)
    if refused:
        raise Rejected(f"the ledger refused {refused} of {len(receipts)}; see the reasons above")
