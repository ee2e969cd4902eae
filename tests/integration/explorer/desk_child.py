"""A desk in a process of its own, for tests that kill it: `desk_child RPC FOLDER` prints its URL."""

import signal
import sys
from pathlib import Path

from offchain.chain.addresses import read_addresses
from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import connect
from offchain.chain.contracts import AssayContracts
from offchain.storage.store import open_store
from tests.integration.explorer.desk_stage import desk_place, served


def main(rpc: str, folder: Path) -> None:
    """Serves until it is killed."""
    client = connect(rpc, errors=load_error_decoder())
    contracts = AssayContracts(client, read_addresses(folder / "addresses.json"))
    with served(desk_place(client, contracts, open_store(f"local:{folder / 'store'}"), folder / "home")) as url:
        print(url, flush=True)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
