"""`assay deploy`: the contracts onto a chain."""

from contextlib import closing
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.output import errors, print_facts
from offchain.cli.session import load_settings, open_client, unlock
from offchain.errors import Rejected


def deploy(
    key: options.Key = "dev0",
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Set aside the addresses of a chain that is gone, a devnet that was started anew."
        ),
    ] = False,
) -> None:
    """Deploy the contracts and write down their addresses. Interrupted, it goes on where it stopped.

    The key owns the parameters and holds all tokens afterwards. Where the contracts are deployed already, their
    addresses are checked and shown.
    """
    from offchain.chain.addresses import check_addresses, read_addresses
    from offchain.chain.artifacts import CONTRACTS
    from offchain.chain.deploy import deploy as deploy_contracts
    from offchain.chain.sender import open_sender

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    client = open_client(settings, chain_id)
    path = settings.addresses(client.chain_id)
    there = path.exists()
    if there:
        try:
            check_addresses(client, read_addresses(path), str(path))
        except Rejected as error:
            if not fresh:
                raise Rejected(f"{error} with `assay deploy --fresh`") from error
            there = False
    account = unlock(settings, key)
    if path.exists() and not there:
        path.replace(path.with_suffix(".old.json"))
    with closing(open_sender(client, account, settings.journals)) as sender, errors.status("deploying"):
        addresses = deploy_contracts(sender, path)
    facts = {name: addresses.of(name) for name in CONTRACTS}
    title = "Deployed before" if there else "Deployed"
    print_facts({"chain": str(client.chain_id), **facts, "file": str(path)}, title=title, as_json=as_json)
