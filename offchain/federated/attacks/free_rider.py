"""Free-riders: have the model and the reward without training (Lin et al. 2019; Fraboni et al. 2021).

Commitments come before reveals, so another's update can be copied only a round late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offchain.federated.attacks.base import Attack, Knowledge, Moves, View


@dataclass(frozen=True, slots=True)
class NoTraining(Attack):
    """Noise of `share` of the size of the last public updates, to look like work (Fraboni et al. 2021, section 3.2).

    Nothing at all in the first round. Knows the updates of past rounds.
    """

    knowledge: ClassVar[Knowledge] = Knowledge.PAST

    share: float = 0.1

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """Small noise for each."""
        size = float(np.sqrt(np.mean(np.square(view.past[-1])))) if view.past else 0.0
        return np.asarray(self.share * size * generator.standard_normal(view.own.shape), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Copied(Attack):
    """Each sends what an honest participant revealed in the round before. Knows the updates of past rounds."""

    knowledge: ClassVar[Knowledge] = Knowledge.PAST

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """Copies of others' updates of the last round; nothing in the first."""
        if not view.past:
            return np.zeros_like(view.own)
        others = np.setdiff1d(np.arange(view.participants), view.hostile)
        return np.asarray(view.past[-1][generator.choice(others, size=view.colluders)])


@dataclass(frozen=True, slots=True)
class Replayed(Attack):
    """Trains once and sends that update in every round. Knows its own data."""

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """The update of the first round, again."""
        del generator
        return np.asarray(view.past[0][view.hostile]) if view.past else view.own
