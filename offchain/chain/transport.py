"""JSON-RPC over a provider: what goes wrong on the way in words, and patience with nodes that are busy or behind.

Public nodes limit requests and batches, hang up, and answer at one address for several machines of which some lag.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import requests
from urllib3.exceptions import ProtocolError
from web3.exceptions import BadResponseFormat
from web3.types import RPCEndpoint

from offchain.errors import Rejected, Retryable

Result = TypeVar("Result")
JsonCall = tuple[RPCEndpoint, list[Any]]

BUSY_CODES = frozenset({-32005, -32090, 429})
BUSY_WORDS = ("rate limit", "too many requests", "limit exceeded", "request timed out", "timeout")
ABSENT_WORDS = ("header not found", "unknown block", "block not found", "beyond current head")
"""A node of a pool that lags behind the one that told of the block: it will have it in a moment."""
REVERT_WORDS = ("revert", "invalid opcode", "vm exception")
BUSY_PAUSES = (0.25, 0.5, 1.0, 2.0)
"""Seconds before a busy node is asked again; then it is the caller's turn to wait."""
BATCH_SIZE = 100
TOO_LARGE = frozenset({400, 413})
"""HTTP statuses with which some nodes refuse a batch."""


class NodeTrouble(Retryable):
    """The node was there but gave no answer: it said something with an HTTP `status`, or hung up (0)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether it may well answer in a moment: a limit of requests, a gateway without a node, a cut connection."""
        return self.status in (0, 429) or 502 <= self.status <= 504


class RpcProvider(Protocol):
    """What we use of a web3 provider (HTTP, or the embedded chain)."""

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        """One JSON-RPC request; the whole response object."""

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> Any:
        """Several at once; their response objects in order."""


@dataclass(frozen=True, slots=True)
class RpcFailure:
    """One failed answer of a batch."""

    code: int
    message: str
    data: bytes

    @property
    def is_revert(self) -> bool:
        """Whether a contract reverted, as opposed to the node refusing the request."""
        return bool(self.data) or any(word in self.message.lower() for word in REVERT_WORDS)

    @property
    def is_busy(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in BUSY_CODES or any(word in self.message.lower() for word in BUSY_WORDS + ABSENT_WORDS)


class PatientRpc:
    """Asks a provider, again for a few seconds (`BUSY_PAUSES`) where that may help; batches shrink to what it takes.

    `in_pool`: several nodes may answer at this address. `endpoint` is its name in messages; `sleep` pauses, in seconds.
    """

    def __init__(self, provider: RpcProvider, endpoint: str, *, in_pool: bool, sleep: Callable[[float], None]) -> None:
        self._provider = provider
        self._endpoint = endpoint
        self._in_pool = in_pool
        self._sleep = sleep
        self._batch_size = BATCH_SIZE

    def ask(self, calls: list[JsonCall]) -> list[Any]:
        """Results in order, failed ones as `RpcFailure`. Raises Retryable when the node cannot be reached.

        What a busy node refuses is asked again, without the rest: a batch need not pass in one piece.
        """
        results: list[Any] = [None] * len(calls)
        left = list(range(len(calls)))
        for pause in (*BUSY_PAUSES, None):
            trouble: NodeTrouble | None = None
            again: list[int] = []
            answers = self._at_once([calls[place] for place in left])
            for asked, place in enumerate(left):
                try:
                    results[place] = next(answers)
                except NodeTrouble as error:
                    trouble = error
                    again += left[asked:]
                    break
                if _may_change(calls[place], results[place], in_pool=self._in_pool):
                    again.append(place)
            if trouble is not None and (pause is None or not trouble.is_passing):
                raise trouble
            left = again
            if not left or pause is None:
                break
            self._sleep(pause)
        return results

    def _at_once(self, calls: list[JsonCall]) -> Iterator[Any]:
        """Results in order, as they come."""
        done = 0
        while done < len(calls):
            part = calls[done : done + self._batch_size]
            found = [self._alone(*part[0])] if len(part) == 1 else self._in_one_batch(part)
            if found is not None:
                yield from found
                done += len(part)

    def _alone(self, method: RPCEndpoint, params: list[Any]) -> Any:
        return parse_answer(transported(self._endpoint, lambda: self._provider.make_request(method, params)))

    def _in_one_batch(self, calls: list[JsonCall]) -> list[Any] | None:
        """Results in order; None where the node takes no batch of this size, and smaller ones are made from now on."""
        try:
            answers = transported(self._endpoint, lambda: self._provider.make_batch_request(calls))
        except NodeTrouble as error:
            if error.status not in TOO_LARGE:
                raise
            answers = None
        if isinstance(answers, list) and len(answers) == len(calls):
            return [parse_answer(answer) for answer in answers]
        refusal = parse_answer(answers)
        if isinstance(refusal, RpcFailure) and refusal.is_busy:
            return [refusal] * len(calls)
        self._batch_size = max(len(calls) // 2, 1)
        return None


def _may_change(call: JsonCall, result: Any, *, in_pool: bool) -> bool:
    """Whether the same request may be answered otherwise in a moment.

    By a busy node it is; but logs may be refused for their number. `in_pool`: another node than the one before may
    answer, and what a node that is behind says of a contract's refusal is no more than a first word; unless the block
    is given, for then it would lack that, and a refusal that is an answer (nobody can lead) must not cost seconds.
    """
    if not isinstance(result, RpcFailure):
        return False
    return (in_pool and result.is_revert and not _names_block(call)) or (result.is_busy and call[0] != "eth_getLogs")


def _names_block(call: JsonCall) -> bool:
    """Whether it is asked as of one block, by its number."""
    method, parameters = call
    return method == "eth_call" and len(parameters) > 1 and str(parameters[1]).startswith("0x")


def revert_bytes(data: Any) -> bytes:
    """Revert data as nodes give it: hex, a dict that holds it, or nothing."""
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if isinstance(data, str) and data.startswith("0x"):
        try:
            return bytes.fromhex(data[2:])
        except ValueError:
            return b""
    return b""


def parse_answer(answer: Any) -> Any:
    """The result in one response object of a node, or what it says went wrong."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if error is None:
        return answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return RpcFailure(0, str(error), b"")
    code = error.get("code", 0)
    known = code if isinstance(code, int) else 0  # some gateways answer with words
    return RpcFailure(known, str(error.get("message", "unknown error")), revert_bytes(error.get("data")))


def transported(endpoint: str, request: Callable[[], Result]) -> Result:
    """The result of `request`; failures of the transport become one-line errors that name the endpoint."""
    try:
        return request()
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403, 404, 405):
            raise Rejected(f"--rpc {endpoint}: HTTP status {status}; check the URL and its key") from error
        raise NodeTrouble(f"RPC {endpoint} answered with HTTP status {status}", status) from error
    except requests.Timeout as error:
        raise Retryable(f"RPC {endpoint} did not answer in time") from error
    except requests.RequestException as error:
        if _was_cut(error):
            raise NodeTrouble(f"--rpc {endpoint}: the node hung up without an answer", 0) from error
        raise Retryable(
            f"--rpc {endpoint}: nothing answers there; start the node (`assay devnet`) or give another URL"
        ) from error
    except (BadResponseFormat, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Retryable(f"RPC {endpoint} answered with something that is not JSON-RPC") from error


def _was_cut(error: requests.RequestException) -> bool:
    """Whether there was a connection, which broke: pools of nodes close idle ones, and those of nodes that go."""
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.exceptions.ChunkedEncodingError) or isinstance(cause, ProtocolError)
