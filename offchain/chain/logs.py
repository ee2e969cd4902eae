"""Reads logs so that none is missing: from nodes that limit ranges, and from pools of nodes of which some lag behind.

A node that lags answers for a range that ends beyond its head with the logs that it has, and nothing tells. So what is
near the head is asked for block by block and by hash, which a node that does not have the block refuses; only what all
have had for long is asked for in ranges, as large as the node is willing to give.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.client import BlockRef, ChainClient, RpcFailure, parse_block
from offchain.chain.cursor import Mark, RangeSize
from offchain.errors import Retryable

logger = logging.getLogger(__name__)

LAG_SECONDS = 30.0
"""How far a node of a pool may be behind the others."""


@dataclass(frozen=True, slots=True)
class LogRange:
    """All logs up to block `last`, as JSON. `marks` ascend and end with `last`: blocks whose hashes are known."""

    last: int
    logs: list[dict[str, Any]]
    marks: tuple[Mark, ...]


class LogReader:
    """Reads the logs of the contracts at `addresses`. Not thread-safe."""

    def __init__(self, client: ChainClient, addresses: Sequence[ChecksumAddress]) -> None:
        self._client = client
        self._addresses = list(addresses)
        self._range = RangeSize(client.network.log_range, client.network.log_range)
        self._recent = math.ceil(LAG_SECONDS / client.network.block_seconds)

    @property
    def range_size(self) -> int:
        """How many blocks the next query of a range will ask for at most."""
        return self._range.size

    def read(self, first: int, target: int, *, head: BlockRef, parent: bytes | None = None) -> LogRange:
        """The logs from block `first` up to `target`, or as far as one look goes. `head`: the latest block.

        `parent`: the hash of the block before `first`, if known. Raises Retryable when the node is down, does not have
        these blocks, or the chain was reorganised meanwhile; RpcRefused when it refuses even a single block.
        """
        settled = self.settled(head)
        if first <= settled:
            return self._in_ranges(first, min(target, settled))
        blocks, logs = self.recent(first, target, head=head, parent=parent)
        return LogRange(target, logs, tuple(Mark(block.number, block.hash) for block in blocks))

    def settled(self, head: BlockRef) -> int:
        """The newest block that all nodes of a pool have had for long."""
        return head.number - self._recent

    # Near the head

    def recent(
        self, first: int, target: int, *, head: BlockRef, parent: bytes | None = None
    ) -> tuple[list[BlockRef], list[dict[str, Any]]]:
        """The blocks from `first` to `target`, one chain, and their logs by the blocks' hashes. Raises as `read`."""
        blocks = self._headers(first, target, head)
        for before, block in zip([parent, *(block.hash for block in blocks)], blocks, strict=False):
            if before is not None and block.parent != before:
                raise self._moved()
        queries = [{"blockHash": "0x" + block.hash.hex(), "address": self._addresses} for block in blocks]
        logs: list[dict[str, Any]] = []
        for found in self._client.batch([("eth_getLogs", [query]) for query in queries]):
            if isinstance(found, RpcFailure):
                raise self._client.failure(found, "eth_getLogs")
            logs += found
        return blocks, logs

    def _headers(self, first: int, target: int, head: BlockRef) -> list[BlockRef]:
        numbers = range(first, min(target, head.number - 1) + 1)
        answers = self._client.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        for number, answer in zip(numbers, answers, strict=True):
            if isinstance(answer, RpcFailure):
                raise self._client.failure(answer, "eth_getBlockByNumber")
            if answer is None:
                raise Retryable(f"{self._client.endpoint} has no block {number} yet, though it said so")
        return [*(parse_block(answer) for answer in answers), *([head] if target == head.number else [])]

    # Further back

    def _in_ranges(self, first: int, target: int) -> LogRange:
        while True:
            last = min(first + self._range.size - 1, target)
            try:
                found = self._query(first, last)
            except Retryable:
                self._range = self._range.shrunk()  # a time-out may well be because of the size
                raise
            if isinstance(found, LogRange):
                self._range = self._range.grown()
                return found
            if last == first:
                raise self._client.failure(found, "eth_getLogs")
            # Nodes word their limits in many ways; whatever the objection, a smaller range is the only remedy.
            logger.info("%s objects to %d blocks of logs: %s", self._client.endpoint, last - first + 1, found.message)
            self._range = RangeSize(last - first + 1, self._range.maximum).shrunk()

    def _query(self, first: int, last: int) -> LogRange | RpcFailure:
        block = ("eth_getBlockByNumber", [hex(last), False])
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), "address": self._addresses}
        before, logs, after = self._client.batch([block, ("eth_getLogs", [wanted]), block])
        for answer in (before, after):
            if isinstance(answer, RpcFailure):
                raise self._client.failure(answer, "eth_getBlockByNumber")
        if isinstance(logs, RpcFailure):
            return logs
        # A hash covers all that came before it: the same last block before and after means one chain throughout.
        if before is None or after is None or before["hash"] != after["hash"]:
            raise self._moved()
        hashes = {int(log["blockNumber"], 16): bytes.fromhex(log["blockHash"][2:]) for log in logs}
        hashes[last] = parse_block(after).hash
        return LogRange(last, logs, tuple(Mark(number, hashes[number]) for number in sorted(hashes)))

    def _moved(self) -> Retryable:
        return Retryable(f"{self._client.endpoint}: the chain was reorganised during a query")
