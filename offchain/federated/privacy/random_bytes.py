"""Randomness for noise: bytes that somebody injects, never a generator that can be predicted from its outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected

RandomBytes = Callable[[int], bytes]
"""Gives that many bytes, uniform and independent. A participant injects `os.urandom`, tests a seeded stream."""

_CHUNK: Final = 1 << 30


def seeded_bytes(seed: bytes | int) -> RandomBytes:
    """A stream that is the same for the same seed: ChaCha20 (RFC 8439) under SHA-256 of it.

    As secret as the seed: noise from it protects only while nobody can guess the seed, so draw 32 random bytes.
    A seed that is an int is taken by its decimal digits. Raises Rejected for a negative one.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

    if isinstance(seed, int):
        if seed < 0:
            raise Rejected(f"seed {seed} of the noise: give a number that is not negative")
        seed = str(seed).encode()
    key = hashlib.sha256(b"assay noise" + seed).digest()
    stream = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()

    def take(count: int) -> bytes:
        return b"".join(stream.update(bytes(min(_CHUNK, count - at))) for at in range(0, count, _CHUNK))

    return take


def uniform_below(random_bytes: RandomBytes, bound: int, count: int) -> npt.NDArray[np.int64]:
    """int64 (count,): exactly uniform in [0, bound), 1 <= bound <= 2**62, by rejection."""
    values = np.zeros(count, dtype=np.int64)
    if bound == 1:
        return values
    bits = (bound - 1).bit_length()
    width = 8 if bits > 32 else 4 if bits > 16 else 2 if bits > 8 else 1
    mask = (1 << bits) - 1
    filled = 0
    while filled < count:
        # Enough that a second turn is rare, for whatever share of the draws is rejected.
        wanted = ((count - filled) << bits) // bound
        drawn = np.frombuffer(random_bytes(width * (wanted + 16)), dtype=f"<u{width}") & np.array(mask, f"<u{width}")
        kept = drawn[drawn < bound][: count - filled]
        values[filled : filled + len(kept)] = kept
        filled += len(kept)
    return values


def uniform_floats(random_bytes: RandomBytes, count: int) -> npt.NDArray[np.float64]:
    """float64 (count,) in [0, 1): multiples of 2**-53."""
    words = np.frombuffer(random_bytes(8 * count), dtype="<u8")
    return np.ldexp((words >> np.uint64(11)).astype(np.float64), -53)


def normals(random_bytes: RandomBytes, count: int) -> npt.NDArray[np.float64]:
    """float64 (count,): standard normal (Box and Muller 1958); in floating point, so not exact in the last bits."""
    pairs = (count + 1) // 2
    radius = np.sqrt(-2 * np.log1p(-uniform_floats(random_bytes, pairs)))
    angle = 2 * np.pi * uniform_floats(random_bytes, pairs)
    both: npt.NDArray[np.float64] = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return both[:count]
