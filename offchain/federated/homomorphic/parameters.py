"""Which ring, modulus and scale make a sum of CKKS ciphertexts exact once it is rounded. Pure arithmetic.

With N the ring's degree, q its one prime, Δ the scale, n summands whose components lie in [−M, M], and noise of at most
B in each coefficient of a fresh ciphertext (SEAL draws it from a centred binomial of 42 bits: B = 21) and 1/2 where the
encoder rounds:

    a component of the sum is off by at most   n · N · (B + 1/2) / Δ             (a slot sums N terms of modulus 1)
    nothing wraps around as long as            n · (√2 · M · Δ + B + 1/2) < q/2  (a coefficient is a mean of slots)

These are bounds and no estimates: no distribution is assumed. Two integers lie in one slot, as its real and its
imaginary part, so a block of N coefficients carries N integers. Encryption is symmetric, for its noise is small and
fresh; there is one prime, and nothing that multiplication, rotation or rescaling would need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from offchain.errors import Rejected

LARGEST_UPDATE: Final = 1 << 15
"""|q| of an int16."""

LARGEST_NOISE: Final = 21
"""B: `sample_poly_cbd` in SEAL is the difference of two Hamming weights of 21 bits."""

LARGEST_ERROR: Final = Fraction(1, 2)
_ROOT_TWO: Final = Fraction(14143, 10_000)
"""No less than √2."""


@dataclass(frozen=True, slots=True)
class Ring:
    """`degree`: N, integers in a block. `prime`: q, the largest of `bits` bits (a multiple of 8) that is 1 mod 2N.

    Every ring is within the 128-bit column of the homomorphic encryption standard for ternary secrets (2018, table 1):
    54 bits at 2,048 and 109 at 4,096. SEAL refuses to build any other.
    """

    degree: int
    bits: int
    prime: int

    @property
    def word_bytes(self) -> int:
        """Bytes of a coefficient in a file."""
        return self.bits // 8


RINGS: Final = (Ring(2048, 48, 281474976694273), Ring(4096, 56, 72057594037641217))
"""The cheapest first: 12 and 14 bytes for each integer."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """`scale_bits`: Δ = 2**scale_bits. `members`: so many ciphertexts may be added. `largest`: M."""

    ring: Ring
    scale_bits: int
    members: int
    largest: int = LARGEST_UPDATE

    @property
    def scale(self) -> int:
        """Δ."""
        return 1 << self.scale_bits

    @property
    def block_bytes(self) -> int:
        """A ciphertext of one block: two polynomials."""
        return 2 * self.ring.degree * self.ring.word_bytes

    def blocks(self, integers: int) -> int:
        """So many ciphertexts carry so many integers."""
        return -(-integers // self.ring.degree)

    @property
    def error_bound(self) -> Fraction:
        """No component of a sum of `members` honest ciphertexts is further from the integer than this; below 1/2."""
        return error_bound(self.ring, self.scale_bits, self.members)


def error_bound(ring: Ring, scale_bits: int, members: int) -> Fraction:
    """n · N · (B + 1/2) / Δ."""
    return Fraction(members * ring.degree * (2 * LARGEST_NOISE + 1), 2 << scale_bits)


def choose(members: int, largest: int = LARGEST_UPDATE) -> Parameters:
    """The cheapest ring with the largest power of two as scale that keeps every sum exact.

    `members`: 1 or more; `largest`: M. Raises Rejected when no ring keeps it exact.
    """
    for ring in RINGS:
        room = (Fraction(ring.prime, 2 * members) - LARGEST_NOISE - 1) / (_ROOT_TWO * largest)
        scale_bits = math.floor(room).bit_length() - 1
        if scale_bits > 0 and error_bound(ring, scale_bits, members) < LARGEST_ERROR:
            return Parameters(ring, scale_bits, members, largest)
    raise Rejected(
        f"homomorphic: no parameters keep a sum of {members} updates of up to {largest} exact; use smaller groups"
    )
