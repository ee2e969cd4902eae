"""Accounts as people and wallets write them."""

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address

from offchain.explorer.desk.refusals import Faulty


def checksum(address: str, field: str = "account") -> ChecksumAddress:
    """An account as it is written everywhere else. Raises Rejected when its letters' case says that it is mistyped."""
    plain = to_checksum_address(address)
    if address not in (address.lower(), "0x" + address[2:].upper()) and not is_checksum_address(address):
        raise Faulty(field, f"{address} is mistyped (its checksum is wrong)")
    return plain
