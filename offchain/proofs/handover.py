"""A data key encrypted to a client (docs/private-orders.md, Handover). Pure.

X25519 (RFC 7748) between the client's key, made for the order, and an ephemeral one; HKDF-SHA256 (RFC 5869), no salt,
the context as info; ChaCha20-Poly1305 (RFC 8439) with nonce 0 and the context as associated data. The contract decrypts
the same 32 bytes and does not look at the tag: what counts is the hash of the data key. Twin of `HandoverVerifier.sol`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_abi.abi import encode

from offchain.errors import Bug
from offchain.protocol.hashing import keccak

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A data key encrypted to a client: `data` 32 bytes, the AEAD's `tag` 16."""

    data: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class UnsealedKey:
    """What is found in a sealed key.

    usable: the shared secret is not zero, which anyone knows. authentic: the tag fits.
    """

    key: bytes
    usable: bool
    authentic: bool


def sealing_context(
    chain_id: int, contract: str, oid: int, provider: str, client_key: bytes, ephemeral: bytes
) -> bytes:
    """What ties a sealed key to its place, 32 bytes. contract: the address of PrivateOrders; keys: 32 bytes each."""
    kinds = ["string", "uint256", "address", "uint256", "address", "bytes32", "bytes32"]
    return keccak(encode(kinds, ["Assay private order", chain_id, contract, oid, provider, client_key, ephemeral]))


def public_key(private: bytes) -> bytes:
    """The X25519 public key, 32 bytes, of a private one of 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal_key(key: bytes, ephemeral: bytes, client_key: bytes, context: bytes) -> SealedKey:
    """The data key (32 bytes) for the holder of `client_key`; `ephemeral` is the private key made for this.

    A client's key of low order gives a secret that anyone knows. That is the client's own business.
    """
    if len(key) != KEY_BYTES:
        raise Bug(f"a data key of {len(key)} bytes")
    sealing, _ = _sealing_key(ephemeral, client_key, context)
    both = ChaCha20Poly1305(sealing).encrypt(bytes(12), key, context)
    return SealedKey(both[:KEY_BYTES], both[KEY_BYTES:])


def unseal_key(private: bytes, ephemeral_key: bytes, sealed: SealedKey, context: bytes) -> UnsealedKey:
    """What the holder of `private` finds, as the contract does: whatever the tag says."""
    sealing, usable = _sealing_key(private, ephemeral_key, context)
    # the AEAD encrypts from block 1 on (RFC 8439, section 2.8)
    nonce = (1).to_bytes(4, "little") + bytes(12)
    key = Cipher(ChaCha20(sealing, nonce), mode=None).decryptor().update(sealed.data)
    again = ChaCha20Poly1305(sealing).encrypt(bytes(12), key, context)
    return UnsealedKey(key, usable, again[KEY_BYTES:] == sealed.tag)


def _sealing_key(private: bytes, other: bytes, context: bytes) -> tuple[bytes, bool]:
    """The AEAD's key, and whether the shared secret is not zero."""
    try:
        secret = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:  # the library refuses to give a secret of zero
        secret = bytes(KEY_BYTES)
    sealing = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=context).derive(secret)
    return sealing, any(secret)
