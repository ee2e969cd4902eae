"""Poseidon2 of width 4 over BN254 and the sponge that every hash in a proof is (docs/proofs.md, Field, hash).

The permutation is that of Grassi, Khovratovich and Schofnegger (2023, "Poseidon2: A Faster Version of the Poseidon Hash
Function"): x^5, 8 full and 56 partial rounds, the instance that Noir and Barretenberg have. Its constants are derived
as published, with the Grain LFSR of Poseidon (Grassi et al. 2021, appendix E), and not copied from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice

from offchain.errors import Bug
from offchain.proofs.field import ORDER, Element

State = tuple[int, int, int, int]

MODEL, CHUNK, CHALLENGE, TRAINING_STATE, BATCH = 1, 2, 3, 4, 5
"""The domains: what is hashed."""

_WIDTH, _RATE = 4, 3
_FULL_ROUNDS, _PARTIAL_ROUNDS = 8, 56
_FIELD_BITS = 254
_DRAWN_BEFORE_DIAGONAL = 16
"""The internal matrix has a drawn diagonal and is 1 everywhere else. The paper's condition on minimal polynomials
(section 5.3) refuses the first four candidates of four elements, and takes the fifth."""


def permute(state: State) -> State:
    """The permutation `P`: four elements for four elements."""
    before, between, after, diagonal = _constants()
    a, b, c, d = _mix(*state)
    for constants in before:
        a, b, c, d = _full_round(a, b, c, d, constants)
    p, q, r, s = diagonal
    for constant in between:
        a += constant
        square = a * a % ORDER
        a = square * square % ORDER * a % ORDER
        total = a + b + c + d
        a, b, c, d = (a * p + total) % ORDER, (b * q + total) % ORDER, (c * r + total) % ORDER, (d * s + total) % ORDER
    for constants in after:
        a, b, c, d = _full_round(a, b, c, d, constants)
    return a, b, c, d


def hash_elements(domain: int, elements: Sequence[int]) -> Element:
    """The sponge of rate 3; domain and number of elements start in the capacity, so no two kinds or lengths meet.

    domain: 0 .. 2^64 - 1; elements: of the field, fewer than 2^64.
    """
    a, b, c, d = 0, 0, 0, (domain << 64) + len(elements)
    for start in range(0, max(len(elements), 1), _RATE):
        block = elements[start : start + _RATE]
        x, y, z = (*block, *(0,) * (_RATE - len(block)))
        a, b, c, d = permute((a + x, b + y, c + z, d))
    return Element(a)


def pack(bits: int, values: Sequence[int]) -> list[int]:
    """floor(248 / bits) values to an element, the first most significant; the last element is shorter.

    values: each 0 .. 2^bits - 1; raises Bug otherwise.
    """
    if any(not 0 <= value < 1 << bits for value in values):
        raise Bug(f"a value of more than {bits} bits is to be packed")
    at_once = 248 // bits
    packed = []
    for start in range(0, len(values), at_once):
        element = 0
        for value in values[start : start + at_once]:
            element = element << bits | value
        packed.append(element)
    return packed


def pack_bytes(data: bytes) -> list[int]:
    """`pack(8, data)`, faster."""
    return [int.from_bytes(data[start : start + 31], "big") for start in range(0, len(data), 31)]


def round_constants() -> tuple[tuple[State, ...], tuple[int, ...], tuple[State, ...], State]:
    """Constants of the first four full rounds, the partial rounds, the last four; the internal diagonal minus 1."""
    return _constants()


@cache
def _constants() -> tuple[tuple[State, ...], tuple[int, ...], tuple[State, ...], State]:
    bits = _grain_bits()
    below = _elements(bits)
    before = tuple(_four(below) for _ in range(_FULL_ROUNDS // 2))
    between = tuple(islice(below, _PARTIAL_ROUNDS))
    after = tuple(_four(below) for _ in range(_FULL_ROUNDS // 2))
    # The generator draws candidates of the matrix by reduction, not by rejection.
    reduced = ((_number(bits) - 1) % ORDER for _ in range(_DRAWN_BEFORE_DIAGONAL + _WIDTH))
    return before, between, after, _four(islice(reduced, _DRAWN_BEFORE_DIAGONAL, None))


def _grain_bits() -> Iterator[int]:
    """Poseidon's Grain LFSR in self-shrinking mode, started from the instance's parameters."""
    start = f"{1:02b}{0:04b}{_FIELD_BITS:012b}{_WIDTH:012b}{_FULL_ROUNDS:010b}{_PARTIAL_ROUNDS:010b}" + "1" * 30
    state = [int(bit) for bit in start]

    def step() -> int:
        bit = state[62] ^ state[51] ^ state[38] ^ state[23] ^ state[13] ^ state[0]
        del state[0]
        state.append(bit)
        return bit

    for _ in range(160):
        step()
    while True:
        keep, bit = step(), step()
        if keep:
            yield bit


def _number(bits: Iterator[int]) -> int:
    value = 0
    for bit in islice(bits, _FIELD_BITS):
        value = value << 1 | bit
    return value


def _elements(bits: Iterator[int]) -> Iterator[int]:
    while True:
        value = _number(bits)
        if value < ORDER:
            yield value


def _four(numbers: Iterator[int]) -> State:
    a, b, c, d = islice(numbers, _WIDTH)
    return a, b, c, d


def _full_round(a: int, b: int, c: int, d: int, constants: State) -> State:
    e, f, g, h = constants
    return _mix(_fifth(a + e), _fifth(b + f), _fifth(c + g), _fifth(d + h))


def _fifth(x: int) -> int:
    square = x * x % ORDER
    return square * square % ORDER * x % ORDER


def _mix(a: int, b: int, c: int, d: int) -> State:
    """The external matrix ((5 7 1 3) (4 6 1 1) (1 3 5 7) (1 1 4 6))."""
    first, second = a + b, c + d
    third, fourth = 2 * b + second, 2 * d + first
    fifth, sixth = 4 * second + fourth, 4 * first + third
    return (fourth + sixth) % ORDER, sixth % ORDER, (third + fifth) % ORDER, fifth % ORDER
