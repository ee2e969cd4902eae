"""Public BSC nodes, emulated in front of one Anvil: a load balancer, several backends of which some lag, and limits.

What is imposed is what was seen or is documented of public nodes: `eth_getLogs` limited by blocks or by results in many
wordings, requests by the second, batches, headers with validators' seals in them (BEP-520's milliseconds too), a base
fee of 0 and a gas price that rises in spikes, connections that are cut, answers that get lost.
"""

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.integration.chain.support import CutError, Exchange, HangError, Reply, Verdict

LEAST_PRICE = 10**8
"""Wei per gas below which BSC's validators take nothing."""

VANITY, SEAL = 32, 65
TAGGED = {"eth_call": 1, "eth_getBalance": 1, "eth_getTransactionCount": 1, "eth_getCode": 1, "eth_estimateGas": 1}
"""Where these methods have the block that they are asked about."""

RANGE_WORDS = (
    (-32005, "limit exceeded"),
    (-32000, "exceed maximum block range: {blocks}"),
    (-32602, "range {asked} exceeds limit of {blocks}"),
    (-32600, "You can make eth_getLogs requests with up to a {blocks} block range."),
    (-32701, "Please specify an address in your request or, to remove restrictions, order a dedicated full node"),
)
"""How nodes refuse a range of blocks."""

RESULT_WORDS = (
    (-32005, "query returned more than {results} results"),
    (-32602, "Log response size exceeded. Based on your parameters, this block range should work: [0x1, 0x2]"),
)
"""How they refuse too many logs."""

LIMIT_WORDS = ((-32005, "rate limit exceeded"), (-32005, "limit exceeded"), (429, "Too Many Requests"))
"""How they refuse a request too many, where they don't say it with the HTTP status."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the nodes behave. `lags`: one for each backend, in blocks; one of them answers each request.

    `split`: each item of a batch may be answered by another backend. `silent_logs`: a backend that lags leaves out the
    logs that it does not have (as geth long did), instead of refusing. `batch`: the most requests of a batch, 1 for
    none. `per_second` counts each item of a batch; None for no limit. `finality` in blocks. The rest are probabilities
    of one HTTP request.
    """

    lags: tuple[int, ...] = (0,)
    split: bool = False
    silent_logs: bool = True
    log_blocks: int = 5000
    log_results: int = 10_000
    batch: int = 100
    per_second: float | None = None
    finality: int = 4
    busy: float = 0.0
    cut: float = 0.0
    lost: float = 0.0
    hang: float = 0.0


@dataclass
class Counts:
    """What has been asked and imposed; a test says what it has seen at least once."""

    requests: int = 0
    items: int = 0
    by_method: dict[str, int] = field(default_factory=dict)
    imposed: dict[str, int] = field(default_factory=dict)

    def impose(self, what: str) -> None:
        self.imposed[what] = self.imposed.get(what, 0) + 1


class PublicNodes:
    """Answers for the nodes; `answer` is the `before` of a `Proxy`."""

    def __init__(self, url: str, habits: Habits, seed: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._clock = clock
        self._lock = threading.Lock()
        self._local = threading.local()
        self._tokens = 0.0 if habits.per_second is None else habits.per_second
        self._refilled = clock()
        self.habits = habits
        self.counts = Counts()

    # One HTTP request

    def answer(self, exchange: Exchange) -> Verdict:
        items = exchange.body if isinstance(exchange.body, list) else [exchange.body]
        with self._lock:
            fault = self._fault(items)
            lags = [self._random.choice(self.habits.lags) for _ in items]
            words = self._random.choice(LIMIT_WORDS)
        if not self.habits.split:
            lags = [lags[0]] * len(items)
        if fault == "cut":
            raise CutError
        if fault == "hang":
            raise HangError
        if fault in ("busy-http", "limit-http"):
            return Reply(b"<html>slow down</html>", "429 Too Many Requests", "text/html")
        if fault == "gateway":
            return Reply(b"<html>bad gateway</html>", "502 Bad Gateway", "text/html")
        if fault in ("busy-rpc", "limit-rpc"):
            answers = [_error(item, *words) for item in items]
        elif isinstance(exchange.body, list) and len(items) > self.habits.batch:
            self._count("batch")
            return json.dumps(_error({"id": None}, -32600, f"batch of {len(items)} is too large")).encode()
        else:
            answers = self._answers(items, lags)
        if fault == "lost":
            raise CutError  # the node did the work, and nobody learns
        return json.dumps(answers if isinstance(exchange.body, list) else answers[0]).encode()

    def _fault(self, items: list[dict[str, Any]]) -> str | None:
        self.counts.requests += 1
        self.counts.items += len(items)
        for item in items:
            method = item["method"]
            self.counts.by_method[method] = self.counts.by_method.get(method, 0) + 1
        fault = self._drawn()
        if fault is None and not self._within_limit(len(items)):
            fault = self._random.choice(["limit-http", "limit-rpc"])
        if fault is not None:
            self.counts.impose(fault)
        return fault

    def _drawn(self) -> str | None:
        habits, draw = self.habits, self._random.random()
        for what, chance in (("cut", habits.cut), ("lost", habits.lost), ("hang", habits.hang), ("busy", habits.busy)):
            if draw < chance:
                return self._random.choice(["busy-http", "busy-rpc", "gateway"]) if what == "busy" else what
            draw -= chance
        return None

    def _within_limit(self, wanted: int) -> bool:
        limit = self.habits.per_second
        if limit is None:
            return True
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._refilled) * limit, 2 * limit)
        self._refilled = now
        if self._tokens < min(wanted, limit):  # a batch above the limit passes alone: else it never would
            return False
        self._tokens -= wanted
        return True

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts.impose(what)

    # Backends

    def _answers(self, items: list[dict[str, Any]], lags: list[int]) -> list[dict[str, Any]]:
        head = int(self._ask([("eth_blockNumber", [])])[0]["result"], 16)
        backends = [Backend(self.habits, max(head - lag, 0), self._count, self._ask) for lag in lags]
        asked = [backend.translate(item) for backend, item in zip(backends, items, strict=True)]
        calls = [call for call in asked if isinstance(call, tuple)]
        found = iter(self._ask(calls) if calls else [])
        answers = []
        for backend, item, call in zip(backends, items, asked, strict=True):
            answer = next(found) if isinstance(call, tuple) else call
            answers.append({**backend.dress(item, answer), "jsonrpc": "2.0", "id": item["id"]})
        return answers

    def _ask(self, calls: list[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        body = [{"jsonrpc": "2.0", "id": n, "method": method, "params": p} for n, (method, p) in enumerate(calls)]
        upstream = getattr(self._local, "upstream", None)
        if upstream is None:
            parts = urlsplit(self._url)
            upstream = self._local.upstream = HTTPConnection(str(parts.hostname), parts.port, timeout=60)
            upstream.connect()
            upstream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        found: list[dict[str, Any]] = json.loads(upstream.getresponse().read())
        return [{name: value for name, value in answer.items() if name in ("result", "error")} for answer in found]


@dataclass(frozen=True, slots=True)
class Backend:
    """One node behind the balancer, which knows the chain up to block `head`."""

    habits: Habits
    head: int
    count: Callable[[str], None]
    ask: Callable[[list[tuple[str, list[Any]]]], list[dict[str, Any]]]

    def translate(self, item: Mapping[str, Any]) -> tuple[str, list[Any]] | dict[str, Any]:
        """What to ask Anvil for, or the answer."""
        method, params = item["method"], list(item.get("params") or [])
        if method == "eth_blockNumber":
            return {"result": hex(self.head)}
        if method == "eth_getBlockByNumber":
            number = self._number(params[0])
            return {"result": None} if number > self.head else (method, [hex(number), *params[1:]])
        if method in TAGGED:
            return self._state(method, params)
        if method == "eth_getLogs":
            return self._logs(params[0])
        return method, params

    def _number(self, tag: str) -> int:
        if tag in ("latest", "pending"):
            return self.head
        if tag in ("finalized", "safe"):
            return max(self.head - self.habits.finality, 0)
        return 0 if tag == "earliest" else int(tag, 16)

    def _state(self, method: str, params: list[Any]) -> tuple[str, list[Any]] | dict[str, Any]:
        place = TAGGED[method]
        tag = params[place] if len(params) > place else "latest"
        if tag == "pending" and not self._lags():
            return method, params
        number = self._number(tag)
        if number > self.head:
            self.count("header")
            return {"error": {"code": -32000, "message": "header not found"}}
        return method, [*params[:place], hex(number), *params[place + 1 :]]

    def _lags(self) -> bool:
        return int(self.ask([("eth_blockNumber", [])])[0]["result"], 16) > self.head

    def _logs(self, query: Mapping[str, Any]) -> tuple[str, list[Any]] | dict[str, Any]:
        if "blockHash" in query:
            (block,) = self.ask([("eth_getBlockByHash", [query["blockHash"], False])])
            fields = block.get("result")
            if fields is None or int(fields["number"], 16) > self.head:
                self.count("unknown-block")
                return {"error": {"code": -32000, "message": "unknown block"}}
            return "eth_getLogs", [dict(query)]
        first = self._number(query.get("fromBlock", "latest"))
        last = self._number(query.get("toBlock", "latest"))
        if last - first + 1 > self.habits.log_blocks:
            self.count("log-blocks")
            code, words = RANGE_WORDS[(first + last) % len(RANGE_WORDS)]
            blocks = self.habits.log_blocks
            return {"error": {"code": code, "message": words.format(blocks=blocks, asked=last - first + 1)}}
        if last > self.head:
            self.count("logs-beyond")
            if not self.habits.silent_logs:
                message = "block range extends beyond current head block"
                return {"error": {"code": -32000, "message": message}}
            if first > self.head:
                return {"result": []}
        return "eth_getLogs", [{**query, "fromBlock": hex(first), "toBlock": hex(min(last, self.head))}]

    def dress(self, item: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Anvil's answer as this node would give it."""
        method, result = item["method"], answer.get("result")
        if result is None:
            return answer
        if method in ("eth_getBlockByNumber", "eth_getBlockByHash"):
            return {"result": sealed(result)}
        if method == "eth_gasPrice":
            return {"result": hex(self._price())}
        if method == "eth_getTransactionReceipt" and int(result["blockNumber"], 16) > self.head:
            self.count("receipt")
            return {"result": None}
        if method == "eth_getTransactionByHash" and result.get("blockNumber"):
            return {"result": None if int(result["blockNumber"], 16) > self.head else result}
        if method == "eth_getLogs" and len(result) > self.habits.log_results and _spans(item["params"][0]):
            self.count("log-results")
            code, words = RESULT_WORDS[len(result) % len(RESULT_WORDS)]
            return {"error": {"code": code, "message": words.format(results=self.habits.log_results)}}
        return answer

    def _price(self) -> int:
        (block,) = self.ask([("eth_getBlockByNumber", [hex(self.head), False])])
        return max(int(block["result"]["baseFeePerGas"], 16), LEAST_PRICE)


def _spans(query: Mapping[str, Any]) -> bool:
    """Whether logs of more than one block are asked for; those of one are given, however many they are."""
    return "blockHash" not in query and query["fromBlock"] != query["toBlock"]


def sealed(block: dict[str, Any]) -> dict[str, Any]:
    """A header as BSC's: vanity and a validator's seal in its extra data, milliseconds, no base fee."""
    number, seconds = int(block["number"], 16), int(block["timestamp"], 16)
    milliseconds = number * 450 % 1000
    vanity, seal = b"assay rehearsal".ljust(VANITY, b"\0"), number.to_bytes(8, "big").rjust(SEAL, b"\x5a")
    return {
        **block,
        "extraData": "0x" + (vanity + seal).hex(),
        "mixHash": f"0x{milliseconds:064x}",
        "milliTimestamp": hex(seconds * 1000 + milliseconds),
        "difficulty": "0x2",
        "baseFeePerGas": "0x0",
    }


def _error(item: Mapping[str, Any], code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": item["id"], "error": {"code": code, "message": message}}


FAULTS = {"busy": 0.04, "cut": 0.02, "lost": 0.03}
KINDS = (
    Habits(lags=(0, 0, 1, 2), log_blocks=7, **FAULTS),  # a balanced pool that keeps batches together
    Habits(lags=(0, 1, 2, 6), split=True, log_blocks=40, log_results=5, batch=3, **FAULTS),  # free of charge
    Habits(lags=(0, 3), split=True, silent_logs=False, log_blocks=20, batch=1, **FAULTS),  # no batches at all
)
