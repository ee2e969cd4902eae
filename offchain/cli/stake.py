"""`assay stake`: bonds of an account in its roles."""

import secrets
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.durations import countdown
from offchain.cli.output import console, print_rows, tokens
from offchain.cli.session import Session, known_keys, load_settings, open_session, unlock

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from offchain.chain.enums import Role
    from offchain.chain.views import Bond

app = typer.Typer(no_args_is_help=True, help="Bond tokens in a role, take them out again, see what is bonded.")

RoleName = Annotated[
    str, typer.Argument(metavar="ROLE", help="provider, validator, verifier, aggregator or participant.")
]
Amount = Annotated[str, typer.Argument(metavar="TOKENS", help="In tokens, e.g. 100 or 0.5.")]


@app.command()
def add(
    role: RoleName,
    amount: Amount,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Bond TOKENS in ROLE; approves the vault for exactly that amount."""
    from offchain.roles.funding import bond

    wei = parse_tokens(amount, "TOKENS")
    chosen = _role(role)
    session, account = _open(home, rpc, chain_id, password_file, key)
    with closing(session.sender(account)) as sender:
        bond(session.contracts, sender, chosen, wei, intent=secrets.token_hex(8))
    console.print(f"{key} has bonded {tokens(wei)} as {role}")


@app.command()
def exit(
    role: RoleName,
    amount: Amount,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Ask to take TOKENS of a free bond out of ROLE; `stake withdraw` pays them after the delay."""
    from offchain.roles.funding import request_exit

    wei = parse_tokens(amount, "TOKENS")
    chosen = _role(role)
    session, account = _open(home, rpc, chain_id, password_file, key)
    with closing(session.sender(account)) as sender:
        pending = request_exit(session.contracts, sender, chosen, wei, intent=secrets.token_hex(8))
    wait = countdown(pending.exit_at - session.client.now())
    console.print(f"{tokens(pending.exiting)} leave the {role} bond; `assay stake withdraw {role}` pays them in {wait}")


@app.command()
def withdraw(
    role: RoleName,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Pay out what is leaving ROLE once its delay is over."""
    from offchain.roles.funding import withdraw as pay_out

    chosen = _role(role)
    session, account = _open(home, rpc, chain_id, password_file, key)
    with closing(session.sender(account)) as sender:
        paid = pay_out(session.contracts, sender, chosen, intent=secrets.token_hex(8))
    console.print(f"{key} has {tokens(paid)} back")


@app.command()
def show(
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    as_json: options.Json = False,
) -> None:
    """Show the bonds and balances of all keys (in wei with --json)."""
    from offchain.chain.enums import Role

    settings = load_settings(home=home, rpc=rpc)
    session = open_session(settings, chain_id)
    roles = [role for role in Role if role is not Role.NONE]
    rows: list[dict[str, object]] = []
    for name, address in known_keys(settings).items():
        bonds = {role.name.lower(): session.contracts.bond(address, role) for role in roles}
        balance = session.contracts.token_balance(address)
        if as_json:
            all_bonds = {r: asdict(b) for r, b in bonds.items()}
            rows.append({"key": name, "address": address, "tokens": balance, **all_bonds})
        else:
            rows.append({"key": name, "tokens": tokens(balance), **{r: _bond(b) for r, b in bonds.items()}})
    print_rows(rows, title="Stakes", as_json=as_json, empty="no keys; create one with `assay keys create NAME`")


def _bond(bond: "Bond") -> str:
    notes = {"locked": bond.locked, "leaving": bond.exiting}
    return "\n".join([tokens(bond.bonded), *(f"{tokens(amount)} {word}" for word, amount in notes.items() if amount)])


def _open(
    home: options.Home,
    rpc: options.Rpc,
    chain_id: options.ChainId,
    password_file: options.PasswordFile,
    key: str,
) -> "tuple[Session, LocalAccount]":
    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings, chain_id)
    return session, unlock(settings, key)


def _role(name: str) -> "Role":
    from offchain.chain.enums import Role

    try:
        role = Role[name.upper()]
    except KeyError:
        role = Role.NONE
    if role is Role.NONE:
        raise typer.BadParameter(f"ROLE {name!r}: expected provider, validator, verifier, aggregator or participant")
    return role
