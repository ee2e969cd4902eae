"""Counts what goes to a node and comes back, around the provider: nobody who uses the client notices."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, cast

from prometheus_client import CollectorRegistry
from web3.providers import BaseProvider
from web3.types import RPCEndpoint

from offchain.chain.client import ChainClient, RpcFailure, RpcProvider, parse_answer
from offchain.metrics import catalogue
from offchain.metrics.registry import SHORT, Asked, Samples, counter, histogram

REMEMBERED = 1024
"""Broadcasts that are remembered, to tell new ones from repeated ones."""


class ChainMeters:
    """Metrics of one connection. Thread-safe. `clock`: monotonic seconds; `now`: this machine's time in seconds."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self._now = now
        self._requests = counter(registry, catalogue.RPC_REQUESTS)
        self._seconds = histogram(registry, catalogue.RPC_SECONDS, SHORT)
        self._resent = counter(registry, catalogue.RESENT)
        self._head: tuple[int, int] | None = None
        self._lock = Lock()
        self._broadcast: OrderedDict[str, None] = OrderedDict()
        Asked(
            registry,
            {
                catalogue.HEAD_BLOCK: lambda: self._of_head(lambda number, _: number),
                catalogue.HEAD_TIMESTAMP: lambda: self._of_head(lambda _, timestamp: timestamp),
                catalogue.HEAD_AGE: lambda: self._of_head(lambda _, timestamp: self._now() - timestamp),
            },
        )

    def watch(self, client: ChainClient) -> ChainClient:
        """The same connection, counted."""
        return client.through(cast(RpcProvider, MeteredProvider(client.provider, self)))

    def before(self, method: str, params: Sequence[Any]) -> None:
        """A request is about to leave."""
        if method != "eth_sendRawTransaction" or not params:
            return
        raw = str(params[0])
        with self._lock:
            if raw in self._broadcast:
                self._resent.inc()
            self._broadcast[raw] = None
            if len(self._broadcast) > REMEMBERED:
                self._broadcast.popitem(last=False)

    def after(self, method: str, params: Sequence[Any], answer: Any) -> None:
        """Its answer has come; None when there is none that could be read."""
        self._requests.labels(method, _outcome(answer)).inc()
        if method == "eth_getBlockByNumber" and params and params[0] == "latest" and isinstance(answer, dict):
            self._note_head(answer.get("result"))

    def lost(self, method: str) -> None:
        """No answer has come."""
        self._requests.labels(method, "unreachable").inc()

    def took(self, method: str, seconds: float) -> None:
        """A round trip has ended, well or not."""
        self._seconds.labels(method).observe(seconds)

    def _note_head(self, block: Any) -> None:
        try:
            self._head = int(block["number"], 16), int(block["timestamp"], 16)
        except (KeyError, TypeError, ValueError):
            return  # whoever asked for it will complain

    def _of_head(self, choose: Callable[[int, int], float]) -> Samples:
        return {} if self._head is None else {(): choose(*self._head)}


class MeteredProvider(BaseProvider):
    """Hands everything on to another provider."""

    def __init__(self, provider: RpcProvider, meters: ChainMeters) -> None:
        super().__init__()
        self._provider = provider
        self._meters = meters

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        """See RpcProvider."""
        meters, began = self._meters, self._meters.clock()
        meters.before(method, params)
        try:
            answer = self._provider.make_request(method, params)
        except BaseException:
            meters.lost(method)
            raise
        finally:
            meters.took(method, meters.clock() - began)
        meters.after(method, params, answer)
        return answer

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> Any:
        """See RpcProvider."""
        meters, began = self._meters, self._meters.clock()
        for method, params in requests:
            meters.before(method, params)
        try:
            answers = self._provider.make_batch_request(requests)
        except BaseException:
            for method, _ in requests:
                meters.lost(method)
            raise
        finally:
            meters.took("batch", meters.clock() - began)
        each = answers if isinstance(answers, list) and len(answers) == len(requests) else [answers] * len(requests)
        for (method, params), answer in zip(requests, each, strict=True):
            meters.after(method, params, answer)
        return answers

    def is_connected(self, show_traceback: bool = False) -> bool:
        """See BaseProvider."""
        return bool(cast(BaseProvider, self._provider).is_connected(show_traceback))


def _outcome(answer: Any) -> str:
    result = parse_answer(answer)
    if not isinstance(result, RpcFailure):
        return "ok"
    if result.is_revert:
        return "reverted"
    return "busy" if result.is_busy else "refused"
