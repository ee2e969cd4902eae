"""Past events of one contract, found from the present backwards, in ranges as large as the node is willing to give."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.cursor import RangeSize
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.errors import Bug, Retryable

logger = logging.getLogger(__name__)

Topics = tuple[bytes | None, ...]
"""What an event's topics must be, in order; None is any."""


class History:
    """The events of `decoder`'s one contract, which was deployed in block `first` or later."""

    def __init__(self, client: ChainClient, decoder: EventDecoder, *, first: int) -> None:
        if len(decoder.addresses) != 1:
            raise Bug("a history is of one contract")
        self._client = client
        self._decoder = decoder
        self._first = first
        self._range = RangeSize(client.network.log_range, client.network.log_range)

    def backwards(self, topics: Topics, *, last: int, since: int | None = None) -> Iterator[Event]:
        """The events with these topics, newest first, from block `last` down to `since`.

        Raises Retryable when the node is down or too busy, RpcRefused when it refuses a single block.
        """
        lowest = self._first if since is None else max(since, self._first)
        while last >= lowest:
            begin, logs = self._read(lowest, last, topics)
            for log in reversed(logs):
                event = self._decoder.decode(log)
                if event is not None:
                    yield event
            last = begin - 1

    def _read(self, lowest: int, last: int, topics: Topics) -> tuple[int, list[Mapping[str, Any]]]:
        """The logs of a range that ends with `last`, in order, and where it begins."""
        while True:
            begin = max(last - self._range.size + 1, lowest)
            wanted = {
                "fromBlock": hex(begin),
                "toBlock": hex(last),
                "address": self._decoder.addresses[0],
                "topics": [None if topic is None else "0x" + topic.hex() for topic in topics],
            }
            try:
                found = self._query(wanted)
            except Retryable:
                self._range = self._range.shrunk()  # a time-out may well be because of the size
                raise
            if not isinstance(found, RpcFailure):
                self._range = self._range.grown()
                return begin, found
            if last == begin:
                raise self._client.failure(found, "eth_getLogs")
            logger.info("%s objects to %d blocks of logs: %s", self._client.endpoint, last - begin + 1, found.message)
            self._range = RangeSize(last - begin + 1, self._range.maximum).shrunk()

    def _query(self, wanted: Mapping[str, Any]) -> Any:
        """Logs, or the node's objection.

        On public networks the node is asked for the last block of the range along with them: one that is behind would
        leave out what it does not have, and say nothing.
        """
        query = ("eth_getLogs", [wanted])
        if self._client.network.kind == "development":
            (found,) = self._client.batch([query])
            return found
        block, found = self._client.batch([("eth_getBlockByNumber", [wanted["toBlock"], False]), query])
        if isinstance(block, RpcFailure):
            raise self._client.failure(block, "eth_getBlockByNumber")
        if block is None:
            raise Retryable(f"{self._client.endpoint} has no block {int(wanted['toBlock'], 16)} yet, though it said so")
        return found
