"""Proving and verifying keys: arrays in a folder, and words for a contract. Groth (2016), figure in section 3.2."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from offchain.errors import Rejected
from offchain.proofs.groth16.curve import G1, G2, Affine, Group, are_points, scaled, to_points, to_rows
from offchain.proofs.groth16.limbs import BASE_ORDER, SCALAR_ORDER, Words, limbs_of
from offchain.proofs.groth16.r1cs import Wires


@dataclass(frozen=True, slots=True)
class ProvingKey:
    """Affine rows in Montgomery form (curve.py); G1 rows have 8 limbs, G2 rows 16. `size`: of the domain.

    a: u_i(tau) of wires a_wires; b1, b2: v_i(tau) of wires b_wires in either group; private: (beta u_i + alpha v_i +
    w_i) / delta of all wires after the public ones; heights: tau^i (tau^size - 1) / delta for i < size - 1; public: the
    same as private for wire 0 and the public ones, over 1 (gamma is 1, as it may be: Bowe, Gabizon, Miers 2017).
    alpha, beta, delta in G1 and beta2, delta2 in G2: single rows (1, limbs).
    """

    a_wires: Wires
    a: Words
    b_wires: Wires
    b1: Words
    b2: Words
    private: Words
    heights: Words
    public: Words
    alpha: Words
    beta: Words
    delta: Words
    beta2: Words
    delta2: Words

    @property
    def size(self) -> int:
        """The domain's size."""
        return len(self.heights) + 1

    def verifying_key(self) -> VerifyingKey:
        """What a verifier needs of it."""
        first = [to_points(G1, self.alpha)[0], *to_points(G1, self.public)]
        return VerifyingKey(first[0], to_points(G2, self.beta2)[0], to_points(G2, self.delta2)[0], tuple(first[1:]))

    def save(self, folder: Path) -> None:
        """One NumPy file an array."""
        for entry in fields(self):
            np.save(folder / f"{entry.name}.npy", getattr(self, entry.name), allow_pickle=False)


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """alpha in G1; beta, delta in G2; public: points of G1 for 1 and each public input."""

    alpha: Affine
    beta: Affine
    delta: Affine
    public: tuple[Affine, ...]

    def words(self) -> list[int]:
        """As a contract has them: -alpha, beta, -gamma, -delta, public; in G2 the coefficients of u come first."""
        gamma: Affine = G2.generator
        parts = [*_words(minus(self.alpha)), *_words(self.beta), *_words(minus(gamma)), *_words(minus(self.delta))]
        return parts + [word for point in self.public for word in _words(point)]


def load_proving_key(folder: Path) -> ProvingKey:
    """The key of a folder that `save` has written. Arrays are mapped, not read. Raises Rejected if one is missing."""
    try:
        arrays = {
            entry.name: np.load(folder / f"{entry.name}.npy", mmap_mode="r", allow_pickle=False)
            for entry in fields(ProvingKey)
        }
    except (OSError, ValueError) as error:
        raise Rejected(f"{folder}: not a proving key; delete it, and it is made again") from error
    return ProvingKey(**arrays)


def point_bytes(point: Affine, group: Group) -> bytes:
    """Uncompressed, big-endian, as the EVM's precompiles read it: 64 bytes in G1, 128 in G2; infinity is all zeros."""
    return b"".join(word.to_bytes(32, "big") for word in _words(point, group))


def read_point(data: bytes, group: Group) -> Affine:
    """The opposite of `point_bytes`, from anyone; raises Rejected unless it is a point of the group, not infinity."""
    numbers = [int.from_bytes(data[k : k + 32], "big") for k in range(0, len(data), 32)]
    if len(data) != 64 * group.degree or any(number >= BASE_ORDER for number in numbers) or not any(numbers):
        raise Rejected("a point's coordinates are not below the field's order; take the bytes as they were published")
    degree = group.degree
    point = tuple(numbers[:degree][::-1]), tuple(numbers[degree:][::-1])
    rows = to_rows(group, [point])
    if not are_points(group, rows):
        raise Rejected("a point is not on the curve; take the bytes as they were published")
    if group is G2 and not in_subgroup(rows, G2):
        raise Rejected("a point is not in the group of prime order; take the bytes as they were published")
    return point


def in_subgroup(rows: Words, group: Group) -> bool:
    """Whether all points have the groups' order. G1 is its whole curve."""
    order = np.array([limbs_of(SCALAR_ORDER)], dtype=np.uint64)
    return group is G1 or not np.any(scaled(group, rows, order))


def _words(point: Affine, group: Group | None = None) -> list[int]:
    if point is None:
        return [0] * (2 * (group or G1).degree)
    return [*point[0][::-1], *point[1][::-1]]


def minus(point: Affine) -> Affine:
    """-point."""
    return None if point is None else (point[0], tuple(-part % BASE_ORDER for part in point[1]))
