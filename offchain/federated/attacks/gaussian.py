"""Gaussian noise in place of an update (Blanchard et al. 2017, section 6, "Gaussian Byzantine workers")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offchain.federated.attacks.base import Attack, Moves, View


@dataclass(frozen=True, slots=True)
class Gaussian(Attack):
    """Independent noise, `factor` times as large (root mean square) as the honest update. Knows its own data."""

    factor: float = 10.0

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """Noise for each colluder."""
        sizes = np.sqrt(np.mean(np.square(view.own), axis=1, keepdims=True))
        return np.asarray(self.factor * sizes * generator.standard_normal(view.own.shape), dtype=np.float64)
