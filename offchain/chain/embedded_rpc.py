"""JSON-RPC over the embedded chain: the methods of a node that we use, plus Anvil's for time and mining."""

from collections.abc import Callable
from typing import Any

from eth.abc import BlockAPI, SignedTransactionAPI
from eth_utils.address import to_checksum_address
from web3.providers import BaseProvider
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.embedded import EmbeddedChain, EmbeddedError, Mined, raise_if_failed

EMPTY_BLOOM = "0x" + "00" * 256

_Key = tuple[int | None, bytes, bytes, bytes, int, int | None]
"""What a call's answer depends on: block, sender, contract, data, value, gas."""


class EmbeddedRpc:
    """Answers JSON-RPC requests. Thread-safe as the chain is."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self.chain = chain
        self._answered_at = -1
        self._answers: dict[_Key, str] = {}
        self._methods: dict[str, Callable[..., Any]] = {
            "web3_clientVersion": lambda: "assay-embedded/py-evm",
            "net_version": lambda: str(chain.chain_id),
            "eth_chainId": lambda: hex(chain.chain_id),
            "eth_syncing": lambda: False,
            "eth_accounts": list,
            "eth_blockNumber": lambda: hex(chain.head_number),
            "eth_gasPrice": lambda: hex(chain.base_fee() + 10**9),
            "eth_maxPriorityFeePerGas": lambda: hex(10**9),
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBalance": self._balance,
            "eth_getCode": self._code,
            "eth_getStorageAt": self._storage,
            "eth_getTransactionCount": self._nonce,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_sendRawTransaction": lambda raw: _hex(chain.submit(_bytes(raw))),
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getLogs": self._logs,
            "evm_mine": self._mine,
            "evm_increaseTime": lambda seconds: chain.travel(_quantity(seconds)),
            "evm_setNextBlockTimestamp": lambda timestamp: chain.set_next_timestamp(_quantity(timestamp)),
            "anvil_dropTransaction": self._drop,
        }

    def answer(self, request: Any) -> Any:
        """The response object to one request, or the list of responses to a batch."""
        if isinstance(request, list):
            return [self.answer(item) for item in request]
        if not isinstance(request, dict):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}}
        response = {"jsonrpc": "2.0", "id": request.get("id")}
        try:
            return {**response, "result": self.result(str(request.get("method")), request.get("params") or [])}
        except EmbeddedError as error:
            details: dict[str, Any] = {"code": error.code, "message": error.message}
            if error.data:
                details["data"] = _hex(error.data)
            return {**response, "error": details}

    def result(self, method: str, params: Any) -> Any:
        """The result of one method. Raises EmbeddedError."""
        handler = self._methods.get(method)
        if handler is None:
            raise EmbeddedError(-32601, f"the method {method} does not exist on the embedded chain")
        with self.chain.lock:
            try:
                return handler(*params)
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                raise EmbeddedError(-32602, f"invalid params for {method}: {error}") from error

    # Blocks

    def _number(self, tag: Any) -> int | None:
        """Block number of a tag or hex number; None for the pool on top of the head."""
        if tag == "pending":
            return None
        if tag in ("latest", "safe", "finalized", None):
            return self.chain.head_number
        if tag == "earliest":
            return 0
        return int(tag, 16)

    def _block_by_number(self, tag: str, full: bool = False) -> Any:
        number = self._number(tag)
        block = self.chain.block_at(self.chain.head_number if number is None else number)
        return None if block is None else self._block_fields(block, full)

    def _block_by_hash(self, block_hash: str, full: bool = False) -> Any:
        number = self.chain.block_number_of(_bytes(block_hash))
        block = None if number is None else self.chain.block_at(number)
        return None if block is None else self._block_fields(block, full)

    def _block_fields(self, block: BlockAPI, full: bool) -> dict[str, Any]:
        header = block.header
        mined = list(self.chain.mined_in(block.number, block.number))
        return {
            "number": hex(block.number),
            "hash": _hex(block.hash),
            "parentHash": _hex(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "gasLimit": hex(header.gas_limit),
            "gasUsed": hex(header.gas_used),
            "baseFeePerGas": hex(header.base_fee_per_gas or 0),
            "miner": to_checksum_address(header.coinbase),
            "difficulty": "0x0",
            "extraData": _hex(header.extra_data),
            "logsBloom": EMPTY_BLOOM,
            "mixHash": _hex(header.mix_hash),
            "nonce": _hex(header.nonce),
            "sha3Uncles": _hex(header.uncles_hash),
            "stateRoot": _hex(header.state_root),
            "receiptsRoot": _hex(header.receipt_root),
            "transactionsRoot": _hex(header.transaction_root),
            "size": "0x0",
            "uncles": [],
            "transactions": [
                self._transaction_fields(item.transaction, item) if full else _hex(item.transaction.hash)
                for item in mined
            ],
        }

    # State

    def _state(self, tag: Any) -> Any:
        return self.chain.state_at(self._number(tag))

    def _balance(self, account: str, tag: Any = "latest") -> str:
        return hex(self._state(tag).get_balance(_bytes(account)))

    def _code(self, account: str, tag: Any = "latest") -> str:
        return _hex(self._state(tag).get_code(_bytes(account)))

    def _storage(self, account: str, slot: str, tag: Any = "latest") -> str:
        return _hex(self._state(tag).get_storage(_bytes(account), _quantity(slot)).to_bytes(32, "big"))

    def _nonce(self, account: str, tag: Any = "latest") -> str:
        number = self._number(tag)
        if number is None:
            return hex(self.chain.pending_nonce(_bytes(account)))
        return hex(self.chain.state_at(number).get_nonce(_bytes(account)))

    def _call(self, call: dict[str, Any], tag: Any = "latest", *_: Any) -> str:
        number, head = self._number(tag), self.chain.head_number
        gas = _quantity(call["gas"]) if call.get("gas") else None
        key = (number, *_parties(call), _quantity(call.get("value", "0x0")), gas)
        # Everybody asks the same of a block, and py-evm takes milliseconds; what is pending changes.
        if head != self._answered_at:
            self._answered_at, self._answers = head, {}
        answer = self._answers.get(key)
        if answer is None:
            answer = self._executed(*key)
            if number is not None and number <= head:
                self._answers[key] = answer
        return answer

    def _executed(self, number: int | None, sender: bytes, to: bytes, data: bytes, value: int, gas: int | None) -> str:
        computation = self.chain.execute(sender, to, data, value=value, gas=gas, number=number, pending=number is None)
        raise_if_failed(computation)
        return _hex(computation.output)

    def _estimate(self, call: dict[str, Any], tag: Any = "latest", *_: Any) -> str:
        value = _quantity(call.get("value", "0x0"))
        return hex(self.chain.estimate(*_parties(call), value=value, pending=self._number(tag) is None))

    # Transactions

    def _transaction(self, tx_hash: str) -> Any:
        key = _bytes(tx_hash)
        mined = self.chain.mined(key)
        if mined is not None:
            return self._transaction_fields(mined.transaction, mined)
        pooled = self.chain.pending(key)
        return None if pooled is None else self._transaction_fields(pooled, None)

    def _transaction_fields(self, transaction: SignedTransactionAPI, mined: Mined | None) -> dict[str, Any]:
        return {
            "hash": _hex(transaction.hash),
            "nonce": hex(transaction.nonce),
            "from": to_checksum_address(transaction.sender),
            "to": to_checksum_address(transaction.to) if transaction.to else None,
            "value": hex(transaction.value),
            "gas": hex(transaction.gas),
            "maxFeePerGas": hex(transaction.max_fee_per_gas),
            "maxPriorityFeePerGas": hex(transaction.max_priority_fee_per_gas),
            "input": _hex(transaction.data),
            "type": hex(getattr(transaction, "type_id", 0) or 0),
            "chainId": hex(self.chain.chain_id),
            "blockNumber": None if mined is None else hex(mined.block),
            "blockHash": None if mined is None else self._hash_of(mined.block),
            "transactionIndex": None if mined is None else hex(mined.index),
        }

    def _hash_of(self, number: int) -> str:
        block = self.chain.block_at(number)
        if block is None:
            raise EmbeddedError(-32001, "header not found")
        return _hex(block.hash)

    def _receipt(self, tx_hash: str) -> Any:
        mined = self.chain.mined(_bytes(tx_hash))
        if mined is None:
            return None
        transaction = mined.transaction
        created = None
        if not transaction.to and mined.succeeded:
            created = get_create_address(to_checksum_address(transaction.sender), Nonce(transaction.nonce))
        block = self.chain.block_at(mined.block)
        base_fee = 0 if block is None else block.header.base_fee_per_gas or 0
        price = min(transaction.max_fee_per_gas, base_fee + transaction.max_priority_fee_per_gas)
        return {
            "transactionHash": _hex(transaction.hash),
            "transactionIndex": hex(mined.index),
            "blockNumber": hex(mined.block),
            "blockHash": self._hash_of(mined.block),
            "from": to_checksum_address(transaction.sender),
            "to": to_checksum_address(transaction.to) if transaction.to else None,
            "contractAddress": created,
            "gasUsed": hex(mined.gas_used),
            "cumulativeGasUsed": hex(mined.cumulative),
            "effectiveGasPrice": hex(price),
            "status": hex(int(mined.succeeded)),
            "type": hex(getattr(transaction, "type_id", 0) or 0),
            "logs": self._log_fields(mined),
            "logsBloom": EMPTY_BLOOM,
        }

    def _log_fields(self, mined: Mined) -> list[dict[str, Any]]:
        if not mined.receipt.logs:
            return []
        block_hash = self._hash_of(mined.block)
        return [
            {
                "address": to_checksum_address(log.address),
                "topics": ["0x" + topic.to_bytes(32, "big").hex() for topic in log.topics],
                "data": _hex(log.data),
                "blockNumber": hex(mined.block),
                "blockHash": block_hash,
                "transactionHash": _hex(mined.transaction.hash),
                "transactionIndex": hex(mined.index),
                "logIndex": hex(mined.first_log + offset),
                "removed": False,
            }
            for offset, log in enumerate(mined.receipt.logs)
        ]

    def _logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in query:
            first = last = self.chain.block_number_of(_bytes(query["blockHash"]))
        else:
            first, last = self._number(query.get("fromBlock")), self._number(query.get("toBlock"))
        head = self.chain.head_number
        first, last = head if first is None else first, head if last is None else last
        wanted = query.get("address")
        addresses = {item.lower() for item in ([wanted] if isinstance(wanted, str) else wanted or [])}
        logs = [log for mined in self.chain.mined_in(first, last) for log in self._log_fields(mined)]
        return [
            log
            for log in logs
            if (not addresses or log["address"].lower() in addresses) and _matches(log["topics"], query.get("topics"))
        ]

    # Development

    def _mine(self, *_: Any) -> str:
        self.chain.mine()
        return "0x0"

    def _drop(self, tx_hash: str) -> Any:
        return tx_hash if self.chain.drop(_bytes(tx_hash)) else None


class EmbeddedProvider(BaseProvider):
    """A web3 provider over the embedded chain in the same process."""

    def __init__(self, rpc: EmbeddedRpc) -> None:
        super().__init__()
        self.rpc = rpc

    def make_request(self, method: Any, params: Any) -> Any:
        """One request; the response object."""
        return self.rpc.answer({"id": 1, "method": method, "params": params})

    def make_batch_request(self, requests: list[tuple[Any, Any]]) -> Any:
        """Several requests; their response objects."""
        return [self.make_request(method, params) for method, params in requests]

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002 - web3's signature
        """Always: it is here."""
        return True


def _matches(topics: list[str], wanted: Any) -> bool:
    for position, choice in enumerate(wanted or []):
        if choice is None:
            continue
        choices = [choice] if isinstance(choice, str) else choice
        if position >= len(topics) or topics[position] not in [item.lower() for item in choices]:
            return False
    return True


def _parties(call: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Sender, receiver (empty for a creation) and data of a call object."""
    data = call.get("input") or call.get("data") or "0x"
    return _bytes(call.get("from") or "0x" + "00" * 20), _bytes(call.get("to") or "0x"), _bytes(data)


def _quantity(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not value.startswith("0x"):
        raise EmbeddedError(-32602, f"expected hex data, got {value!r}")
    return bytes.fromhex(value[2:])


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()
