"""What an adversary is: hostile participants who act together on their data, on their updates, or on both.

Updates are committed before anyone reveals, so nobody sees honest updates of the current round before its own is fixed.
Papers often grant an attacker just that; where one here has `Knowledge.EVERYTHING`, it is stronger than the protocol
allows, and a rule that withstands it withstands what can really come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset

Moves = npt.NDArray[np.float64]
"""(participants, d): what weights are moved by, in units of the weights, before rounding to fixed point."""


class Knowledge(Enum):
    """What an attacker goes by."""

    OWN = "own data"
    COLLUDERS = "the colluders' updates"
    PAST = "all updates of past rounds"
    EVERYTHING = "all updates of this round"


@dataclass(frozen=True, slots=True)
class View:
    """What the hostile participants see in a round.

    `own` is what training on their data (as `poison` left it) gave each of the k of them; `honest` the updates of all
    others, only for attackers that know everything; `past` public updates (n, d) of rounds before, the first round's
    first and the last one's last; `hostile` their k places among the n participants.
    """

    participants: int
    hostile: npt.NDArray[np.intp]
    own: Moves
    past: Sequence[Moves]
    honest: Moves | None = None

    @property
    def colluders(self) -> int:
        """k."""
        return len(self.hostile)


class Attack(ABC):
    """An adversary; `knowledge` says what it goes by, and whether its view holds the honest updates."""

    knowledge: ClassVar[Knowledge] = Knowledge.OWN

    def poison(self, data: Dataset, generator: np.random.Generator) -> Dataset:
        """What a hostile participant trains on instead of its data; the data themselves unless said otherwise."""
        del generator
        return data

    @abstractmethod
    def craft(self, view: View, generator: np.random.Generator) -> Moves:
        """The updates (k, d) that the hostile participants commit to."""
