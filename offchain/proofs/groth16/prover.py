"""Proving and verifying: 256 bytes, two points of G1 and one of G2 (Groth 2016, "On the Size of Pairing-based
Non-interactive Arguments", section 3.2).

A proof can be made into another proof of the same statement by anyone, so nothing may depend on a proof's bytes being
the only ones: contracts here count statements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from zksnake._algebra import ec_bn254

from offchain.errors import Bug, Rejected
from offchain.proofs.groth16 import vectors
from offchain.proofs.groth16.curve import (
    G1,
    G2,
    Affine,
    Group,
    added,
    multi_scalar,
    negated,
    scalar_rows,
    scaled,
    to_points,
)
from offchain.proofs.groth16.keys import ProvingKey, VerifyingKey, minus, point_bytes, read_point
from offchain.proofs.groth16.limbs import SCALAR_ORDER, Words
from offchain.proofs.groth16.witness import Solved

PROOF_BYTES = 256

Random = Callable[[int], int]
"""A number below its argument, as `secrets.randbelow` gives it."""


def prove(key: ProvingKey, solved: Solved, public: int, random: Random) -> bytes:
    """A proof for a witness that satisfies the system. public: number of public inputs; random: hides the witness."""
    r, s = (random(SCALAR_ORDER - 1) + 1 for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        # the quotient's transforms and the sums of the witness need nothing of each other
        heights = pool.submit(vectors.quotient, solved.a, solved.b, key.size)
        plain = vectors.to_plain(solved.wires)
        b_plain = plain[key.b_wires]
        a = added(G1, key.alpha[0], multi_scalar(G1, key.a, plain[key.a_wires]), _one(G1, key.delta, r))
        b1 = added(G1, key.beta[0], multi_scalar(G1, key.b1, b_plain), _one(G1, key.delta, s))
        b2 = added(G2, key.beta2[0], multi_scalar(G2, key.b2, b_plain), _one(G2, key.delta2, s))
        private = multi_scalar(G1, key.private, plain[1 + public :])
        quotient = heights.result()
    if quotient[-1].any():
        raise Bug("the witness does not satisfy the constraints")
    height = multi_scalar(G1, key.heights, vectors.to_plain(quotient[:-1]))
    crossed = negated(G1, _one(G1, key.delta, r * s % SCALAR_ORDER)[np.newaxis])[0]
    c = added(G1, height, private, _one(G1, a[np.newaxis], s), _one(G1, b1[np.newaxis], r), crossed)
    return _encoded(a, G1) + _encoded(b2, G2) + _encoded(c, G1)


def verify(key: VerifyingKey, public: Sequence[int], proof: bytes) -> bool:
    """Whether the proof holds for the public inputs; False for whatever is not a proof."""
    if len(proof) != PROOF_BYTES or any(not 0 <= value < SCALAR_ORDER for value in public):
        return False
    try:
        a, b, c = read_point(proof[:64], G1), read_point(proof[64:192], G2), read_point(proof[192:], G1)
    except Rejected:
        return False
    total = first_point(key.public[0])
    for value, point in zip(public, key.public[1:], strict=True):
        total = total + first_point(point) * value
    gamma = (-total, ec_bn254.g2())
    return pairings_cancel([(a, b), (minus(key.alpha), key.beta), (minus(c), key.delta)], gamma)


def pairings_cancel(pairs: Sequence[tuple[Affine, Affine]], *more: tuple[Any, Any]) -> bool:
    """Whether the product of the pairings of points of G1 and G2 is 1. `more`: pairs of zksnake's points."""
    first = [first_point(p) for p, _ in pairs] + [p for p, _ in more]
    second = [second_point(q) for _, q in pairs] + [q for _, q in more]
    one = ec_bn254.multi_pairing([ec_bn254.g1(), -ec_bn254.g1()], [ec_bn254.g2(), ec_bn254.g2()])
    return bool(ec_bn254.multi_pairing(first, second) == one)


def first_point(point: Affine) -> Any:
    """zksnake's point; it ends the process for one that is not on the curve, so ask `on_curve` first."""
    return ec_bn254.PointG1.identity() if point is None else ec_bn254.PointG1(point[0][0], point[1][0])


def second_point(point: Affine) -> Any:
    """Likewise in G2; infinity has no business here."""
    if point is None:
        raise Bug("infinity in G2")
    return ec_bn254.PointG2(*point[0], *point[1])


def _one(group: Group, rows: Words, factor: int) -> Words:
    result: Words = scaled(group, rows, scalar_rows([factor]))[0]
    return result


def _encoded(row: Words, group: Group) -> bytes:
    return point_bytes(to_points(group, row[np.newaxis])[0], group)
