"""What an aggregator's process finds on disk: a home of its own with its key, the contracts' addresses and journals."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from offchain.chain.addresses import Addresses, write_addresses
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.keys import store_key
from offchain.chain.sender import Sender, open_sender
from offchain.config import Settings
from offchain.ledger.local_group import free_ports


@dataclass(frozen=True, slots=True)
class Seat:
    """One aggregator: the name of its key, its directory, the file that unlocks the key, and where its node listens.

    `listen` is for other members' nodes, `api` for participants: ports of the loopback interface.
    """

    name: str
    address: ChecksumAddress
    home: Path
    password_file: Path
    listen: int
    api: int
    account: LocalAccount = field(repr=False)


def furnish_all(folder: Path, accounts: Mapping[str, LocalAccount], addresses: Addresses) -> dict[str, Seat]:
    """Makes a home below `folder` for each name: an encrypted key that is cheap to open, and the addresses file."""
    ports = free_ports(2 * len(accounts))
    places = zip(accounts.items(), ports[::2], ports[1::2], strict=True)
    return {name: _furnish(folder, name, account, addresses, *pair) for (name, account), *pair in places}


def _furnish(folder: Path, name: str, account: LocalAccount, addresses: Addresses, listen: int, api: int) -> Seat:
    home = folder / name
    home.mkdir(parents=True)
    settings = Settings(home=home)
    password = secrets.token_hex(16)
    key = store_key(settings.keys, name, password, account, light=True)
    password_file = home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="utf-8")
    write_addresses(settings.addresses(addresses.chain_id), addresses)
    return Seat(name, key.address, home, password_file, listen, api, account)


@contextmanager
def seat_sender(client: ChainClient, contracts: AssayContracts, seat: Seat) -> Iterator[Sender]:
    """Sends with the seat's key and journal while its process is not running. Raises KeyInUse when it is."""
    journals = Settings(home=seat.home).journals
    with closing(open_sender(client, seat.account, journals, contract_name=contracts.addresses.contract_at)) as sender:
        yield sender
