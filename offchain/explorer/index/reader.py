"""Reads ranges of blocks ahead of the writer: while one range is taken in, the node is asked for the next.

A range counts only if it is of one chain and continues what was read: the block before it has the hash that was marked,
and its last block has one hash before the logs and after them. Blocks near the head are asked for one by one, by their
hashes (`chain/logs.py`): a node of a pool that lags would answer for them with nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from offchain.chain.client import BlockRef, ChainClient, RpcFailure, parse_block
from offchain.chain.cursor import RangeSize
from offchain.chain.logs import LogReader
from offchain.errors import Retryable
from offchain.explorer.index.decoding import LogDecoder
from offchain.explorer.index.writer import RawLog

logger = logging.getLogger(__name__)

LOGS_AT_ONCE = 10_000
"""So many logs of one answer are enough: more are a lot of memory, here and at the node, and nobody waits for less."""

FIRST_BLOCKS = 64
"""Blocks of the first question, while nothing is known of how much is in them."""

HEADERS_AT_ONCE = 200

AHEAD = 2
"""Ranges that are asked for while one is taken in."""


@dataclass(frozen=True, slots=True)
class Range:
    """The logs of blocks `first` to `end`. `before`: hash of the block before them, None if there is none."""

    first: int
    end: BlockRef
    before: bytes | None
    logs: tuple[RawLog, ...]


class RangeReader:
    """Asks for ranges in order, some ahead. Used by one thread; has its own for asking."""

    def __init__(self, client: ChainClient, decoder: LogDecoder) -> None:
        self._client = client
        self._decoder = decoder
        self._logs = LogReader(client, decoder.addresses)
        longest = client.network.log_range
        self._size = RangeSize(min(FIRST_BLOCKS, longest), longest)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="explorer-reader")
        self._ahead: list[tuple[int, int, Future[Range]]] = []

    def read(self, first: int, head: BlockRef) -> Range:
        """A range that begins with `first` and ends with `head`, the latest block, at most.

        Raises Retryable when the node is down or the chain moved under the query, RpcRefused when it refuses a single
        block.
        """
        if not self._ahead or self._ahead[0][0] != first:
            self.forget()
        self._ask(first, head)
        start, last, future = self._ahead.pop(0)
        try:
            found = future.result()
        except Retryable:
            self.forget()
            self._size = self._size.shrunk()  # a time-out may well be because of the size
            raise
        except _RefusedError as refused:
            self.forget()
            if last == start:
                raise self._client.failure(refused.failure, "eth_getLogs") from refused
            # Nodes word their limits in many ways; whatever the objection, a smaller range is the only remedy.
            logger.info("%s objects to %d blocks of logs: %s", self._client.endpoint, last - start + 1, refused.failure)
            self._size = RangeSize(last - start + 1, self._size.maximum).shrunk()
            return self.read(first, head)
        self._fit(len(found.logs), last - start + 1)
        self._ask(last + 1, head)
        return found

    def forget(self) -> None:
        """Drops what was asked for ahead."""
        for _, _, future in self._ahead:
            future.cancel()
        self._ahead.clear()

    def close(self) -> None:
        """Ends its thread."""
        self.forget()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, first: int, head: BlockRef) -> None:
        following = self._ahead[-1][1] + 1 if self._ahead else first
        settled = self._logs.settled(head)
        while len(self._ahead) < AHEAD and following <= head.number:
            last = min(following + self._size.size - 1, settled)
            if following <= settled:
                future = self._pool.submit(self._fetch, following, last)
            else:
                last = head.number
                future = self._pool.submit(self._fetch_recent, following, head)
            self._ahead.append((following, last, future))
            following = last + 1

    def _fit(self, logs: int, blocks: int) -> None:
        most = self._size.maximum
        if logs > LOGS_AT_ONCE:
            self._size = RangeSize(max(blocks * LOGS_AT_ONCE // logs, 1), most)
        elif logs < LOGS_AT_ONCE // 2:
            self._size = RangeSize(min(max(2 * blocks, self._size.size), most), most)

    # On the reader's own thread

    def _fetch(self, first: int, last: int) -> Range:
        end = ("eth_getBlockByNumber", [hex(last), False])
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(self._decoder.addresses)}
        calls: list[tuple[str, Sequence[Any]]] = [end, ("eth_getLogs", [wanted]), end]
        if first > 0:
            calls.append(("eth_getBlockByNumber", [hex(first - 1), False]))
        answers = self._client.batch(calls)
        blocks = [answers[0], *answers[2:]]
        for answer in blocks:
            if isinstance(answer, RpcFailure):
                raise self._client.failure(answer, "eth_getBlockByNumber")
        if isinstance(answers[1], RpcFailure):
            raise _RefusedError(answers[1])
        # A hash covers all that came before it: the same last block before and after means one chain throughout.
        if any(block is None for block in blocks) or blocks[0]["hash"] != blocks[1]["hash"]:
            raise Retryable(f"{self._client.endpoint}: the chain was reorganised during a query")
        before = bytes.fromhex(blocks[2]["hash"][2:]) if first > 0 else None
        return Range(first, parse_block(blocks[1]), before, self._parsed(answers[1], first, last))

    def _fetch_recent(self, first: int, head: BlockRef) -> Range:
        blocks, logs = self._logs.recent(first, head.number, head=head)
        known = {block.number: int(block.timestamp) for block in blocks}
        before = blocks[0].parent if first > 0 else None
        return Range(first, head, before, self._parsed(logs, first, head.number, known))

    def _parsed(self, logs: Any, first: int, last: int, times: Mapping[int, int] | None = None) -> tuple[RawLog, ...]:
        """The logs in their order, each once: a node is not to be trusted with that. `times`: of blocks, if known."""
        try:
            found = self._parse(logs, times or self._times(logs))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise Retryable(f"{self._client.endpoint} answered eth_getLogs with something else than logs") from error
        places = [(log.block, log.log_index) for log in found]
        if any(before >= after for before, after in pairwise(places)):
            found = list({(log.block, log.log_index): log for log in found}.values())
            found.sort(key=lambda log: (log.block, log.log_index))
        hashes = {log.block: log.block_hash for log in found}
        if any(hashes[log.block] != log.block_hash or not first <= log.block <= last for log in found):
            raise Retryable(f"{self._client.endpoint} answered eth_getLogs with logs of other blocks")
        return tuple(found)

    def _parse(self, logs: Sequence[dict[str, Any]], times: Mapping[int, int]) -> list[RawLog]:
        found: list[RawLog] = []
        hashes: dict[str, tuple[int, bytes, int]] = {}
        for log in logs:
            matched = self._decoder.match(log)
            if matched is None:
                continue
            block_hash = log["blockHash"]
            block = hashes.get(block_hash)
            if block is None:
                number = int(log["blockNumber"], 16)
                block = hashes[block_hash] = (number, bytes.fromhex(block_hash[2:]), times[number])
            tx, place = bytes.fromhex(log["transactionHash"][2:]), int(log["logIndex"], 16)
            found.append(RawLog(matched[0], matched[1], block[0], block[1], block[2], tx, place))
        return found

    def _times(self, logs: Sequence[dict[str, Any]]) -> dict[int, int]:
        """Timestamps by block: newer nodes put them into logs; else they are in the headers."""
        known: dict[int, int] = {}
        missing: dict[int, str] = {}
        for log in logs:
            time, number = log.get("blockTimestamp"), int(log["blockNumber"], 16)
            if time is None:
                missing[number] = log["blockHash"]
            else:
                known[number] = int(time, 16)
        numbers = sorted(missing)
        for start in range(0, len(numbers), HEADERS_AT_ONCE):
            some = numbers[start : start + HEADERS_AT_ONCE]
            answers = self._client.batch([("eth_getBlockByNumber", [hex(number), False]) for number in some])
            for number, answer in zip(some, answers, strict=True):
                if isinstance(answer, RpcFailure):
                    raise self._client.failure(answer, "eth_getBlockByNumber")
                if answer is None or answer["hash"] != missing[number]:
                    raise Retryable(f"{self._client.endpoint}: the chain was reorganised during a query")
                known[number] = int(answer["timestamp"], 16)
        return known


class _RefusedError(Exception):
    """The node refused the logs."""

    def __init__(self, failure: RpcFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure
