"""`assay stake`: bonds of an account in its roles."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.output import console, print_rows, tokens
from offchain.cli.session import Session, load_settings, open_session, unlock

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract.contract import ContractFunction

    from offchain.chain.enums import Role

app = typer.Typer(no_args_is_help=True, help="Bond tokens in a role, take them out again, see what is bonded.")

RoleName = Annotated[str, typer.Argument(metavar="ROLE", help="provider, validator, verifier or aggregator.")]
Amount = Annotated[str, typer.Argument(metavar="TOKENS", help="In tokens, e.g. 100 or 0.5.")]


@app.command()
def add(
    role: RoleName,
    amount: Amount,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Bond TOKENS in ROLE; approves the vault for exactly that amount."""
    from offchain.roles.funding import bond

    wei = parse_tokens(amount, "TOKENS")
    chosen = _role(role)
    session, account = _open(home, rpc, password_file, key)
    bond(session.contracts, session.sender(account), chosen, wei, intent=secrets.token_hex(8))
    console.print(f"{key} has bonded {tokens(wei)} as {role}")


@app.command()
def exit(
    role: RoleName,
    amount: Amount,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Ask to take TOKENS of a free bond out of ROLE; `stake withdraw` pays them after the delay."""
    wei = parse_tokens(amount, "TOKENS")
    chosen = _role(role)
    session, account = _open(home, rpc, password_file, key)
    _send(session, account, session.contracts.vault.functions.requestExit(int(chosen), wei))
    pending = session.contracts.bond(account.address, chosen)
    console.print(f"{tokens(pending.exiting)} leave the {role} bond at chain time {pending.exit_at}")


@app.command()
def withdraw(
    role: RoleName,
    key: options.Key,
    home: options.Home = None,
    rpc: options.Rpc = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Pay out what is leaving ROLE once its delay is over."""
    chosen = _role(role)
    session, account = _open(home, rpc, password_file, key)
    leaving = session.contracts.bond(account.address, chosen).exiting
    _send(session, account, session.contracts.vault.functions.withdraw(int(chosen)))
    console.print(f"{key} has {tokens(leaving)} back")


@app.command()
def show(
    home: options.Home = None,
    rpc: options.Rpc = None,
    as_json: options.Json = False,
) -> None:
    """Bonds and balances of all keys."""
    from offchain.chain.enums import Role
    from offchain.chain.keys import list_keys

    settings = load_settings(home=home, rpc=rpc)
    session = open_session(settings)
    rows = []
    for entry in list_keys(settings.keys):
        row: dict[str, object] = {"key": entry.name}
        if as_json:
            row["address"] = entry.address
        row["tokens"] = tokens(session.contracts.token_balance(entry.address))
        for role in Role:
            if role is not Role.NONE:
                bond = session.contracts.bond(entry.address, role)
                row[role.name.lower()] = tokens(bond.bonded) + (
                    f" ({tokens(bond.locked)} locked)" if bond.locked else ""
                )
        rows.append(row)
    print_rows(rows, title="Stakes", as_json=as_json, empty="no keys; create one with `assay keys new NAME`")


def _open(
    home: options.Home, rpc: options.Rpc, password_file: options.PasswordFile, key: str
) -> "tuple[Session, LocalAccount]":
    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings)
    return session, unlock(settings, key)


def _send(session: Session, account: "LocalAccount", call: "ContractFunction") -> None:
    session.sender(account).send(f"stake:{secrets.token_hex(8)}", call)


def _role(name: str) -> "Role":
    from offchain.chain.enums import Role

    try:
        role = Role[name.upper()]
    except KeyError:
        role = Role.NONE
    if role is Role.NONE:
        raise typer.BadParameter(f"ROLE {name!r}: expected provider, validator, verifier or aggregator")
    return role
