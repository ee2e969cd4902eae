"""`assay deploy`: the contracts onto a chain."""

from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.output import console, print_facts
from offchain.cli.session import load_settings, open_client, unlock


def deploy(
    key: options.Key = "dev0",
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier deployment on this chain.")] = False,
) -> None:
    """Deploy the contracts and write down their addresses. Interrupted, it goes on where it stopped."""
    from offchain.chain.artifacts import CONTRACTS
    from offchain.chain.deploy import deploy as deploy_contracts
    from offchain.chain.sender import open_sender

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    client = open_client(settings, chain_id)
    path = settings.addresses(client.chain_id)
    account = unlock(settings, key)
    if fresh:
        path.unlink(missing_ok=True)
    sender = open_sender(client, account, settings.journals)
    addresses = deploy_contracts(sender, path, progress=lambda line: None if as_json else console.print(f"  {line}"))
    facts = {name: addresses.of(name) for name in CONTRACTS}
    print_facts({"chain": client.chain_id, **facts, "file": str(path)}, title="Deployed", as_json=as_json)
