"""Ethereum's recoverable ECDSA signatures over secp256k1, in the one form that counts: s in the order's lower half.

A signature with a larger s is the mirror of another one of the same text; who takes both can be shown one text twice.
"""

from coincurve import PrivateKey, PublicKey

from offchain.errors import Bug
from offchain.protocol.hashing import keccak

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1, rounded down."""

COMPACT_BYTES = 64
_HALF = HALF_ORDER.to_bytes(32, "big")


def address_of(key: PublicKey) -> bytes:
    """The Ethereum address of a key, 20 bytes."""
    return keccak(key.format(compressed=False)[1:])[12:]


def compact(recoverable: bytes) -> bytes:
    """EIP-2098's 64 bytes of the 65 (r, s, y parity) that libraries give; s must be in the lower half."""
    s, parity = int.from_bytes(recoverable[32:64], "big"), recoverable[64]
    odd = parity - 27 if parity >= 27 else parity
    if len(recoverable) != 65 or odd not in (0, 1) or s > HALF_ORDER:
        raise Bug("not a recoverable signature in canonical form")
    return recoverable[:32] + (odd << 255 | s).to_bytes(32, "big")


def sign_compact(key: PrivateKey, digest: bytes) -> bytes:
    """The key's signature of a 32-byte digest, 64 bytes (EIP-2098); the same for the same digest."""
    return compact(key.sign_recoverable(digest, hasher=None))


def recover_compact(digest: bytes, signature: bytes) -> bytes | None:
    """Who signed `digest` with `signature` (64 bytes); None unless it is in the form that counts."""
    if len(signature) != COMPACT_BYTES:
        return None
    parity = signature[32] >> 7
    return recover(digest, signature[:32] + bytes((signature[32] & 0x7F,)) + signature[33:] + bytes((parity,)))


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """Like `recover_compact`, of 65 bytes: r, s and the parity of y, 0 or 1."""
    if len(signature) != 65 or signature[64] > 1 or signature[32:64] > _HALF:
        return None
    try:
        return address_of(PublicKey.from_signature_and_message(signature, digest, hasher=None))
    except ValueError:
        return None
