"""Label flipping: train on wrong labels, otherwise be honest (Biggio et al. 2012; Fang et al. 2020, section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offchain.data.dataset import Dataset
from offchain.federated.attacks.base import Attack, Moves, View


@dataclass(frozen=True, slots=True)
class LabelFlip(Attack):
    """Every label l becomes classes - 1 - l. Knows its own data."""

    classes: int = 10

    def poison(self, data: Dataset, generator: np.random.Generator) -> Dataset:
        """The same inputs with flipped labels."""
        del generator
        return Dataset(data.inputs, (self.classes - 1 - data.labels).astype(np.int32))

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """What training gave."""
        del generator
        return view.own
