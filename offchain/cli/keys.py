"""`assay keys`: encrypted keystores, one key per role and process."""

import secrets
from contextlib import closing
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.amounts import parse_tokens
from offchain.cli.output import console, print_rows, tokens
from offchain.cli.session import ask_password, known_keys, load_settings, open_session, unlock
from offchain.types import Wei

app = typer.Typer(no_args_is_help=True, help="Create and list encrypted keys; get test tokens for them.")


@app.command()
def create(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Lower-case letters, digits, - and _.")],
    home: options.Home = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Make new keys, encrypted with a password."""
    from offchain.chain.keys import create_key, require_free

    settings = load_settings(home=home, password_file=password_file)
    for name in names:
        require_free(settings.keys, name)
    password = ask_password(settings, f"password for {', '.join(names)}", confirm=True)
    entries = [create_key(settings.keys, name, password) for name in dict.fromkeys(names)]
    for entry in entries:
        console.print(f"{entry.name}: {entry.address}")
    console.print(f"Keep {settings.keys} and the password; nobody can restore them.", soft_wrap=True)


@app.command("list")
def list_all(home: options.Home = None, as_json: options.Json = False) -> None:
    """List the keys and their addresses."""
    settings = load_settings(home=home)
    rows = [{"name": name, "address": address} for name, address in known_keys(settings).items()]
    print_rows(
        rows, title=f"Keys in {settings.keys}", as_json=as_json, empty="none; make one with `assay keys create NAME`"
    )


@app.command()
def dev(
    count: Annotated[int, typer.Option("--count", min=1, max=20, help="How many.")] = 12,
    home: options.Home = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Import the accounts that development chains fund, as dev0, dev1, … Never use them anywhere else."""
    from offchain.chain.devnet import dev_accounts
    from offchain.chain.keys import store_key

    settings = load_settings(home=home, password_file=password_file)
    present = known_keys(settings)
    missing = [index for index in range(count) if f"dev{index}" not in present]
    if missing:
        password = ask_password(settings, "password for the development keys", confirm=True)
        accounts = dev_accounts(count)
        for index in missing:
            store_key(settings.keys, f"dev{index}", password, accounts[index], light=True)
    list_all(home=home)


@app.command()
def fund(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of keys, or addresses.")],
    amount: Annotated[str, typer.Option("--tokens", help="Utility tokens for each.")] = "10000",
    coins: Annotated[str, typer.Option("--coins", help="Coins for gas for each; 0 for none.")] = "0",
    payer: Annotated[str, typer.Option("--from", help="The key that pays.")] = "dev0",
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Send tokens, and coins if asked, from one key to others. On a development chain dev0 holds all tokens."""
    from offchain.roles.funding import fund_all, require_tokens

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    wei = parse_tokens(amount, "--tokens")
    gas_money = Wei(0) if coins == "0" else parse_tokens(coins, "--coins")
    session = open_session(settings, chain_id)
    accounts = {name: session.account_called(name, "NAME") for name in names}
    signer = unlock(settings, payer)
    require_tokens(session.contracts, signer.address, Wei(wei * len(accounts)), "--tokens: the transfers")
    with closing(session.sender(signer)) as sender:
        intent = secrets.token_hex(8)
        fund_all(session.contracts, sender, list(accounts.values()), amount=wei, coins=gas_money, intent=intent)
    for name in accounts:
        console.print(f"{name}: {tokens(wei)} tokens")


@app.command()
def drip(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of keys; each needs coins for gas.")],
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Get test tokens from the faucet of a test network or development chain, once a day for each key."""
    from offchain.roles.funding import drip as ask_faucet

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings, chain_id)
    for name in names:
        with closing(session.sender(unlock(settings, name))) as sender:
            got = ask_faucet(session.contracts, sender, intent=secrets.token_hex(8))
        console.print(f"{name}: {tokens(got)} tokens")
