"""Why a mined transaction has reverted."""

from collections.abc import Callable

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.transactions import Receipt, TxCall


def revert_reason(
    client: ChainClient,
    sender: ChecksumAddress,
    call: TxCall,
    receipt: Receipt,
    *,
    gas: int,
    contract_name: Callable[[str], str | None],
) -> str:
    """In words, found by running the call again on the states before and after its block. `gas`: its limit."""
    if receipt.gas_used >= gas:
        return f"ran out of gas (limit {gas})"
    fields = call_fields(sender, call)
    blocks = (receipt.block_number - 1, receipt.block_number)
    for answer in client.batch([("eth_call", [fields, hex(max(block, 0))]) for block in blocks]):
        if isinstance(answer, RpcFailure) and answer.is_revert:
            contract = contract_name(call.to or "")
            return client.errors.decode(answer.data, contract).text if answer.data else answer.message
    return "reverted (the reason depended on its place in the block)"


def call_fields(sender: ChecksumAddress, call: TxCall) -> dict[str, str]:
    """The call as JSON-RPC wants it, to run or to estimate it."""
    fields = {"from": str(sender), "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return fields if call.to is None else {**fields, "to": str(call.to)}
