"""Who cheated in a session: recomputed from the public messages by anybody, the leader included. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from offchain.federated.secure.faults import Fault
from offchain.federated.secure.masking import AddStream, add_stream
from offchain.federated.secure.terms import Position, Session
from offchain.federated.secure.transcript import Sets, Transcript, shares_of
from offchain.federated.secure.unmask import Sum, recover, sum_of, why_lost

_LOWEST, _HIGHEST = -(2**15), 2**15 - 1


@dataclass(frozen=True, slots=True)
class WrongSum:
    """The leader's sum is not the right one, first at `coordinate`; −1: it has another length or type."""

    coordinate: int
    claimed: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """`total`: the right sum, int32 (d,); None when it is lost, and `lost` says why.

    `faults`: each names a member for good. `disagreeing`: pairs that committed to different seeds; one of each lied,
    and only the seed of one that dropped out shows which. `out_of_range`: coordinates that no honest updates sum to;
    some survivor posted what is no update under masks, and nobody can say who without opening honest ones. `leader`:
    what is wrong with its sum.
    """

    sets: Sets
    faults: tuple[Fault, ...]
    total: Sum | None
    lost: str | None
    disagreeing: tuple[tuple[Position, Position], ...]
    out_of_range: int
    leader: WrongSum | None

    @property
    def cheaters(self) -> tuple[Position, ...]:
        """The members that are named."""
        return tuple(sorted({fault.accused for fault in self.faults}))

    @property
    def is_clean(self) -> bool:
        """Whether there is a sum that honest members can have made."""
        return self.total is not None and self.out_of_range == 0


def verify(transcript: Transcript, claimed: Sum | None = None, add: AddStream = add_stream) -> Verdict:
    """Judges a whole session, and the sum that a leader claims: int32 (d,)."""
    recovered = recover(transcript)
    sets = recovered.sets
    total = sum_of(transcript, recovered, add) if recovered.complete else None
    return Verdict(
        sets=sets,
        faults=tuple(sorted(set(recovered.faults))),
        total=total,
        lost=None if recovered.complete else why_lost(transcript, recovered),
        disagreeing=_disagreeing(transcript, sets),
        out_of_range=0 if total is None else _out_of_range(transcript.session, sets, total),
        leader=None if claimed is None or total is None else _compare(claimed, total),
    )


def _disagreeing(transcript: Transcript, sets: Sets) -> tuple[tuple[Position, Position], ...]:
    seeds = {position: shares_of(transcript, position).seeds for position in sets.shared}
    return tuple((one, other) for one, other in combinations(sets.shared, 2) if seeds[one][other] != seeds[other][one])


def _out_of_range(session: Session, sets: Sets, total: Sum) -> int:
    weight = sum(session.weights[position] for position in sets.masked)
    return int(np.count_nonzero((total < _LOWEST * weight) | (total > _HIGHEST * weight)))


def _compare(claimed: Sum, total: Sum) -> WrongSum | None:
    if claimed.shape != total.shape or claimed.dtype != np.int32:
        return WrongSum(-1, 0, 0)
    different = np.flatnonzero(claimed != total)
    if not len(different):
        return None
    first = int(different[0])
    return WrongSum(first, int(claimed[first]), int(total[first]))
