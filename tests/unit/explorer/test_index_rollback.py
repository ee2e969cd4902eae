"""Whatever the chain takes back and puts in its place: the index is the one that the final chain alone would give."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.chain.cursor import Cursor, Mark
from offchain.explorer.index import open_index
from offchain.explorer.index.decoding import LogDecoder, abis_of
from offchain.explorer.index.writer import RawLog, Receipt, Writer
from tests.unit.explorer.event_logs import CAST, DEPLOYMENT, EVENTS, logs
from tests.unit.explorer.index_dump import dump

DECODER = LogDecoder(abis_of(DEPLOYMENT))
START = DEPLOYMENT.block
TOLD = [event for event in EVENTS if event[0] not in ("FederatedExtension", "ParametersTimelock")]
BIRTHS = [event for event in TOLD if event[1]["name"] in ("OrderPut", "Opened", "TaskCreated", "RootPosted", "Claimed")]


@dataclass(frozen=True, slots=True)
class Block:
    """Logs by transaction."""

    hash: bytes
    transactions: tuple[tuple[dict[str, Any], ...], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What happens: blocks come in batches, or so many blocks are taken back, or receipts come in."""

    steps: tuple[tuple[tuple[Any, ...], ...] | int, ...]


transactions = st.lists(logs(TOLD) | logs(BIRTHS), min_size=1, max_size=4).map(tuple)
blocks = st.lists(transactions, max_size=3).map(tuple)
stories = st.lists(st.lists(blocks, min_size=1, max_size=3).map(tuple) | st.integers(0, 4), min_size=2, max_size=7)


@contextmanager
def writing() -> Iterator[tuple[Writer, Path]]:
    with TemporaryDirectory() as folder:
        index = open_index(Path(folder) / "index.sqlite", DEPLOYMENT)
        writer = Writer(index.connect(), DECODER, START)
        yield writer, index.path
        writer.close()
        index.close()


def take(writer: Writer, chain: Sequence[Block], first: int) -> None:
    """Everything from a block on, in one batch."""
    raw = []
    for number, block in enumerate(chain[first:], START + first):
        index = 0
        for place, together in enumerate(block.transactions):
            for log in together:
                matched = DECODER.match(log)
                assert matched is not None
                tx = block.hash[:31] + bytes([place])
                raw.append(RawLog(*matched, number, block.hash, 1000 + number, tx, index))
                index += 1
    marks = tuple(Mark(START + place, block.hash) for place, block in enumerate(chain))
    writer.apply(raw, Cursor(START, START + len(chain), marks), {"number": len(chain)})


def fill(writer: Writer, path: Path, chain: Sequence[Block], most: int) -> None:
    """Receipts that follow from the transactions."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, hash FROM transactions WHERE gas IS NULL ORDER BY id DESC LIMIT ?", (most,))
    receipts = [
        Receipt(number, tx, CAST[1 + tx[0] % 3], 21_000 + tx[0], 7 + tx[31])  # type: ignore[arg-type]
        for number, tx in rows.fetchall()
    ]
    connection.close()
    assert writer.add_receipts(receipts) == len(receipts)


@settings(max_examples=25)
@given(stories)
def test_after_any_reorganisations_the_index_is_that_of_the_final_chain(story: list[Any]) -> None:
    hashes = count(1)
    chain: list[Block] = []
    with writing() as (writer, path):
        for step in story:
            if isinstance(step, int):
                kept = max(len(chain) - step, 0)
                if kept < len(chain):
                    chain = chain[:kept]
                    marks = tuple(Mark(START + place, block.hash) for place, block in enumerate(chain))
                    writer.roll_back(START + kept, Cursor(START, START + kept, marks))
                else:
                    fill(writer, path, chain, 2)
            else:
                first = len(chain)
                chain += [Block(next(hashes).to_bytes(32, "big")[::-1], together) for together in step]
                take(writer, chain, first)
        fill(writer, path, chain, 1000)
        actual = dump(path)
    with writing() as (writer, path):
        if chain:
            take(writer, chain, 0)
        fill(writer, path, chain, 1000)
        expected = dump(path)
    assert actual == expected
