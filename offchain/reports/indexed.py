"""An index that is up to date, for the length of a report."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.errors import Retryable
from offchain.explorer.index import Index, Indexer, open_index

MOST_RECEIPTS = 20_000
"""Receipts that one report asks for, the newest first; they are asked for one by one, so all may take an hour."""
TRIES = 5
"""Steps in a row that may fail: the chain moves, or an explorer writes to the same file."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index, and the block that it has read up to."""

    index: Index
    head: BlockRef


@contextmanager
def up_to_date(contracts: AssayContracts, path: Path | None, *, receipts: bool = False) -> Iterator[Indexed]:
    """Reads what is missing first; with `path` it is kept there for the next time, without it is kept nowhere.

    `receipts`: with gas and fees, of MOST_RECEIPTS more transactions than before. Raises Retryable when the node is
    down, Rejected when it is on another chain.
    """
    addresses = contracts.addresses
    with closing(open_index(path, addresses)) as index:
        with closing(Indexer(contracts.client, addresses, index)) as indexer:
            head = _catch_up(indexer)
            left = MOST_RECEIPTS if receipts else 0
            while left > 0 and (came := indexer.fill_receipts(min(left, 1_000))):
                left -= came
        yield Indexed(index, head)


def _catch_up(indexer: Indexer) -> BlockRef:
    failures = 0
    while True:
        try:
            step = indexer.step()
        except Retryable:
            failures += 1
            if failures >= TRIES:
                raise
            continue
        failures = 0
        if step.caught_up:
            return step.head
