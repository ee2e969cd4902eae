"""Transactions as values: what to call, how it was signed, what came of it."""

import json
from dataclasses import dataclass, replace
from typing import Any, Protocol

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3.contract.contract import ContractConstructor, ContractFunction

from offchain.types import Wei

NOTHING = Wei(0)


class Signed(Protocol):
    """A signed transaction, as eth-account gives it."""

    @property
    def hash(self) -> bytes:
        """Its hash (32 bytes)."""

    @property
    def raw_transaction(self) -> bytes:
        """Its bytes."""


class Signer(Protocol):
    """An account that signs: eth-account's, or ape's behind an adapter."""

    @property
    def address(self) -> str:
        """Its address."""

    def sign_transaction(self, transaction_dict: Any, /) -> Signed:
        """Signs a transaction of eth-account's fields (chainId, nonce, gas, value, data, to, fees)."""


@dataclass(frozen=True, slots=True)
class TxCall:
    """A call to send. `to` is None for a deployment; `value` in wei of the chain's coin; `label` is for messages."""

    to: ChecksumAddress | None
    data: bytes
    value: Wei = NOTHING
    label: str = "transaction"


def as_call(call: ContractFunction | ContractConstructor | TxCall) -> TxCall:
    """Any call in the one form."""
    if isinstance(call, TxCall):
        return replace(call, to=None if call.to is None else to_checksum_address(call.to))
    if isinstance(call, ContractConstructor):
        return TxCall(None, bytes.fromhex(str(call.data_in_transaction).removeprefix("0x")), label="deployment")
    data = bytes.fromhex(str(call._encode_transaction_data()).removeprefix("0x"))
    return TxCall(to_checksum_address(call.address), data, label=call.fn_name)


@dataclass(frozen=True, slots=True)
class Fees:
    """Price of gas, in wei per unit. `tip` is None for a legacy transaction, whose gas price is `maximum`."""

    maximum: int
    tip: int | None

    def fields(self) -> dict[str, int]:
        """The transaction fields."""
        if self.tip is None:
            return {"gasPrice": self.maximum}
        return {"type": 2, "maxFeePerGas": self.maximum, "maxPriorityFeePerGas": self.tip}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed form of an intent; all attempts of an intent share its nonce, so at most one is ever mined."""

    tx_hash: bytes
    raw: bytes
    fees: Fees


def sign(account: Signer, call: TxCall, *, chain_id: int, nonce: int, gas: int, fees: Fees) -> Attempt:
    """Signs a transaction."""
    fields: dict[str, Any] = {"chainId": chain_id, "nonce": nonce, "gas": gas, "value": call.value, "data": call.data}
    if call.to is not None:
        fields["to"] = call.to
    signed = account.sign_transaction({**fields, **fees.fields()})
    return Attempt(bytes(signed.hash), bytes(signed.raw_transaction), fees)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a transaction. `logs` are raw JSON-RPC logs; `gas_price` is what was paid, in wei per gas."""

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int
    contract_address: ChecksumAddress | None
    logs: tuple[dict[str, Any], ...]

    def to_json(self) -> str:
        """For the journal."""
        return json.dumps(
            {
                "transactionHash": "0x" + self.tx_hash.hex(),
                "blockNumber": hex(self.block_number),
                "blockHash": "0x" + self.block_hash.hex(),
                "status": hex(int(self.succeeded)),
                "gasUsed": hex(self.gas_used),
                "effectiveGasPrice": hex(self.gas_price),
                "contractAddress": self.contract_address,
                "logs": list(self.logs),
            }
        )


def parse_receipt(fields: dict[str, Any]) -> Receipt:
    """A receipt of the JSON-RPC API, or of the journal."""
    created = fields.get("contractAddress")
    return Receipt(
        tx_hash=bytes.fromhex(fields["transactionHash"][2:]),
        block_number=int(fields["blockNumber"], 16),
        block_hash=bytes.fromhex(fields["blockHash"][2:]),
        succeeded=int(fields["status"], 16) == 1,
        gas_used=int(fields["gasUsed"], 16),
        gas_price=int(fields.get("effectiveGasPrice") or "0x0", 16),
        contract_address=to_checksum_address(created) if created else None,
        logs=tuple(fields["logs"]),
    )
