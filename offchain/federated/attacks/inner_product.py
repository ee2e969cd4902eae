"""Inner-product manipulation (Xie et al. 2020, "Fall of Empires", section 4): a small step back, all alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offchain.federated.attacks.base import Attack, Knowledge, Moves, View


@dataclass(frozen=True, slots=True)
class InnerProduct(Attack):
    """-epsilon times the mean of honest updates, so that the aggregate's inner product with it turns negative.

    Small ones stay close enough to honest updates to be selected; large ones turn a mean round. Knows everything.
    """

    knowledge: ClassVar[Knowledge] = Knowledge.EVERYTHING

    epsilon: float = 0.5

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """The same update for all."""
        del generator
        honest = view.own if view.honest is None else view.honest
        return np.tile(-self.epsilon * honest.mean(axis=0), (view.colluders, 1))
