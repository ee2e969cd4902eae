"""`assay claim-rewards`: pull what the treasury credits."""

import secrets
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
        typer.Option("--account", help="Claim for this address instead; it gets the tokens, you pay the gas."),
    ] = None,
    home: options.Home = None,
    rpc: options.Rpc = None,
    password_file: options.PasswordFile = None,
) -> None:
    """Claim the rewards and refunds that are credited to a key's account."""
    from eth_utils.address import is_address, to_checksum_address

    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    session = open_session(settings)
    if account is not None and not is_address(account):
        raise Rejected(f"--account {account}: not an address")
    signer = unlock(settings, key)
    beneficiary = to_checksum_address(account or signer.address)
    credited = session.contracts.credited(beneficiary)
    if credited == 0:
        raise Rejected(f"nothing is credited to {beneficiary}; orders are paid after they are sealed and settled")
    session.sender(signer).send(
        f"claim-rewards:{secrets.token_hex(8)}", session.contracts.treasury.functions.claimRewards(beneficiary)
    )
    console.print(f"{tokens(credited)} tokens paid to {beneficiary}")
