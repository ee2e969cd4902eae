"""Phase 2 of the set-up: a circuit's key from powers of tau, and contributions to its delta.

The first key has delta 1. A contributor multiplies delta by a factor and divides what is over delta by it; all else
stays. So the last key is right if the first one follows from the powers, delta from the transcript, and what is over
delta fits.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from eth_utils.crypto import keccak

from offchain.errors import Rejected
from offchain.proofs.groth16 import vectors
from offchain.proofs.groth16.curve import (
    G1,
    G2,
    Group,
    are_points,
    combinations,
    multi_scalar,
    negated,
    scalar_rows,
    scaled,
    sums,
    to_points,
    to_rows,
)
from offchain.proofs.groth16.keys import ProvingKey, in_subgroup
from offchain.proofs.groth16.limbs import SCALAR_ORDER, Words
from offchain.proofs.groth16.powers import Powers, lagrange_bases
from offchain.proofs.groth16.prover import pairings_cancel
from offchain.proofs.groth16.r1cs import Sparse, System
from offchain.proofs.groth16.transcript import Random, Transcript

_CHALLENGE = 1 << 128


def first_key(system: System, powers: Powers) -> ProvingKey:
    """The key with delta 1. Minutes for 300,000 constraints. Raises Rejected if the powers are too few."""
    size = vectors.domain_size(system.constraints)
    if powers.size < size:
        raise Rejected(f"the circuit needs powers of size {size}, these have {powers.size}; take larger ones")
    plain, with_alpha, with_beta, plain2 = lagrange_bases(powers, size)
    u = _columns(G1, system, system.a, plain)
    v = _columns(G1, system, system.b, plain)
    mixed = sums(
        G1,
        sums(G1, _columns(G1, system, system.a, with_beta), _columns(G1, system, system.b, with_alpha)),
        _columns(G1, system, system.c, plain),
    )
    a_wires, b_wires = (np.flatnonzero(rows.any(axis=1)) for rows in (u, v))
    one, one2 = to_rows(G1, [G1.generator]), to_rows(G2, [G2.generator])
    return ProvingKey(
        a_wires=a_wires,
        a=u[a_wires],
        b_wires=b_wires,
        b1=v[b_wires],
        b2=_columns(G2, system, system.b, plain2)[b_wires],
        private=mixed[1 + system.public :],
        # tau^i (tau^size - 1)
        heights=sums(G1, powers.tau[size : 2 * size - 1], negated(G1, powers.tau[: size - 1])),
        public=mixed[: 1 + system.public],
        alpha=powers.alpha[:1],
        beta=powers.beta[:1],
        delta=one,
        beta2=powers.beta2,
        delta2=one2,
    )


def start(key: ProvingKey, circuit_hash: bytes) -> Transcript:
    """The transcript of a first key."""
    return Transcript(subject(key, circuit_hash), (G1.generator,))


def subject(key: ProvingKey, circuit_hash: bytes) -> bytes:
    """What a transcript of phase 2 is about: the circuit, and the first key."""
    digest = keccak(b"".join(keccak(np.ascontiguousarray(getattr(key, f.name)).tobytes()) for f in fields(key)))
    return keccak(b"phase 2" + circuit_hash + digest)


def multiplied(key: ProvingKey, factor: int) -> ProvingKey:
    """The key of a contribution with this factor."""
    inverse, times = scalar_rows([pow(factor, -1, SCALAR_ORDER)]), scalar_rows([factor])
    return replace(
        key,
        private=scaled(G1, key.private, inverse),
        heights=scaled(G1, key.heights, inverse),
        delta=scaled(G1, key.delta, times),
        delta2=scaled(G2, key.delta2, times),
    )


def check_key(first: ProvingKey, last: ProvingKey, transcript: Transcript, circuit_hash: bytes, random: Random) -> None:
    """Raises Rejected, saying what is wrong, unless `last` is the first key after the transcript's contributions.

    first: as `first_key` makes it of powers that have been checked. A wrong key passes with probability below 2^-120.
    """
    if transcript.subject != subject(first, circuit_hash) or transcript.first != (G1.generator,):
        raise Rejected("the transcript is of another circuit or of other powers; take all of one ceremony")
    moved = {"private", "heights", "delta", "delta2"}
    for entry in fields(first):
        mine, theirs = getattr(first, entry.name), getattr(last, entry.name)
        same = (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        if not same or (entry.name not in moved and not np.array_equal(mine, theirs)):
            raise Rejected(f"the key's {entry.name} is not what powers and circuit give; take it as it was published")
    if not all(are_points(G1, rows) for rows in (_finite(last.private), last.heights, last.delta)):
        raise Rejected("the key has points that are not of the curve; take it as it was published")
    if not are_points(G2, last.delta2) or not in_subgroup(last.delta2, G2):
        raise Rejected("the key's delta is not a point of the group; take it as it was published")
    if to_points(G1, last.delta)[0] != transcript.points[0]:
        raise Rejected("the key's delta is not that of the transcript's last entry; take both of one state")
    one, one2 = G1.generator, G2.generator
    delta, delta2 = to_points(G1, last.delta)[0], to_points(G2, last.delta2)[0]
    if not pairings_cancel([(delta, one2), (to_points(G1, negated(G1, to_rows(G1, [one])))[0], delta2)]):
        raise Rejected("the key's two deltas differ; go back to the last state that verifies")
    for name in ("private", "heights"):
        before, after = getattr(first, name), getattr(last, name)
        factors = scalar_rows([random(_CHALLENGE) for _ in range(len(before))])
        old, new = (multi_scalar(G1, rows, factors) for rows in (before, after))
        if not pairings_cancel([(_point(new), delta2), (_point(negated(G1, old[np.newaxis])[0]), one2)]):
            raise Rejected(f"the key's {name} does not fit its delta; go back to the last state that verifies")


def _columns(group: Group, system: System, matrix: Sparse, bases: Words) -> Words:
    """For each wire the sum of its coefficients times its constraints' points."""
    order = np.argsort(matrix.wires, kind="stable")
    rows = np.repeat(np.arange(system.constraints), np.diff(matrix.starts))[order]
    starts = np.zeros(system.wires + 1, dtype=np.int64)
    np.cumsum(np.bincount(matrix.wires, minlength=system.wires), out=starts[1:])
    scalars = vectors.to_plain(system.table)[matrix.coefficients[order]]
    return combinations(group, bases, starts, rows, scalars)


def _finite(rows: Words) -> Words:
    """Without the points at infinity, which a wire of no constraint has."""
    finite: Words = rows[rows.any(axis=1)]
    return finite


def _point(row: Words) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    return to_points(G1, row[np.newaxis])[0]
