"""Connection to one chain through JSON-RPC: web3 for contracts, raw requests and batches for the rest."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import requests
from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from urllib3.exceptions import ProtocolError
from web3 import HTTPProvider, Web3
from web3.contract.contract import ContractFunction
from web3.exceptions import BadResponseFormat
from web3.middleware import ExtraDataToPOAMiddleware, Web3Middleware
from web3.types import RPCEndpoint

from offchain.chain.abi import decode_outputs
from offchain.chain.errors import ContractRejected, ErrorDecoder, RpcRefused, endpoint_name
from offchain.chain.networks import Network, network_for
from offchain.errors import Rejected, Retryable
from offchain.types import Seconds, Wei

Result = TypeVar("Result")
JsonCall = tuple[RPCEndpoint, list[Any]]

DEFAULT_TIMEOUT = 15.0
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
class BlockRef:
    """A block: its number, hash (32 bytes), parent's hash and timestamp (seconds)."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: Seconds


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


class ChainClient:
    """One connection. Transport failures come out as `Retryable`, refusals as `Rejected`, reverts decoded.

    A node that is busy is asked again for a few seconds (`BUSY_PAUSES`); batches shrink to what the node takes.
    `endpoint` is the URL as shown to people (no secrets in it); `sleep` pauses, in seconds.
    """

    def __init__(
        self,
        provider: RpcProvider,
        network: Network,
        endpoint: str,
        errors: ErrorDecoder,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.provider = provider
        self.network = network
        self.endpoint = endpoint
        self.errors = errors
        self._sleep = sleep
        self._batch_size = BATCH_SIZE
        web3 = Web3(cast(Any, provider))
        if network.proof_of_authority:
            web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        web3.middleware_onion.inject(_transport_errors(endpoint), layer=0)
        self.web3 = web3

    def through(self, provider: RpcProvider) -> "ChainClient":
        """The same connection with another provider, one that stands in front of this one's, say."""
        return ChainClient(provider, self.network, self.endpoint, self.errors, sleep=self._sleep)

    @property
    def chain_id(self) -> int:
        """The chain id that was checked when the connection was made."""
        return self.network.chain_id

    def request(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC request, as JSON (hex strings, dicts).

        Raises Retryable when the node cannot be reached or is busy, ContractRejected for a revert, RpcRefused else.
        """
        (result,) = self._patiently([(RPCEndpoint(method), list(params))])
        if isinstance(result, RpcFailure):
            raise self.failure(result, method)
        return result

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Results of several requests in as few round trips as the node allows, in order; failed ones as `RpcFailure`.

        Raises Retryable when the node cannot be reached or answers a batch as a whole with a busy error.
        """
        return self._patiently([(RPCEndpoint(method), list(params)) for method, params in calls])

    def _patiently(self, calls: list[JsonCall]) -> list[Any]:
        """Results in order. What a busy node refuses is asked again, alone: a batch need not pass in one piece."""
        results: list[Any] = [None] * len(calls)
        left = list(range(len(calls)))
        in_pool = self.network.kind != "development"
        for pause in (*BUSY_PAUSES, None):
            trouble: NodeTrouble | None = None
            try:
                for place, result in zip(left, self._at_once([calls[place] for place in left]), strict=True):
                    results[place] = result
                left = [place for place in left if _may_change(calls[place], results[place], in_pool=in_pool)]
            except NodeTrouble as error:
                trouble = error
            if trouble is not None and (pause is None or not trouble.is_passing):
                raise trouble
            if not left or pause is None:
                break
            self._sleep(pause)
        return results

    def _at_once(self, calls: list[JsonCall]) -> list[Any]:
        if len(calls) == 1:
            return [parse_answer(transported(self.endpoint, lambda: self.provider.make_request(*calls[0])))]
        results: list[Any] = []
        while len(results) < len(calls):
            part = calls[len(results) : len(results) + self._batch_size]
            results += self._at_once(part) if len(part) == 1 else self._in_one_batch(part) or []
        return results

    def _in_one_batch(self, calls: list[JsonCall]) -> list[Any] | None:
        """Results in order; None where the node takes no batch of this size, and smaller ones are made from now on."""
        try:
            answers = transported(self.endpoint, lambda: self.provider.make_batch_request(calls))
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

    def failure(self, failure: RpcFailure, doing: str, contract: str | None = None) -> Exception:
        """The exception for a failed answer; `doing` names the request, `contract` the contract that was called."""
        if failure.is_revert:
            if not failure.data and failure.message:
                return ContractRejected(f"{doing}: {failure.message}", contract or "", "", {})
            return self.errors.decode(failure.data, contract).rejection(doing)
        if failure.is_busy:
            return Retryable(f"{self.endpoint} is busy: {failure.message}")
        message = f"{self.endpoint} refused {doing}: {failure.message}"
        return RpcRefused(message, failure.code, failure.message, failure.data)

    def call(self, function: ContractFunction, *, block: int | str = "latest", contract: str | None = None) -> Any:
        """Reads a contract: the decoded result of `function` at `block`; `contract` names it in errors.

        Raises ContractRejected with the decoded error when it reverts, Rejected when there is no such contract.
        """
        (answer,) = self._patiently([_eth_call(function, block)])
        return self._read_result(function, answer, contract)

    def call_many(
        self, functions: Sequence[ContractFunction], *, block: int | str = "latest", contract: str | None = None
    ) -> list[Any]:
        """Like `call` for each of them, in one round trip."""
        answers = self.batch([_eth_call(function, block) for function in functions])
        return [
            self._read_result(function, answer, contract) for function, answer in zip(functions, answers, strict=True)
        ]

    def _read_result(self, function: ContractFunction, answer: Any, contract: str | None) -> Any:
        if isinstance(answer, RpcFailure):
            raise self.failure(answer, function.fn_name, contract)
        absent = Rejected(
            f"no contract with {function.fn_name}() at {function.address} on chain {self.chain_id}: "
            "check the addresses file against the network"
        )
        if answer == "0x" and function.abi["outputs"]:
            raise absent
        try:
            return decode_outputs(function.abi["outputs"], bytes.fromhex(answer[2:]))
        except (DecodingError, TypeError, ValueError) as error:
            raise absent from error

    def head(self) -> BlockRef:
        """The latest block."""
        return self._block("latest")

    def block(self, number: int) -> BlockRef:
        """The canonical block with this number. Raises Retryable when the node does not have it (yet)."""
        return self._block(hex(number))

    def _block(self, tag: str) -> BlockRef:
        fields = self.request("eth_getBlockByNumber", tag, False)
        if fields is None:
            raise Retryable(f"{self.endpoint} has no block {tag} yet")
        return parse_block(fields)

    def now(self) -> Seconds:
        """The chain's clock: the timestamp of the latest block."""
        return self.head().timestamp

    def final_block(self, head: int | None = None) -> int:
        """Number of the newest final block by the network's policy; -1 when there is none. `head`: if known."""
        finality = self.network.finality
        if finality.kind == "tag":
            fields = self.request("eth_getBlockByNumber", finality.tag, False)
            return -1 if fields is None else parse_block(fields).number
        latest = int(self.request("eth_blockNumber"), 16) if head is None else head
        return max(latest - finality.blocks + 1, -1)

    def genesis(self) -> bytes:
        """Hash of block 0: tells two chains with one id apart (a development chain that was started anew)."""
        return self.block(0).hash

    def balance(self, account: ChecksumAddress) -> Wei:
        """Balance of the chain's coin."""
        return Wei(int(self.request("eth_getBalance", account, "latest"), 16))

    def nonce(self, account: ChecksumAddress, block: int | str = "latest") -> int:
        """Number of transactions of `account` up to `block`."""
        tag = hex(block) if isinstance(block, int) else block
        return int(self.request("eth_getTransactionCount", account, tag), 16)

    def code(self, address: ChecksumAddress) -> bytes:
        """Code at `address`; empty when there is none."""
        return bytes.fromhex(self.request("eth_getCode", address, "latest")[2:])


def connect(
    url: str, *, errors: ErrorDecoder, chain_id: int | None = None, timeout: float = DEFAULT_TIMEOUT
) -> ChainClient:
    """Connects to the node at `url` (http or https) and checks that it is on chain `chain_id`, if given.

    `timeout` in seconds for each request. Raises Rejected for a bad URL or another chain, Retryable when the node is
    down.
    """
    if not url.startswith(("http://", "https://")):
        raise Rejected(f"--rpc {endpoint_name(url)}: not an http:// or https:// URL")
    provider = HTTPProvider(url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
    return open_client(cast(RpcProvider, provider), endpoint_name(url), errors=errors, chain_id=chain_id)


def open_client(
    provider: RpcProvider, endpoint: str, *, errors: ErrorDecoder, chain_id: int | None = None
) -> ChainClient:
    """A client over any provider; see `connect`."""
    answer = transported(endpoint, lambda: provider.make_request(RPCEndpoint("eth_chainId"), []))
    result = parse_answer(answer)
    if isinstance(result, RpcFailure) or not isinstance(result, str):
        raise Rejected(f"--rpc {endpoint}: not an Ethereum node (it does not answer eth_chainId)")
    actual = int(result, 16)
    if chain_id is not None and actual != chain_id:
        raise Rejected(
            f"--rpc {endpoint}: it is on chain {actual} ({network_for(actual).name}), expected {chain_id} "
            f"({network_for(chain_id).name}); give the URL of a node of that chain"
        )
    return ChainClient(provider, network_for(actual), endpoint, errors)


def _may_change(call: JsonCall, result: Any, *, in_pool: bool) -> bool:
    """Whether the same request may be answered otherwise in a moment.

    By a busy node it is; but logs may be refused for their number. `in_pool`: another node than the one before may
    answer, and what a node that is behind says of a contract's refusal is no more than a first word.
    """
    if not isinstance(result, RpcFailure):
        return False
    return (in_pool and result.is_revert) or (result.is_busy and call[0] != "eth_getLogs")


def _eth_call(function: ContractFunction, block: int | str) -> JsonCall:
    fields = {"to": function.address, "data": function._encode_transaction_data()}
    return RPCEndpoint("eth_call"), [fields, hex(block) if isinstance(block, int) else block]


def parse_block(fields: dict[str, Any]) -> BlockRef:
    """A block of the JSON-RPC API."""
    return BlockRef(
        number=int(fields["number"], 16),
        hash=bytes.fromhex(fields["hash"][2:]),
        parent=bytes.fromhex(fields["parentHash"][2:]),
        timestamp=Seconds(int(fields["timestamp"], 16)),
    )


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
    return RpcFailure(
        int(error.get("code", 0)), str(error.get("message", "unknown error")), revert_bytes(error.get("data"))
    )


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


def _transport_errors(endpoint: str) -> type[Web3Middleware]:
    class TransportErrors(Web3Middleware):
        """Gives web3's own requests the same errors as ours."""

        def wrap_make_request(self, make_request: Any) -> Any:
            """See `transported`."""
            return lambda method, params: transported(endpoint, lambda: make_request(method, params))

    return TransportErrors
