"""Opens what commands need: settings, chain, contracts, key, sender, store. Glue only.

Everything heavy is imported when it is used, so that `--help` and mistakes cost nobody a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from offchain.cli.files import require_folder
from offchain.errors import Rejected
from offchain.types import OrderId

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from eth_typing import ChecksumAddress

    from offchain.chain.client import ChainClient
    from offchain.chain.contracts import AssayContracts
    from offchain.chain.sender import Sender
    from offchain.config import Settings
    from offchain.metrics.worker import WorkerMeters
    from offchain.roles.context import Report, RoleContext
    from offchain.roles.journal import Journal
    from offchain.storage.store import Store


@dataclass(frozen=True, slots=True)
class Session:
    """One command's connection: settings, node and contracts; `meters` count what is done through it."""

    settings: Settings
    client: ChainClient
    contracts: AssayContracts
    meters: WorkerMeters | None = None

    def sender(self, account: LocalAccount) -> Sender:
        """The sender of one key. Raises KeyInUse when another process is using its journal."""
        from offchain.chain.journal import Journal
        from offchain.chain.sender import open_sender

        return open_sender(
            self.client,
            account,
            self.settings.journals,
            open_journal=Journal.open if self.meters is None else self.meters.transactions.open_journal,
            contract_name=self.contracts.addresses.contract_at,
        )

    def store(self, *, seconds: float | None = None) -> Store:
        """The storage in force; `seconds` bounds each operation, in place of the default."""
        from offchain.storage.store import DEFAULT_SECONDS, open_store

        store = open_store(self.settings.store_location, seconds=seconds or DEFAULT_SECONDS)
        return store if self.meters is None else self.meters.storage.watch(store)

    def archive(self) -> Store:
        """The client's own directory: copies of what it ordered with, and test sets that are still secret."""
        from offchain.storage.store import open_store

        return open_store(f"local:{self.settings.home / 'archive'}")

    def journal(self, role: str, account: ChecksumAddress) -> Journal:
        """What one role and key must remember; several processes may have it open."""
        from offchain.roles.journal import Journal, chain_key

        client = self.client
        chain = chain_key(client.chain_id, client.genesis(), self.contracts.addresses.proof_of_training)
        return Journal(self.journal_path(role, account), chain=chain)

    def journal_path(self, role: str, account: ChecksumAddress) -> Path:
        """Where `journal` lies."""
        return self.settings.journals / f"{role}-{account}.sqlite"

    def order(self, oid: int) -> OrderId:
        """The number of an order that exists. Raises Rejected."""
        count = self.contracts.order_count()
        if not 1 <= oid <= count:
            there = "there are none yet" if count == 0 else f"there are orders 1 to {count}"
            raise Rejected(f"OID {oid}: no such order, {there}; see `assay orders`")
        return OrderId(oid)

    def account_called(self, text: str, flag: str) -> ChecksumAddress:
        """See the function of this name."""
        return account_called(self.settings, text, flag)


def account_called(settings: Settings, text: str, flag: str) -> ChecksumAddress:
    """The address of a key, or one that is written out. Raises Rejected, naming `flag`."""
    from eth_utils.address import is_address, to_checksum_address

    known = known_keys(settings)
    if text in known:
        return known[text]
    if not is_address(text):
        raise Rejected(f"{flag} {text}: neither a key (there are: {', '.join(known) or 'none'}) nor an address")
    return to_checksum_address(text)


@contextmanager
def open_context(
    session: Session, account: LocalAccount, role: str, report: Report | None = None
) -> Iterator[RoleContext]:
    """All that a worker of one role and key needs, for the length of a `with`."""
    from offchain.roles.context import RoleContext, ignore

    with (
        session.store() as store,
        session.journal(role, account.address) as records,
        closing(session.sender(account)) as sender,
    ):
        yield RoleContext(session.client, session.contracts, sender, store, records, report=report or ignore)


def load_settings(
    *, home: Path | None = None, rpc: str | None = None, store: str | None = None, password_file: Path | None = None
) -> Settings:
    """Settings of the environment, overridden by flags. Raises Rejected when `--home` cannot be a directory."""
    from offchain.config import Settings

    flags = {"home": home, "rpc": rpc, "store": store, "password_file": password_file}
    settings = Settings().model_copy(update={name: value for name, value in flags.items() if value is not None})
    found = settings.home.expanduser().absolute()
    require_folder(found, "--home")
    return settings.model_copy(update={"home": found})


def open_client(settings: Settings, chain_id: int | None = None) -> ChainClient:
    """The node at `--rpc`. Raises Retryable when it is down, Rejected when it is on another chain."""
    from offchain.chain.artifacts import load_error_decoder
    from offchain.chain.client import connect

    return connect(settings.rpc, errors=load_error_decoder(), chain_id=chain_id)


def open_session(settings: Settings, chain_id: int | None = None) -> Session:
    """The node and the contracts deployed there, after checking that they are what they should be."""
    from offchain.chain.addresses import check_addresses, read_addresses
    from offchain.chain.contracts import AssayContracts

    client = open_client(settings, chain_id)
    path = settings.addresses(client.chain_id)
    addresses = read_addresses(path)
    check_addresses(client, addresses, str(path))
    return Session(settings, client, AssayContracts(client, addresses))


def unlock(settings: Settings, name: str) -> LocalAccount:
    """The key called `name`, unlocked by the password file or by asking. Raises Rejected."""
    from offchain.chain.keys import load_key, require_key

    require_key(settings.keys, name)
    return load_key(settings.keys, name, ask_password(settings, f"password of key {name!r}"))


def ask_password(settings: Settings, prompt: str, *, confirm: bool = False) -> str:
    """First line of the password file, or what the user types. Raises Rejected when it is empty."""
    from offchain.chain.keys import read_password

    def ask() -> str:
        require_terminal("the password", "give --password-file FILE, or set ASSAY_PASSWORD_FILE")
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm))

    return read_password(settings.password_file, ask)


def require_terminal(what: str, instead: str) -> None:
    """Raises Rejected when there is nobody to ask."""
    if not sys.stdin.isatty():
        raise Rejected(f"there is no terminal to ask for {what}; {instead}")


def known_keys(settings: Settings) -> dict[str, ChecksumAddress]:
    """Addresses of the user's own keys by name."""
    from offchain.chain.keys import list_keys

    return {entry.name: entry.address for entry in list_keys(settings.keys)}


def key_names(settings: Settings) -> dict[ChecksumAddress, str]:
    """Names of the user's own keys by address, to show instead of addresses."""
    return {address: name for name, address in known_keys(settings).items()}
