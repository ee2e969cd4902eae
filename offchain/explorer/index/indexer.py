"""Keeps an index up with the chain: catching up, following, taking back what the chain took back, and receipts."""

import logging
import sqlite3
from dataclasses import dataclass

from offchain.chain.addresses import Addresses
from offchain.chain.client import BlockRef, ChainClient, parse_block
from offchain.chain.cursor import Cursor, Mark
from offchain.errors import Rejected, Retryable
from offchain.explorer.index.decoding import LogDecoder, abis_of
from offchain.explorer.index.index import Index
from offchain.explorer.index.reader import Range, RangeReader
from offchain.explorer.index.receipts import Receipts
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.writer import StaleIndexError, Writer
from offchain.types import Seconds

logger = logging.getLogger(__name__)

KEPT_BLOCKS = 64
"""Blocks below the newest final one of which hashes are kept: a node may change its mind about what is final."""
OTHERS = 200
"""Events of another writer that one step tells."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. `rolled_back`: events from this block on were taken back first, None if none were.

    `caught_up`: there is nothing beyond. `head`, `final`: the chain's newest block, its newest final one (-1: none).
    """

    events: tuple[EventRow, ...]
    rolled_back: int | None
    caught_up: bool
    head: BlockRef
    final: int


class Indexer:
    """The writer of an index; for one thread. Another one on the same file does no harm but to its own speed, and what
    it took in is told by steps of this one, too."""

    def __init__(self, client: ChainClient, addresses: Addresses, index: Index) -> None:
        self._client = client
        decoder = LogDecoder(abis_of(addresses))
        self._index = index
        self._writer = Writer(index.connect(), decoder, addresses.block)
        self._told = self._writer.newest
        # A decoder of its own: the reader's thread uses it.
        self._reader = RangeReader(client, LogDecoder(abis_of(addresses)))
        self._receipts = Receipts(client, index.connect, self._writer)
        self._head: tuple[BlockRef, int] | None = None
        self._genesis = addresses.genesis
        self._checked = False

    def step(self) -> Step:
        """Takes in one range of blocks, or takes back what the chain has.

        Raises Retryable when the node is down or the chain moved under the query: step again. Raises Rejected when the
        node is on another chain than the index.
        """
        if not self._checked:
            self._check_chain()
        cursor = self._writer.cursor
        if self._head is None or cursor.position > self._head[0].number:
            self._look(cursor)
        head, final = self._known_head()
        if self._writer.newest > self._told:
            return self._others(cursor)
        if cursor.position > head.number:
            return self._idle(cursor, head, final)
        try:
            found = self._reader.read(cursor.position, head)
            if not _continues(cursor, found):
                return self._roll_back(cursor)
            return self._take(cursor, found, head, final)
        except Retryable:
            self._head = None
            raise
        except StaleIndexError:
            return self._others(cursor)
        except OverflowError as error:
            self._reader.forget()
            raise Retryable(f"{self._client.endpoint} answered with numbers that no contract of ours has") from error
        except sqlite3.OperationalError as error:  # a full disk, or another writer that does not let go
            self._reader.forget()
            raise Retryable(f"the index cannot be written now ({error})") from error

    def fill_receipts(self, limit: int = 100) -> int:
        """Asks for so many receipts that are missing, the newest first; how many came. Raises Retryable."""
        try:
            return self._receipts.fill(limit)
        except StaleIndexError:
            return 0
        except sqlite3.OperationalError as error:
            raise Retryable(f"the index cannot be written now ({error})") from error

    def close(self) -> None:
        """Ends what it has begun."""
        self._reader.close()
        self._receipts.close()
        self._writer.close()

    def _known_head(self) -> tuple[BlockRef, int]:
        if self._head is None:
            raise Retryable(f"{self._client.endpoint}: no head yet")
        return self._head

    def _look(self, cursor: Cursor) -> None:
        head = self._client.head()
        self._head = (head, self._client.final_block(head.number))
        if cursor.position > head.number + 1:  # a shorter chain than was read
            self._reader.forget()

    def _idle(self, cursor: Cursor, head: BlockRef, final: int) -> Step:
        newest = cursor.marks[-1] if cursor.marks else None
        known = newest is None or (newest.number == head.number and newest.hash == head.hash)
        if not known and (newest is None or self._hash_of(newest.number, head) != newest.hash):
            return self._roll_back(cursor)
        self._writer.note_head(_head_fields(head, final, caught_up=True))
        return Step((), None, True, head, final)

    def _take(self, cursor: Cursor, found: Range, head: BlockRef, final: int) -> Step:
        marks = {log.block: log.block_hash for log in found.logs} | {found.end.number: found.end.hash}
        ascending = [Mark(number, block_hash) for number, block_hash in sorted(marks.items())]
        caught_up = found.end.number >= head.number
        fields = _head_fields(head, final, caught_up=caught_up)
        events = self._writer.apply(found.logs, cursor.advanced(ascending, final=final - KEPT_BLOCKS), fields)
        self._told = self._writer.newest
        return Step(events, None, caught_up, head, final)

    def _others(self, cursor: Cursor) -> Step:
        """Another explorer has written to the same file since `cursor`: it goes on from there."""
        self._reader.forget()
        head, final = self._known_head()
        events = self._index.events(after=self._told, limit=OTHERS).rows
        self._told = events[-1].seq if events else self._writer.newest
        position = self._writer.cursor.position
        return Step(events, position if position < cursor.position else None, False, head, final)

    def _roll_back(self, cursor: Cursor) -> Step:
        self._reader.forget()
        self._look(cursor)
        head, final = self._known_head()
        rewound = cursor.rewound(lambda number: self._hash_of(number, head))
        if rewound.position >= cursor.position:
            raise Retryable(f"{self._client.endpoint}: the chain was reorganised during a query")
        logger.info("blocks from %d on were rolled back", rewound.position)
        self._writer.roll_back(rewound.position, rewound)
        return Step((), rewound.position, False, head, final)

    def _hash_of(self, number: int, head: BlockRef) -> bytes | None:
        if number == head.number:
            return head.hash
        if number > head.number:
            return None
        fields = self._client.request("eth_getBlockByNumber", hex(number), False)
        return None if fields is None else parse_block(fields).hash

    def _check_chain(self) -> None:
        if self._client.genesis() != self._genesis:
            raise Rejected(
                f"{self._client.endpoint} is another chain than the addresses file says (started anew?); deploy again"
            )
        self._checked = True


def _continues(cursor: Cursor, found: Range) -> bool:
    """Whether the range goes on from what was read: the block before it is the newest that is marked."""
    if not cursor.marks:
        return True
    newest = cursor.marks[-1]
    return newest.number == found.first - 1 and newest.hash == found.before


def _head_fields(head: BlockRef, final: int, *, caught_up: bool) -> dict[str, object]:
    return {
        "number": head.number,
        "hash": head.hash.hex(),
        "at": Seconds(head.timestamp),
        "final": final,
        "caught_up": caught_up,
    }
