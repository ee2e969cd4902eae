"""Keccak-256 of many equally long messages at once.

Libraries hash one message a call, and most of that time is the call; a test set of 100,000 samples needs 400,000
hashes. Here one compiled loop works through all rows, `_LANES` side by side. Keccak reference, version 3.0, section
2.3; padding 0x01 … 0x80 (the original Keccak's, which Ethereum uses, not SHA-3's).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

_RATE = 136
_WORDS = _RATE // 8
_LANES = 16
_CHUNK_BYTES = 4 << 20

Bytes = npt.NDArray[np.uint8]
Function = TypeVar("Function", bound=Callable[..., Any])


def _round_constants() -> npt.NDArray[np.uint64]:
    """iota's constants, from the degree-8 LFSR x^8 + x^6 + x^5 + x^4 + 1."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        constants.append(constant)
    return np.array(constants, dtype=np.uint64)


def _rho_and_pi() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """For each position of the state after rho and pi: where its word comes from, and by how much it is rotated."""
    source, rotation = np.zeros(25, dtype=np.int64), np.zeros(25, dtype=np.uint64)
    x, y = 1, 0
    offsets = {(0, 0): 0}
    for step in range(24):
        offsets[(x, y)] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    for (x, y), offset in offsets.items():
        target = y + 5 * ((2 * x + 3 * y) % 5)
        source[target], rotation[target] = x + 5 * y, offset
    return source, rotation


_ROUNDS = _round_constants()
_SOURCE, _ROTATION = _rho_and_pi()


def keccak_rows(rows: Bytes) -> Bytes:
    """The hash of each row: uint8 (n, 32) for uint8 (n, length)."""
    count, length = rows.shape
    blocks = length // _RATE + 1
    digests = np.empty((count, 32), dtype=np.uint8)
    chunk = max(_LANES, _CHUNK_BYTES // (blocks * _RATE) // _LANES * _LANES)
    padded = np.zeros((-(-min(chunk, count) // _LANES) * _LANES, blocks * _RATE), dtype=np.uint8)
    padded[:, length] = 0x01
    padded[:, -1] |= 0x80
    for start in range(0, count, chunk):
        some = rows[start : start + chunk]
        padded[: len(some), :length] = some
        state = np.empty((len(padded), 4), dtype="<u8")
        _sponge(padded.view("<u8"), _ROUNDS, _SOURCE, _ROTATION, state)
        digests[start : start + chunk] = state.view(np.uint8)[: len(some)]
    return digests


def _compiled(function: Function) -> Function:
    return cast(Function, numba.njit(nogil=True, cache=True, boundscheck=False)(function))


@_compiled
def _sponge(words: Any, rounds: Any, source: Any, rotation: Any, out: Any) -> None:
    """Absorbs padded rows (n, blocks * 17) of 64-bit words, n a multiple of the lanes, and squeezes 4 words of each."""
    state = np.empty((25, _LANES), np.uint64)
    moved = np.empty((25, _LANES), np.uint64)
    parity = np.empty((5, _LANES), np.uint64)
    for first in range(0, words.shape[0], _LANES):
        state[:] = 0
        for block in range(words.shape[1] // _WORDS):
            for i in range(_WORDS):
                for lane in range(_LANES):
                    state[i, lane] ^= words[first + lane, block * _WORDS + i]
            _permute(state, moved, parity, rounds, source, rotation)
        for i in range(4):
            for lane in range(_LANES):
                out[first + lane, i] = state[i, lane]


@_compiled
def _permute(state: Any, moved: Any, parity: Any, rounds: Any, source: Any, rotation: Any) -> None:
    """Keccak-f[1600] on each lane of `state`."""
    one, full = np.uint64(1), np.uint64(63)
    for constant in rounds:
        for x in range(5):
            for lane in range(_LANES):
                parity[x, lane] = (
                    state[x, lane]
                    ^ state[x + 5, lane]
                    ^ state[x + 10, lane]
                    ^ state[x + 15, lane]
                    ^ state[x + 20, lane]
                )
        for i in range(25):
            origin = source[i]
            left = rotation[i]
            right = (np.uint64(64) - left) & full
            before, after = (origin + 4) % 5, (origin + 1) % 5
            for lane in range(_LANES):
                word = parity[after, lane]
                word = state[origin, lane] ^ parity[before, lane] ^ ((word << one) | (word >> full))
                moved[i, lane] = (word << left) | (word >> right)
        for y in range(0, 25, 5):
            for x in range(5):
                a, b = y + (x + 1) % 5, y + (x + 2) % 5
                for lane in range(_LANES):
                    state[y + x, lane] = moved[y + x, lane] ^ (~moved[a, lane] & moved[b, lane])
        for lane in range(_LANES):
            state[0, lane] ^= constant
