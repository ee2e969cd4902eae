"""What transactions cost: their receipts, asked for in batches, the newest first."""

import sqlite3
from collections.abc import Callable
from typing import Any

from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient, RpcFailure
from offchain.explorer.index.writer import Receipt, Writer

AT_ONCE = 50
"""Receipts asked for in one round trip."""


class Receipts:
    """Fills in gas and fees."""

    def __init__(self, client: ChainClient, connect: Callable[[], sqlite3.Connection], writer: Writer) -> None:
        self._client = client
        self._connection = connect()
        self._writer = writer
        self._refused: set[int] = set()

    def fill(self, limit: int) -> int:
        """Asks for at most `limit` receipts; how many came. Raises Retryable when the node is down."""
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
        if isinstance(answer, RpcFailure) or answer is None:
            # Pruned at this node, or just reorganised (then the number is gone too): not asked for again.
            self._refused.add(number)
            return None
        price = answer.get("effectiveGasPrice") or "0x0"
        sender = to_checksum_address(answer["from"])
        return Receipt(number, tx, sender, int(answer["gasUsed"], 16), int(price, 16))
