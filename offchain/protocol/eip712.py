"""EIP-712 hashing of what is signed thousands of times; for wallets and libraries the same typed data is in JSON."""

from offchain.protocol.hashing import keccak

_DOMAIN_TYPE_HASH = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


def domain_separator(name: str, version: str, chain_id: int, contract: bytes) -> bytes:
    """Of a domain with these four fields, 32 bytes; `contract` is an address of 20."""
    words = keccak(name.encode()) + keccak(version.encode()) + chain_id.to_bytes(32, "big") + contract.rjust(32, b"\0")
    return keccak(_DOMAIN_TYPE_HASH + words)


def typed_digest(separator: bytes, struct_hash: bytes) -> bytes:
    """What is signed, 32 bytes."""
    return keccak(b"\x19\x01" + separator + struct_hash)
