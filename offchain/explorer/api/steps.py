"""The step that the contract computed, from the transaction's calldata: the operands that decided a dispute."""

from collections import OrderedDict
from threading import Lock
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient
from offchain.errors import AssayError
from offchain.explorer.api.plain import AbiEntry, shown

MOST_KEPT = 512
MOST_CALLDATA = 256 << 10
"""Bytes; a chain takes no larger transactions."""
COMPUTING = ("compute", "computePart", "contest", "contestPart")
SELECTOR_BYTES = 4


class Steps:
    """Reads transactions when somebody looks at a dispute; they never change, so the last stay in memory."""

    def __init__(self, client: ChainClient, court: ChecksumAddress) -> None:
        self._client = client
        self._court = court
        self._lock = Lock()
        self._kept: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        abi = load_artifact("DisputeCourt").abi
        entries = [entry for entry in abi if entry["type"] == "function" and entry["name"] in COMPUTING]
        self._functions = {function_abi_to_4byte_selector(entry): entry for entry in entries}  # type: ignore[arg-type]

    def read(self, tx: bytes) -> dict[str, Any] | None:
        """`function` and its arguments by name; None if the node lacks it, or it was not a direct call."""
        with self._lock:
            kept = self._kept.get(tx)
        if kept is not None:
            return kept
        try:
            found = self._client.request("eth_getTransactionByHash", "0x" + tx.hex())
        except AssayError:
            return None
        step = self._decoded(found)
        if step is not None:
            with self._lock:
                self._kept[tx] = step
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return step

    def _decoded(self, found: Any) -> dict[str, Any] | None:
        """What comes from a node is not trusted to be well formed."""
        if not isinstance(found, dict) or str(found.get("to")).lower() != self._court.lower():
            return None
        text = found.get("input")
        if not isinstance(text, str) or len(text) > 2 * MOST_CALLDATA + 2:
            return None
        try:
            data = bytes.fromhex(text.removeprefix("0x"))
            entry = self._functions.get(data[:SELECTOR_BYTES])
            return None if entry is None else _call(entry, data[SELECTOR_BYTES:])
        except (ValueError, DecodingError, OverflowError):
            return None


def _call(entry: AbiEntry, data: bytes) -> dict[str, Any]:
    inputs = entry["inputs"]
    values = decode([collapse_if_tuple(item) for item in inputs], data)
    arguments = {item["name"]: shown(item, value) for item, value in zip(inputs, values, strict=True)}
    return {"function": entry["name"]} | arguments
