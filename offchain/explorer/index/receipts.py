"""What transactions cost: their receipts, asked for in batches, the newest first."""

import sqlite3
from collections.abc import Callable
from typing import Any

from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient, RpcFailure
from offchain.explorer.index.writer import Receipt, Writer

AT_ONCE = 50
"""Receipts asked for in one round trip."""


MOST_REFUSED = 1000
"""A node that lacks so many receipts is not asked for more for a while."""

PATIENCE = 500
"""After so many rounds what the node did not have is asked for again: it may have been behind."""

LARGEST = 2**63
"""What SQLite's integers can hold."""


class Receipts:
    """Fills in gas and fees."""

    def __init__(self, client: ChainClient, connect: Callable[[], sqlite3.Connection], writer: Writer) -> None:
        self._client = client
        self._connection = connect()
        self._writer = writer
        self._refused: set[int] = set()
        self._rounds = 0

    def fill(self, limit: int) -> int:
        """Asks for at most `limit` receipts; how many came. Raises Retryable when the node is down."""
        self._rounds += 1
        if self._rounds % PATIENCE == 0:
            self._refused.clear()
        if len(self._refused) >= MOST_REFUSED:
            return 0
        query = "SELECT id, hash FROM transactions WHERE gas IS NULL ORDER BY id DESC LIMIT ?"
        found = self._connection.execute(query, (limit + len(self._refused),)).fetchall()
        missing = [row for row in found if row[0] not in self._refused][:limit]
        noted = 0
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            calls = [("eth_getTransactionReceipt", ["0x" + tx.hex()]) for _, tx in some]
            answers = self._client.batch(calls)
            receipts = [
                receipt
                for (number, tx), answer in zip(some, answers, strict=True)
                if (receipt := self._parsed(number, tx, answer)) is not None
            ]
            noted += self._writer.add_receipts(receipts)
        return noted

    def close(self) -> None:
        """Closes its connection."""
        self._connection.close()

    def _parsed(self, number: int, tx: bytes, answer: Any) -> Receipt | None:
        if isinstance(answer, RpcFailure) and answer.is_busy:
            raise self._client.failure(answer, "eth_getTransactionReceipt")
        try:
            price = int(answer.get("effectiveGasPrice") or "0x0", 16)
            sender, gas = to_checksum_address(answer["from"]), int(answer["gasUsed"], 16)
        except (AttributeError, KeyError, TypeError, ValueError):
            gas = price = -1  # pruned at this node, or just reorganised, or no receipt at all
        if not 0 <= gas < LARGEST or price < 0:
            self._refused.add(number)
            return None
        return Receipt(number, tx, sender, gas, price)
