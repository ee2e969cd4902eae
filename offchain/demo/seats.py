"""What an aggregator's process finds on disk: a home of its own with its key, the contracts' addresses and journals."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
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


def furnish(folder: Path, name: str, account: LocalAccount, addresses: Addresses) -> Seat:
    """Makes the home of `name` below `folder`: an encrypted key that is cheap to open, and the addresses file."""
    home = folder / name
    home.mkdir(parents=True)
    settings = Settings(home=home)
    password = secrets.token_hex(16)
    key = store_key(settings.keys, name, password, account, light=True)
    password_file = home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="utf-8")
    write_addresses(settings.addresses(addresses.chain_id), addresses)
    listen, api = free_ports(2)
    return Seat(name, key.address, home, password_file, listen, api, account)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def seat_sender(client: ChainClient, contracts: AssayContracts, seat: Seat) -> Iterator[Sender]:
    """Sends with the seat's key and journal while its process is not running. Raises KeyInUse when it is."""
    journals = Settings(home=seat.home).journals
    with closing(open_sender(client, seat.account, journals, contract_name=contracts.addresses.contract_at)) as sender:
        yield sender
