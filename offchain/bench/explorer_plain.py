"""The loop that everybody writes first: web3's `get_logs`, `process_log`, one INSERT with a commit for each event."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from eth_utils.abi import event_abi_to_log_topic

from offchain.chain.addresses import Addresses
from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient

BLOCKS = 25
"""Of a query: about as many logs as the index asks for at once."""


class PlainLoop:
    """Goes on where it was; keeps a table of events and nothing else."""

    def __init__(self, client: ChainClient, addresses: Addresses, path: Path) -> None:
        self._web3 = client.web3
        self._addresses = [addresses.of(name) for name in addresses.contracts]
        self._next = addresses.block
        self._events: dict[tuple[str, bytes], Any] = {}
        for name in addresses.contracts:
            abi = load_artifact(name).abi
            contract: Any = self._web3.eth.contract(address=addresses.of(name), abi=abi)
            for entry in abi:
                if entry["type"] == "event":
                    topic = bytes(event_abi_to_log_topic(entry))  # type: ignore[arg-type]  # a TypedDict from JSON
                    self._events[addresses.of(name), topic] = getattr(contract.events, entry["name"])()
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE events (block INTEGER, log_index INTEGER, tx BLOB, name TEXT, arguments TEXT, "
            "PRIMARY KEY (block, log_index))"
        )

    def run(self, events: int, last: int) -> int:
        """Takes in at least so many events, up to block `last`; how many it were."""
        taken = 0
        while taken < events and self._next <= last:
            until = min(self._next + BLOCKS - 1, last)
            wanted: Any = {"fromBlock": self._next, "toBlock": until, "address": self._addresses}
            for log in self._web3.eth.get_logs(wanted):
                self._insert(log)
                taken += 1
            self._next = until + 1
        return taken

    def _insert(self, log: Any) -> None:
        event = self._events[log["address"], bytes(log["topics"][0])].process_log(log)
        row = (
            event["blockNumber"],
            event["logIndex"],
            bytes(event["transactionHash"]),
            event["event"],
            json.dumps(event["args"], default=_plain),
        )
        self._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
        self._connection.commit()

    def close(self) -> None:
        """Closes its file."""
        self._connection.close()


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else dict(value)
