"""A process of its own that works as an aggregator with a development account, and dies at a boundary."""

import os
import sys
from pathlib import Path

from offchain.chain.addresses import read_addresses
from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import connect
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import dev_accounts
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.storage.store import open_store
from tests.integration.roles.killing import settle_down
from tests.integration.roles.stage import Stage

DEATH = 9


def main(url: str, addresses: str, folder: str, index: str, at: str) -> None:
    """Works until there is nothing left to do, or until boundary number `at` (from 1), where it dies."""
    met = 0

    def boundary(_: str) -> None:
        nonlocal met
        met += 1
        if met == int(at):
            os._exit(DEATH)

    client = connect(url, errors=load_error_decoder())
    contracts = AssayContracts(client, read_addresses(Path(addresses)))
    stage = Stage(client, contracts, Path(folder), open_store(f"local:{folder}/store"))
    context = stage.context(dev_accounts(int(index) + 1)[int(index)], "child", boundary=boundary)
    settle_down(AggregatorWorker(context, AggregatorOptions(stagger=0)))
    stage.close(context)


if __name__ == "__main__":
    main(*sys.argv[1:])
