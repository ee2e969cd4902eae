"""Colluders in two groups: what one does covers for the other.

Splitting colluders against distance-based rules is Shejwalkar & Houmansadr 2021 ("Manipulating the Byzantine"), section
4, and against selection El Mhamdi et al. 2018, section 3, carried to two groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offchain.federated.attacks.alie import largest_hidden_deviation
from offchain.federated.attacks.base import Attack, Knowledge, Moves, View


@dataclass(frozen=True, slots=True)
class OpposedHalves(Attack):
    """One half pushes on, the other back, each `factor` times the mean of the colluders' honest updates.

    Neither shows in a sum, both use up what a rule may trim, and the half that pushes on asks for the reward. Knows the
    colluders' updates.
    """

    knowledge: ClassVar[Knowledge] = Knowledge.COLLUDERS

    factor: float = 3.0

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """Two updates, alternating."""
        del generator
        signs = np.where(np.arange(view.colluders) % 2 == 0, 1.0, -1.0)
        return np.asarray(self.factor * signs[:, None] * view.own.mean(axis=0))


@dataclass(frozen=True, slots=True)
class AlignedHalves(Attack):
    """Both halves push one way: one hides in the honest spread as ALIE does, one is a decoy, `factor` times as far out.

    Whoever leaves out the most suspicious finds the decoys. Knows the colluders' updates.
    """

    knowledge: ClassVar[Knowledge] = Knowledge.COLLUDERS

    factor: float = 10.0

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """Two updates, alternating."""
        del generator
        z = 2 * largest_hidden_deviation(view.participants, view.colluders)
        reach = np.where(np.arange(view.colluders) % 2 == 0, 1.0, self.factor)
        return np.asarray(view.own.mean(axis=0) - z * reach[:, None] * view.own.std(axis=0), dtype=np.float64)
