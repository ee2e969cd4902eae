"""A Little Is Enough (Baruch et al. 2019, algorithm 3): all colluders move by a little, within the honest spread."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

import numpy as np

from offchain.federated.attacks.base import Attack, Knowledge, Moves, View


@dataclass(frozen=True, slots=True)
class Alie(Attack):
    """Mean minus z standard deviations of the colluders' own updates, coordinate by coordinate.

    `z` None is the paper's: the most by which honest updates, were they normal, leave a majority with the colluders.
    The paper's colluders all send the same; `scattered` ones each move their own honest update, so that they are no
    more alike than honest ones. Knows the colluders' updates, from which it estimates everybody's.
    """

    knowledge: ClassVar[Knowledge] = Knowledge.COLLUDERS

    z: float | None = None
    scattered: bool = False

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """The same move for all."""
        del generator
        z = largest_hidden_deviation(view.participants, view.colluders) if self.z is None else self.z
        around = view.own if self.scattered else np.tile(view.own.mean(axis=0), (view.colluders, 1))
        return np.asarray(around - z * view.own.std(axis=0))


def largest_hidden_deviation(participants: int, colluders: int) -> float:
    """z such that s honest updates are expected beyond it, who with the colluders are a majority (section 3.2)."""
    supporters = participants // 2 + 1 - colluders
    honest = participants - colluders
    share = min(max((honest - supporters) / honest, 0.5), 1 - 1e-3)
    return NormalDist().inv_cdf(share)
