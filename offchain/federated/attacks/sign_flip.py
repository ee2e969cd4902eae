"""Sign flipping: push back what was learned, harder (Li et al. 2019, RSA, section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offchain.federated.attacks.base import Attack, Moves, View


@dataclass(frozen=True, slots=True)
class SignFlip(Attack):
    """-factor times the honest update; the paper's factor is 4. Knows its own data."""

    factor: float = 4.0

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """Each colluder turns its own update round."""
        del generator
        return -self.factor * view.own
