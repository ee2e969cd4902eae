"""`assay claim-rewards`: pull what the treasury credits."""

import secrets
from contextlib import closing
from typing import Annotated

import typer

from offchain.cli import options
from offchain.cli.output import console, tokens
from offchain.cli.session import load_settings, open_session, unlock
from offchain.errors import Rejected


def claim_rewards(
    key: options.Key,
    account: Annotated[
        str | None,
        typer.Option("--for", help="Claim for this key or address instead: it gets the tokens, --key pays the gas."),
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Claim the rewards and refunds that are credited to a key's account.

    A worker that is running has its key for itself: claim for it with another key, `--key OTHER --for WORKER`.
    """
    from offchain.chain.journal import KeyInUse

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings, chain_id)
    beneficiary = session.account_called(account or key, "--for" if account else "--key")
    credited = session.contracts.credited(beneficiary)
    if credited == 0:
        raise Rejected(f"nothing is credited to {beneficiary}; orders are paid after they are sealed and settled")
    signer = unlock(settings, key)
    try:
        sender = session.sender(signer)
    except KeyInUse as error:
        raise KeyInUse(
            f"--key {key}: another process is using it; stop that, or let another key pay the gas: "
            f"`assay claim-rewards --key OTHER --for {account or key}`"
        ) from error
    with closing(sender):
        call = session.contracts.treasury.functions.claimRewards(beneficiary)
        sender.send(f"claim-rewards:{secrets.token_hex(8)}", call)
    console.print(f"{tokens(credited)} tokens paid to {account or key}")
