"""What transactions cost and who sent them: asked for in batches, from any node. Answers are bounded and checked."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from eth_utils.abi import function_abi_to_4byte_selector
from eth_utils.address import to_checksum_address

from offchain.chain.artifacts import ALL_CONTRACTS, load_artifact
from offchain.chain.client import ChainClient, RpcFailure
from offchain.errors import Retryable
from offchain.reports.story import Spending
from offchain.types import Wei

AT_ONCE = 40
UNKNOWN = "another program's call"


def read_spending(client: ChainClient, hashes: Sequence[bytes]) -> tuple[Spending, ...]:
    """In the order of `hashes`; those of which the node has no receipt any more are left out.

    Raises Retryable when the node is down.
    """
    found: list[Spending] = []
    for start in range(0, len(hashes), AT_ONCE):
        part = ["0x" + tx.hex() for tx in hashes[start : start + AT_ONCE]]
        receipts = client.batch([("eth_getTransactionReceipt", [tx]) for tx in part])
        calls = client.batch([("eth_getTransactionByHash", [tx]) for tx in part])
        for tx, receipt, call in zip(hashes[start : start + AT_ONCE], receipts, calls, strict=True):
            spent = _parse(client.endpoint, tx, receipt, call)
            if spent is not None:
                found.append(spent)
    return tuple(found)


def _parse(endpoint: str, tx: bytes, receipt: Any, call: Any) -> Spending | None:
    if not isinstance(receipt, dict) or isinstance(call, RpcFailure):
        return None
    try:
        gas = int(receipt["gasUsed"], 16)
        price = int(receipt.get("effectiveGasPrice") or "0x0", 16)
        payer = to_checksum_address(receipt["from"])
        block = int(receipt["blockNumber"], 16)
        data = call.get("input", "0x") if isinstance(call, dict) else "0x"
    except (KeyError, TypeError, ValueError) as error:
        raise Retryable(f"{endpoint} gave a receipt that is none") from error
    return Spending(tx, block, payer, action_of(str(data)[:10]), gas, Wei(gas * price))


def action_of(selector: str) -> str:
    """The function with this selector (0x and 8 digits), in words: "reveal scores"."""
    name = _functions().get(selector.lower())
    if name is None:
        return UNKNOWN
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


@cache
def _functions() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for contract in ALL_CONTRACTS:
        for entry in load_artifact(contract).abi:
            if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure"):
                found["0x" + function_abi_to_4byte_selector(entry).hex()] = entry["name"]  # type: ignore[arg-type]
    return found
