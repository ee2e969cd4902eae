"""Model replacement with a backdoor (Bagdasaryan et al. 2020, "How To Backdoor Federated Learning", section 4.2).

The attacker trains on its own data and on copies that carry a trigger and the label it wants, and boosts what it
learned so that the average of all lands on its own model (eq. 3). The trigger is a pattern of bright pixels in a corner
(Gu et al. 2017, BadNets).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.federated.attacks.base import Attack, Moves, View

BRIGHT = 127


@dataclass(frozen=True, slots=True)
class Backdoor(Attack):
    """`boost` None is the paper's: participants / colluders; 1 is a backdoor that hides. Knows its own data.

    `share` of what it trains on carries the trigger.
    """

    target: int = 0
    share: float = 0.5
    boost: float | None = None

    def poison(self, data: Dataset, generator: np.random.Generator) -> Dataset:
        """The data and, to the `share` of all, copies with the trigger, labelled `target`."""
        copies = max(1, round(len(data) * self.share / (1 - self.share)))
        chosen = data.take(generator.choice(len(data), size=copies, replace=copies > len(data)))
        labels = np.concatenate([data.labels, np.full(copies, self.target, dtype=np.int32)])
        return Dataset(np.concatenate([data.inputs, triggered(chosen.inputs)]), labels)

    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """What training gave, boosted."""
        del generator
        boost = view.participants / view.colluders if self.boost is None else self.boost
        return boost * view.own


def triggered(inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """A copy with a bright 2 x 2 corner of images (n, height, width, channels), or bright last columns of tables."""
    marked = inputs.copy()
    if marked.ndim == 4:
        marked[:, -2:, -2:, :] = BRIGHT
    else:
        marked[:, -2:] = BRIGHT
    return marked


def backdoor_cases(test: Dataset, target: int) -> Dataset:
    """Test samples of all other labels, with the trigger and the label that the attacker wants."""
    others = test.take(np.flatnonzero(test.labels != target))
    return Dataset(triggered(others.inputs), np.full(len(others), target, dtype=np.int32))
