"""Connection to one chain through JSON-RPC: web3 for contracts, raw requests and batches for the rest."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from web3 import HTTPProvider, Web3
from web3.contract.contract import ContractFunction
from web3.middleware import ExtraDataToPOAMiddleware, Web3Middleware
from web3.types import RPCEndpoint

from offchain.chain.abi import decode_outputs
from offchain.chain.errors import ContractRejected, ErrorDecoder, RpcRefused, endpoint_name
from offchain.chain.networks import Network, network_for
from offchain.chain.transport import (
    JsonCall,
    PatientRpc,
    RpcFailure,
    RpcProvider,
    parse_answer,
    revert_bytes,
    transported,
)
from offchain.errors import Rejected, Retryable
from offchain.types import Seconds, Wei

__all__ = [
    "BlockRef",
    "ChainClient",
    "RpcFailure",
    "RpcProvider",
    "connect",
    "open_client",
    "parse_answer",
    "parse_block",
    "revert_bytes",
]

DEFAULT_TIMEOUT = 15.0
UNKNOWN_CHAIN = 0


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block: its number, hash (32 bytes), parent's hash and timestamp (seconds)."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: Seconds


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
        self._rpc = PatientRpc(provider, endpoint, in_pool=network.kind != "development", sleep=sleep)
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
        (result,) = self._rpc.ask([(RPCEndpoint(method), list(params))])
        if isinstance(result, RpcFailure):
            raise self.failure(result, method)
        return result

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Results of several requests in as few round trips as the node allows, in order; failed ones as `RpcFailure`.

        Raises Retryable when the node cannot be reached or answers a batch as a whole with a busy error.
        """
        return self._rpc.ask([(RPCEndpoint(method), list(params)) for method, params in calls])

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
        (answer,) = self._rpc.ask([_eth_call(function, block)])
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
    stranger = ChainClient(provider, network_for(UNKNOWN_CHAIN), endpoint, errors)
    (result,) = stranger.batch([("eth_chainId", [])])
    if isinstance(result, RpcFailure) and result.is_busy:
        raise stranger.failure(result, "eth_chainId")
    if isinstance(result, RpcFailure) or not isinstance(result, str):
        raise Rejected(f"--rpc {endpoint}: not an Ethereum node (it does not answer eth_chainId)")
    actual = int(result, 16)
    if chain_id is not None and actual != chain_id:
        raise Rejected(
            f"--rpc {endpoint}: it is on chain {actual} ({network_for(actual).name}), expected {chain_id} "
            f"({network_for(chain_id).name}); give the URL of a node of that chain"
        )
    return ChainClient(provider, network_for(actual), endpoint, errors)


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


def _transport_errors(endpoint: str) -> type[Web3Middleware]:
    class TransportErrors(Web3Middleware):
        """Gives web3's own requests the same errors as ours."""

        def wrap_make_request(self, make_request: Any) -> Any:
            """See `transported`."""
            return lambda method, params: transported(endpoint, lambda: make_request(method, params))

    return TransportErrors
