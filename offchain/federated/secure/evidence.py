"""What a contract needs to compute a coordinate of a right sum (`contracts/federated/UnmaskedSums.sol`). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.errors import Bug
from offchain.federated.secure.terms import Seed
from offchain.federated.secure.transcript import Transcript, shares_of, vector_of
from offchain.federated.secure.unmask import Recovered
from offchain.federated.vector_tree import CHUNK, Opening, masked_tree


@dataclass(frozen=True, slots=True)
class Summand:
    """Of one survivor: the chunk of its masked vector, all commitments to its seeds, and the seeds that count.

    `pair_seeds`: with those that dealt shares and posted no vector, in order of position.
    """

    opening: Opening
    seeds: tuple[bytes, ...]
    self_seed: Seed
    pair_seeds: tuple[Seed, ...]


def evidence_at(transcript: Transcript, recovered: Recovered, coordinate: int) -> tuple[Summand, ...]:
    """One of each survivor, in order of position. Bug when the sum is lost, or there is no such coordinate."""
    if not recovered.complete or not 0 <= coordinate < transcript.session.dimension:
        raise Bug(f"no evidence about coordinate {coordinate} of a sum of {transcript.session.dimension}")
    sets = recovered.sets
    return tuple(
        Summand(
            opening=masked_tree(vector_of(transcript, own)).open(coordinate // CHUNK),
            seeds=shares_of(transcript, own).seeds,
            self_seed=recovered.self_seeds[own],
            pair_seeds=tuple(recovered.pair_seeds[own, gone] for gone in sets.dropped),
        )
        for own in sets.masked
    )
