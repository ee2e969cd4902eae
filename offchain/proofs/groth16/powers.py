"""Phase 1 of the set-up: powers of a number that nobody knows, for circuits of any kind up to a size.

Bowe, Gabizon, Miers (2017), "Scalable Multi-party Computation for zk-SNARK Parameters in the Random Beacon Model":
each contributor multiplies tau, alpha and beta by its own factors. Powers that are consistent are determined by tau,
alpha and beta alone, so only the last ones need to be seen; the transcript has the chain of the three.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from eth_utils.crypto import keccak

from offchain.errors import Rejected
from offchain.proofs.groth16 import vectors
from offchain.proofs.groth16.curve import (
    G1,
    G2,
    Group,
    are_points,
    multi_scalar,
    negated,
    scalar_rows,
    scaled,
    sums,
    to_points,
    to_rows,
)
from offchain.proofs.groth16.keys import in_subgroup
from offchain.proofs.groth16.limbs import SCALAR_ORDER, Words
from offchain.proofs.groth16.prover import pairings_cancel
from offchain.proofs.groth16.transcript import Random, Transcript

MAX_LOG_SIZE = 22
_CHALLENGE = 1 << 128


@dataclass(frozen=True, slots=True)
class Powers:
    """Affine rows (curve.py), for domains up to `size`: tau^i for i < 2 size - 1, alpha tau^i and beta tau^i for i <
    size in G1; tau^i for i < size in G2, and beta in G2 (1, 16)."""

    tau: Words
    alpha: Words
    beta: Words
    tau2: Words
    beta2: Words

    @property
    def size(self) -> int:
        """The largest domain, a power of two."""
        return len(self.alpha)


def start(size: int) -> tuple[Powers, Transcript]:
    """Powers of 1, and a transcript without entries. size: a power of two, 2 to 2^22. Raises Rejected for another."""
    if size < 2 or size & (size - 1) or size > 1 << MAX_LOG_SIZE:
        raise Rejected(f"{size} is not a size of powers; give a power of two, at most 2^{MAX_LOG_SIZE}")
    first, second = to_rows(G1, [G1.generator]), to_rows(G2, [G2.generator])
    tau, once = first.repeat(2 * size - 1, axis=0), first.repeat(size, axis=0)
    powers = Powers(tau, once, once, second.repeat(size, axis=0), second)
    return powers, Transcript(subject(size), (G1.generator,) * 3)


def subject(size: int) -> bytes:
    """What a transcript of powers is about."""
    return keccak(b"powers of tau" + size.to_bytes(8, "big"))


def multiplied(powers: Powers, tau: int, alpha: int, beta: int) -> Powers:
    """The powers of a contribution with these factors."""
    rows = vectors.to_plain(vectors.powers(tau, len(powers.tau)))
    short = vectors.powers(tau, powers.size)
    return Powers(
        scaled(G1, powers.tau, rows),
        scaled(G1, powers.alpha, vectors.to_plain(vectors.times(short, alpha))),
        scaled(G1, powers.beta, vectors.to_plain(vectors.times(short, beta))),
        scaled(G2, powers.tau2, rows[: powers.size]),
        scaled(G2, powers.beta2, scalar_rows([beta])),
    )


def check_powers(powers: Powers, transcript: Transcript, random: Random) -> None:
    """Raises Rejected, saying what is wrong, unless these are the powers of the transcript's three points.

    A wrong set passes with probability below 2^-120: each check adds up its rows with random factors of 128 bits.
    """
    size = powers.size
    if transcript.subject != subject(size) or len(transcript.first) != 3 or transcript.first != (G1.generator,) * 3:
        raise Rejected("the transcript is not one of powers of this size; take powers and transcript of one ceremony")
    if (
        size < 2
        or len(powers.tau) != 2 * size - 1
        or len(powers.beta) != size
        or len(powers.tau2) != size
        or len(powers.beta2) != 1
    ):
        raise Rejected("the powers have the wrong lengths; take the files as they were published")
    groups = [(G1, powers.tau), (G1, powers.alpha), (G1, powers.beta), (G2, powers.tau2), (G2, powers.beta2)]
    if not all(are_points(group, rows) and in_subgroup(rows, group) for group, rows in groups):
        raise Rejected("the powers are not all points of their groups; take the files as they were published")
    held = tuple(to_points(G1, rows[:1])[0] for rows in (powers.tau[1:], powers.alpha, powers.beta))
    if held != transcript.points or powers.tau[0].tolist() != to_rows(G1, [G1.generator])[0].tolist():
        raise Rejected("the powers are not those of the transcript's last entry; take both of one state")
    if powers.tau2[0].tolist() != to_rows(G2, [G2.generator])[0].tolist():
        raise Rejected("the powers in G2 do not begin with the generator; take the files as they were published")
    same_ratio = [
        _same(powers.tau[:1], powers.tau[1:2], powers.tau2[:1], powers.tau2[1:2]),
        _same(powers.tau[:1], powers.beta[:1], powers.tau2[:1], powers.beta2),
        *(_same(*_shifted(G1, rows, random), powers.tau2[:1], powers.tau2[1:2]) for _, rows in groups[:3]),
        _same(powers.tau[:1], powers.tau[1:2], *_shifted(G2, powers.tau2, random)),
    ]
    if not all(same_ratio):
        raise Rejected("the powers are not powers of one number; go back to the last state that verifies")


def lagrange_bases(powers: Powers, size: int) -> tuple[Words, Words, Words, Words]:
    """The values of the size-th Lagrange polynomials at tau: in G1, times alpha, times beta, and in G2."""
    root = pow(vectors.root_of_unity(size), -1, SCALAR_ORDER)
    g1 = [_inverse_transform(G1, rows[:size], root) for rows in (powers.tau, powers.alpha, powers.beta)]
    return g1[0], g1[1], g1[2], _inverse_transform(G2, powers.tau2[:size], root)


def _inverse_transform(group: Group, rows: Words, root: int) -> Words:
    """`vectors.transform` of points, over their number."""
    return scaled(group, _transform(group, rows, root), scalar_rows([pow(len(rows), -1, SCALAR_ORDER)]))


def _transform(group: Group, rows: Words, root: int) -> Words:
    """By halves, at the end by thirds: sums[k + j n] of the parts' sums, each turned by root^(part (k + j n))."""
    count = len(rows)
    if count == 1:
        return rows
    ways = 3 if count % 3 == 0 else 2
    parts = [_transform(group, rows[k::ways], pow(root, ways, SCALAR_ORDER)) for k in range(ways)]
    each = count // ways
    turned = [
        scaled(group, part, vectors.to_plain(vectors.powers(pow(root, k, SCALAR_ORDER), each)))
        for k, part in enumerate(parts[1:], 1)
    ]
    if ways == 2:
        return np.concatenate([sums(group, parts[0], turned[0]), sums(group, parts[0], negated(group, turned[0]))])
    turn = pow(root, each, SCALAR_ORDER)
    made = []
    for j in range(3):
        factors = [scalar_rows([pow(turn, k * j, SCALAR_ORDER)]) for k in (1, 2)]
        again = [scaled(group, part, factor) for part, factor in zip(turned, factors, strict=True)]
        made.append(sums(group, sums(group, parts[0], again[0]), again[1]))
    return np.concatenate(made)


def _shifted(group: Group, rows: Words, random: Random) -> tuple[Words, Words]:
    """Random sums of all rows but the last, and of all but the first, with the same factors."""
    factors = scalar_rows([random(_CHALLENGE) for _ in range(len(rows) - 1)])
    first, second = multi_scalar(group, rows[:-1], factors), multi_scalar(group, rows[1:], factors)
    return first[np.newaxis], second[np.newaxis]


def _same(a: Words, b: Words, c: Words, d: Words) -> bool:
    """Whether b is to a in G1 what d is to c in G2: e(a, d) = e(b, c)."""
    return pairings_cancel(
        [
            (to_points(G1, a)[0], to_points(G2, d)[0]),
            (to_points(G1, negated(G1, b))[0], to_points(G2, c)[0]),
        ]
    )
