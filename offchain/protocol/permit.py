"""EIP-2612 permits of the utility token as EIP-712 typed data. Pure: signing is the caller's."""

from typing import Any

from eth_typing import ChecksumAddress

from offchain.types import Seconds, Wei

TOKEN_NAME = "Assay"
"""The token's EIP-712 domain name; its version is "1" (OpenZeppelin's ERC20Permit)."""

_DOMAIN = ("name:string", "version:string", "chainId:uint256", "verifyingContract:address")
_PERMIT = ("owner:address", "spender:address", "value:uint256", "nonce:uint256", "deadline:uint256")


def permit_message(
    *,
    chain_id: int,
    token: ChecksumAddress,
    owner: ChecksumAddress,
    spender: ChecksumAddress,
    value: Wei,
    nonce: int,
    deadline: Seconds,
) -> dict[str, Any]:
    """The message that lets `spender` take `value` wei from `owner` once, until `deadline` (a timestamp)."""
    return {
        "types": {"EIP712Domain": _fields(_DOMAIN), "Permit": _fields(_PERMIT)},
        "primaryType": "Permit",
        "domain": {"name": TOKEN_NAME, "version": "1", "chainId": chain_id, "verifyingContract": token},
        "message": {"owner": owner, "spender": spender, "value": value, "nonce": nonce, "deadline": deadline},
    }


def _fields(pairs: tuple[str, ...]) -> list[dict[str, str]]:
    return [dict(zip(("name", "type"), pair.split(":"), strict=True)) for pair in pairs]
