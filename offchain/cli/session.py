"""Opens what commands need: settings, chain, contracts, key, sender, store. Glue only."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from offchain.chain.addresses import check_addresses, read_addresses
from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import ChainClient, connect
from offchain.chain.contracts import AssayContracts
from offchain.chain.keys import list_keys, load_key, read_password
from offchain.chain.sender import Sender, open_sender
from offchain.config import Settings
from offchain.roles.context import Report, RoleContext, ignore
from offchain.roles.journal import Journal, chain_key
from offchain.storage.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Session:
    """One command's connection: settings, node and contracts."""

    settings: Settings
    client: ChainClient
    contracts: AssayContracts

    def sender(self, account: LocalAccount) -> Sender:
        """The sender of one key. Raises Rejected when another process is using its journal."""
        return open_sender(
            self.client, account, self.settings.journals, contract_name=self.contracts.addresses.contract_at
        )

    def store(self) -> Store:
        """The storage in force."""
        return open_store(self.settings.store_location)

    def archive(self) -> Store:
        """The client's own directory: copies of what it ordered with, and test sets that are still secret."""
        return open_store(f"local:{self.settings.home / 'archive'}")


@contextmanager
def open_context(session: Session, account: LocalAccount, role: str, report: Report = ignore) -> Iterator[RoleContext]:
    """All that a worker of one role and key needs, for the length of a `with`."""
    contracts, client = session.contracts, session.client
    chain = chain_key(client.chain_id, client.genesis(), contracts.addresses.proof_of_training)
    journal = session.settings.journals / f"{role}-{account.address}.sqlite"
    with session.store() as store, Journal(journal, chain=chain) as records, closing(session.sender(account)) as sender:
        yield RoleContext(client, contracts, sender, store, records, report=report)


def load_settings(
    *, home: Path | None = None, rpc: str | None = None, store: str | None = None, password_file: Path | None = None
) -> Settings:
    """Settings of the environment, overridden by flags."""
    flags = {"home": home, "rpc": rpc, "store": store, "password_file": password_file}
    return Settings().model_copy(update={name: value for name, value in flags.items() if value is not None})


def open_client(settings: Settings, chain_id: int | None = None) -> ChainClient:
    """The node at `--rpc`. Raises Retryable when it is down, Rejected when it is on another chain."""
    return connect(settings.rpc, errors=load_error_decoder(), chain_id=chain_id)


def open_session(settings: Settings, chain_id: int | None = None) -> Session:
    """The node and the contracts deployed there, after checking that they are what they should be."""
    client = open_client(settings, chain_id)
    path = settings.addresses(client.chain_id)
    addresses = read_addresses(path)
    check_addresses(client, addresses, str(path))
    return Session(settings, client, AssayContracts(client, addresses))


def unlock(settings: Settings, name: str) -> LocalAccount:
    """The key called `name`, unlocked by the password file or by asking. Raises Rejected."""
    return load_key(settings.keys, name, ask_password(settings, f"password of key {name!r}"))


def ask_password(settings: Settings, prompt: str, *, confirm: bool = False) -> str:
    """First line of the password file, or what the user types. Raises Rejected when it is empty."""
    return read_password(
        settings.password_file, lambda: str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm))
    )


def key_names(settings: Settings) -> dict[ChecksumAddress, str]:
    """Names of the user's own keys by address, to show instead of addresses."""
    return {entry.address: entry.name for entry in list_keys(settings.keys)}
