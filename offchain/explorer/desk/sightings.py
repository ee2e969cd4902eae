"""What a wallet has sent, as the chain shows it: transactions by hash, and by nonce where nobody told a hash.

A hash that somebody reports is a hint. What counts is the transaction itself: who sent it, to which contract, with what
calldata and value.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.client import BlockRef, ChainClient, RpcFailure
from offchain.chain.transactions import Receipt, TxCall, parse_receipt
from offchain.errors import Rejected, Retryable

logger = logging.getLogger(__name__)

MOST_NONCES = 64
"""Transactions of an account that are looked through at once."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as a node shows it, and its receipt if it is mined."""

    hash: bytes
    sender: ChecksumAddress
    nonce: int
    call: TxCall
    gas: int
    receipt: Receipt | None = None


def difference(transaction: Transaction, account: ChecksumAddress, call: TxCall) -> str | None:
    """In what a transaction is not this call of this account; None when it is."""
    actual = transaction.call
    if transaction.sender != account:
        return f"it was sent by {transaction.sender}, not by {account}"
    if actual.to != call.to:
        return f"it goes to {actual.to or 'nobody'}, not to {call.to}"
    if actual.data != call.data:
        return "its calldata is another"
    if actual.value != call.value:
        return f"its value is {actual.value} wei, not {call.value}"
    return None


def find_transactions(client: ChainClient, hashes: Sequence[bytes]) -> dict[bytes, Transaction]:
    """Those that the node knows, in the pool or in a block. Raises Retryable."""
    asked: list[tuple[str, list[Any]]] = []
    for tx_hash in hashes:
        asked += [("eth_getTransactionByHash", [_hex(tx_hash)]), ("eth_getTransactionReceipt", [_hex(tx_hash)])]
    answers = client.batch(asked)
    found: dict[bytes, Transaction] = {}
    for index, tx_hash in enumerate(hashes):
        fields, receipt = answers[2 * index], answers[2 * index + 1]
        for answer in (fields, receipt):
            if isinstance(answer, RpcFailure):
                raise Retryable(f"{client.endpoint} does not tell of transaction {_hex(tx_hash)}: {answer.message}")
        if fields is not None:
            mined = receipt is not None and receipt.get("blockNumber") is not None
            found[tx_hash] = _parse(fields, parse_receipt(receipt) if mined else None)
    return found


def sent_between(
    client: ChainClient, account: ChecksumAddress, first: int, end: int, *, low: int, head: BlockRef
) -> list[Transaction]:
    """The account's mined transactions with nonces from `first` to `end` - 1; it had sent `first` by block `low`.

    Finds each one's block by halving; where the node has forgotten the states between, nothing. Raises Retryable.
    """
    found: list[Transaction] = []
    for nonce in range(max(first, end - MOST_NONCES), end):
        try:
            low = _block_of(client, account, nonce, low, head.number)
        except Rejected as error:
            logger.info("transactions of %s from nonce %d on cannot be looked for: %s", account, nonce, error)
            return found
        block = client.request("eth_getBlockByNumber", hex(low), True)
        if block is None:
            raise Retryable(f"{client.endpoint} has no block {low} any more")
        mine = (fields for fields in block["transactions"] if to_checksum_address(fields["from"]) == account)
        found += [_parse(fields, None) for fields in mine if int(fields["nonce"], 16) == nonce]
        low -= 1  # the next may be in the same block
    return found


def _block_of(client: ChainClient, account: ChecksumAddress, nonce: int, low: int, high: int) -> int:
    """The block with the account's transaction of this nonce, above `low` and not above `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        if client.nonce(account, middle) > nonce:
            high = middle
        else:
            low = middle
    return high


def _parse(fields: dict[str, Any], receipt: Receipt | None) -> Transaction:
    to = fields.get("to")
    call = TxCall(
        None if to is None else to_checksum_address(to),
        bytes.fromhex(fields["input"][2:]),
        int(fields["value"], 16),  # type: ignore[arg-type]  # wei
    )
    return Transaction(
        hash=bytes.fromhex(fields["hash"][2:]),
        sender=to_checksum_address(fields["from"]),
        nonce=int(fields["nonce"], 16),
        call=call,
        gas=int(fields["gas"], 16),
        receipt=receipt,
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
