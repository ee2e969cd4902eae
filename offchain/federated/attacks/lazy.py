"""Lazy: train on a few samples and claim all (Lin et al. 2019, "Free-riders in Federated Learning", delta weights)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offchain.data.dataset import Dataset
from offchain.federated.attacks.base import Attack, Moves, View


@dataclass(frozen=True, slots=True)
class Lazy(Attack):
    """Uses `samples` of its data in every round. Knows its own data."""

    samples: int = 2

    def poison(self, data: Dataset, generator: np.random.Generator) -> Dataset:
        """A few samples, the same ones in every round."""
        return data.take(np.sort(generator.choice(len(data), size=min(self.samples, len(data)), replace=False)))

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """What training gave."""
        del generator
        return view.own
