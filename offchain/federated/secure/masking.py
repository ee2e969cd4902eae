"""Seeds, the streams that they expand to, and vectors under masks. Pure; the arithmetic is that of Z mod 2**32.

**The stream of a seed** is ChaCha20 (RFC 8439) with key = the seed, nonce = 0: the block with counter c holds the words
of coordinates 16c to 16c + 15, uint32 little-endian. So one coordinate needs one block, and a contract can compute it
(`contracts/federated/ChaCha20.sol`).

**The masked vector** of i, which takes part with the members `peers`:

    y_i = w_i · q_i + stream(b_i) + Σ over j of peers, j > i: stream(s_ij) − Σ over j of peers, j < i: stream(s_ij)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offchain.errors import Bug, Rejected
from offchain.federated.secure.terms import Position, Seed
from offchain.protocol.hashing import keccak

Words = npt.NDArray[np.uint32]
"""(d,) uint32 of the machine's own byte order; little-endian in files and streams."""

SEED_BYTES: Final = 32
NO_COMMITMENT: Final = bytes(32)
"""Stands in the place of a pair that shares no mask."""

_BLOCK_WORDS: Final = 16
_STRIDE: Final = 1 << 14
"""Words expanded at a time: 64 KiB of stream and of vector stay in the core's own cache."""

_ZEROS: Final = bytes(4 * _STRIDE)
_FIELD: Final = 2**255 - 19
_LOW_ORDER_POINTS: Final = (
    0,
    1,
    _FIELD - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
"""u of the points of orders 1, 2, 4 and 8 on Curve25519 and its twist: any key gives zero with them."""

LOW_ORDER_KEYS: Final = frozenset(
    (u | top).to_bytes(32, "little")
    for point in _LOW_ORDER_POINTS
    for u in (point, point + _FIELD)
    for top in (0, 1 << 255)
    if u < 1 << 255
)
"""Their encodings: numbers need not be reduced, and the top bit does not count (RFC 7748, section 5)."""

AddStream = Callable[[Words, Seed, int], None]
"""Adds sign (1 or -1) times a seed's stream to a vector, in place; `add_stream`, unless a test looks at the algebra."""


def add_stream(vector: Words, seed: Seed, sign: int) -> None:
    """vector ± stream(seed) mod 2**32, in place; (d,) uint32, contiguous. Some GB/s, for it works in the cache."""
    if sign not in (1, -1) or len(seed) != SEED_BYTES:
        raise Bug(f"a stream of sign {sign} from {len(seed)} bytes")
    combine = np.add if sign == 1 else np.subtract
    cipher = Cipher(ChaCha20(seed, bytes(16)), mode=None).encryptor()
    stream = np.empty(min(_STRIDE, len(vector) + _BLOCK_WORDS), dtype="<u4")
    view = stream.data.cast("B")
    for start in range(0, len(vector), _STRIDE):
        part = vector[start : start + _STRIDE]
        cipher.update_into(memoryview(_ZEROS)[: 4 * len(part)], view)
        combine(part, stream[: len(part)], out=part)


def word_at(seed: Seed, coordinate: int) -> int:
    """One word of a seed's stream, as the contract computes it."""
    start = (coordinate // _BLOCK_WORDS).to_bytes(4, "little") + bytes(12)
    block = Cipher(ChaCha20(seed, start), mode=None).encryptor().update(bytes(4 * _BLOCK_WORDS))
    at = coordinate % _BLOCK_WORDS * 4
    return int.from_bytes(block[at : at + 4], "little")


def sign_of(mine: Position, theirs: Position) -> int:
    """With which sign the stream of a pair stands in my masked vector; the other side has the other."""
    if mine == theirs:
        raise Bug("nobody shares a mask with itself")
    return 1 if mine < theirs else -1


def masked_vector(
    update: npt.NDArray[np.int16], weight: int, masks: Iterable[tuple[Seed, int]], add: AddStream = add_stream
) -> Words:
    """weight · update + Σ sign · stream(seed) mod 2**32: (d,) uint32 of int16 (d,). A new array; `update` stays."""
    if update.dtype != np.int16 or update.ndim != 1:
        raise Rejected(f"an update is int16 (d,), not {update.dtype} {update.shape}")
    vector = (update.astype(np.int32) * np.int32(weight)).view(np.uint32)
    for seed, sign in masks:
        add(vector, seed, sign)
    return vector


def commitment_of(seed: Seed) -> bytes:
    """keccak256(seed), what the chain holds of a seed (in a tree, see `messages.seeds_root`)."""
    return keccak(seed)


def pair_seed(key: X25519PrivateKey, public: bytes, session: bytes, one: Position, other: Position) -> Seed:
    """The seed that two members share: HKDF-SHA256 of X25519, bound to the session's digest and to both of them.

    `key`: of either; `public`: the other's, 32 bytes. Raises Rejected on a key of low order.
    """
    low, high = sorted((one, other))
    return Seed(agree(key, public, b"mask" + session + bytes((low, high))))


def agree(key: X25519PrivateKey, public: bytes, info: bytes) -> bytes:
    """32 bytes that only the owners of two X25519 keys know. Raises Rejected on a key of low order."""
    if public in LOW_ORDER_KEYS:
        raise Rejected("an X25519 key of low order: everybody would know the secret")
    return derive(key.exchange(X25519PublicKey.from_public_bytes(public)), info)


def derive(secret: bytes, info: bytes) -> bytes:
    """32 bytes of a secret for one purpose: HKDF-SHA256 without salt."""
    return HKDF(SHA256(), 32, salt=None, info=b"assay secure " + info).derive(secret)


def load_key(secret: bytes) -> X25519PrivateKey:
    """The key of 32 bytes; costs as much as an exchange, so load it once."""
    return X25519PrivateKey.from_private_bytes(secret)


def public_of(secret: bytes) -> bytes:
    """The X25519 public key of a private one; 32 bytes each."""
    return load_key(secret).public_key().public_bytes_raw()
