"""Where the desk stands: the connections and folders of this machine."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.explorer.desk.outbox_journal import OutboxJournal
from offchain.roles.journal import Journal
from offchain.storage.store import Store
from offchain.types import OrderId


@dataclass(frozen=True, slots=True)
class DeskPlace:
    """What the desk works with; all of it stays the caller's.

    `journal(role, account)`: what that role and key must remember, shared with workers of the command line; `journals`:
    their folder. `archive`: the clients' own copies and secret test sets. `orders_of`: the orders that an account takes
    part in, where an index knows; without it clients' orders are sought among all, as workers do.
    """

    client: ChainClient
    contracts: AssayContracts
    store: Store
    archive: Store
    journals: Path
    journal: Callable[[str, ChecksumAddress], Journal]
    orders_of: Callable[[ChecksumAddress], Iterable[OrderId]] | None = None

    def outbox_journal(self, account: ChecksumAddress) -> OutboxJournal:
        """The account's outbox on disk. Raises KeyInUse, Rejected."""
        addresses = self.contracts.addresses
        genesis = addresses.genesis
        owner = {
            "chain_id": str(self.client.chain_id),
            "genesis": genesis.hex(),
            "proof_of_training": addresses.proof_of_training,
            "account": account,
        }
        name = f"{self.client.chain_id}-{genesis[:4].hex()}-{addresses.proof_of_training[2:10]}-{account}"
        return OutboxJournal(self.journals / f"outbox-{name}.sqlite", owner)
