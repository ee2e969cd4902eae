"""Deploy under ape: `ape run deploy --network bsc:testnet:URL --account NAME`.

The same code as `assay deploy` (offchain/cli/deploy.py), with ape's account as the signer: the same plan, journal and
addresses file, so that one can go on where the other stopped.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from ape.cli import ConnectedProviderCommand, account_option
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from offchain.cli.deploy import Choices, Deployer, run
from offchain.cli.session import load_settings, open_client
from offchain.errors import AssayError, Rejected


@dataclass(frozen=True, slots=True)
class ApeSigned:
    """A transaction that ape's account signed."""

    raw_transaction: bytes

    @property
    def hash(self) -> bytes:
        """Its hash."""
        return keccak(self.raw_transaction)


class ApeSigner:
    """An account of ape's (test account, keyfile or any other that signs transactions) as our senders take it."""

    def __init__(self, account: Any, ecosystem: Any) -> None:
        self._account = account
        self._ecosystem = ecosystem

    @property
    def address(self) -> ChecksumAddress:
        """Its address."""
        return to_checksum_address(str(self._account.address))

    def sign_transaction(self, transaction_dict: Any, /) -> ApeSigned:
        """Signs a transaction of eth-account's fields. Raises Rejected when the account's owner declines."""
        fields = {"type": 0, **transaction_dict}
        signed = self._account.sign_transaction(self._ecosystem.create_transaction(**fields))
        if signed is None:
            raise Rejected(f"{self.address} did not sign; run it again when you want to")
        return ApeSigned(bytes(signed.serialize_transaction()))


def signer_of(account: Any, ecosystem: Any, *, yes: bool) -> ApeSigner:
    """The account as a signer; with `yes` a keyfile is unlocked once and not asked about each transaction."""
    if yes and hasattr(account, "set_autosign"):
        account.set_autosign(True)
    return ApeSigner(account, ecosystem)


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--home", type=click.Path(path_type=Path), help="As for assay: where addresses and journals lie.")
@click.option("--parameters", type=click.Path(path_type=Path), help="File of parameters, in place of the network's.")
@click.option("--plan", is_flag=True, help="Show what would be sent; change nothing.")
@click.option("--fresh", is_flag=True, help="Set aside the addresses of a chain that is gone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def cli(
    ecosystem: Any,
    provider: Any,
    account: Any,
    home: Path | None,
    parameters: Path | None,
    plan: bool,
    fresh: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Deploy the contracts and write down their addresses. Interrupted, it goes on where it stopped."""
    try:
        settings = load_settings(home=home, rpc=provider.http_uri)
        address = to_checksum_address(str(account.address))
        run(
            settings,
            open_client(settings, provider.chain_id),
            lambda: Deployer(address, lambda: signer_of(account, ecosystem, yes=yes)),
            Choices(parameters, plan, fresh, yes, as_json),
        )
    except AssayError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
