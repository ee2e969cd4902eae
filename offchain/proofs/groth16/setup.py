"""Keys from secrets that one process knew: INSECURE, for development chains and tests. Ceremonies make the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from eth_utils.crypto import keccak

from offchain.proofs.groth16 import vectors
from offchain.proofs.groth16.curve import G1, G2, Group, multiples, scalar_rows, to_rows
from offchain.proofs.groth16.keys import ProvingKey
from offchain.proofs.groth16.limbs import SCALAR_ORDER, Words
from offchain.proofs.groth16.r1cs import System


@dataclass(frozen=True, slots=True)
class Secrets:
    """What nobody may know of a key that is to be believed."""

    tau: int
    alpha: int
    beta: int
    delta: int

    @classmethod
    def public_knowledge(cls, circuit_hash: bytes) -> Secrets:
        """Secrets that anybody can compute: the same key for the same circuit everywhere."""
        drawn = [int.from_bytes(keccak(b"assay insecure set-up" + bytes([i]) + circuit_hash), "big") for i in range(4)]
        return cls(*(value % (SCALAR_ORDER - 1) + 1 for value in drawn))


def lagrange(size: int, tau: int) -> Words:
    """L_j(tau) of the size-th roots of unity, Montgomery rows: (tau^n - 1) / n * root^j / (tau - root^j)."""
    roots = vectors.powers(vectors.root_of_unity(size), size)
    height = (pow(tau, size, SCALAR_ORDER) - 1) * pow(size, -1, SCALAR_ORDER) % SCALAR_ORDER
    distances = vectors.plus(vectors.powers(1, size, tau), vectors.times(roots, SCALAR_ORDER - 1))
    return vectors.times(vectors.product(roots, vectors.inverses(distances)), height)


def insecure_key(system: System, secrets: Secrets) -> ProvingKey:
    """The key of known secrets, by multiples of the generators alone."""
    size, delta = vectors.domain_size(system.constraints), secrets.delta
    weights = lagrange(size, secrets.tau)
    u, v, w = (vectors.columns(m, system.table, weights, system.wires) for m in (system.a, system.b, system.c))
    mixed = vectors.plus(vectors.plus(vectors.times(u, secrets.beta), vectors.times(v, secrets.alpha)), w)
    public = 1 + system.public
    a_wires, b_wires = (np.flatnonzero(part.any(axis=1)) for part in (u, v))
    height = (pow(secrets.tau, size, SCALAR_ORDER) - 1) * pow(delta, -1, SCALAR_ORDER) % SCALAR_ORDER
    singles = scalar_rows([secrets.alpha, secrets.beta, delta])
    alpha, beta, delta1 = (_times_base(G1, row[np.newaxis]) for row in singles)
    beta2, delta2 = (_times_base(G2, row[np.newaxis]) for row in singles[1:])
    return ProvingKey(
        a_wires=a_wires,
        a=_times_base(G1, vectors.to_plain(u[a_wires])),
        b_wires=b_wires,
        b1=_times_base(G1, vectors.to_plain(v[b_wires])),
        b2=_times_base(G2, vectors.to_plain(v[b_wires])),
        private=_times_base(G1, vectors.to_plain(vectors.times(mixed[public:], pow(delta, -1, SCALAR_ORDER)))),
        heights=_times_base(G1, vectors.to_plain(vectors.powers(secrets.tau, size - 1, height))),
        public=_times_base(G1, vectors.to_plain(mixed[:public])),
        alpha=alpha,
        beta=beta,
        delta=delta1,
        beta2=beta2,
        delta2=delta2,
    )


def _times_base(group: Group, scalars: Words) -> Words:
    return multiples(group, to_rows(group, [group.generator])[0], scalars)
