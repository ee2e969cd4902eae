"""With what each mode of the privacy experiment trains: chosen by hand on these data sets, seeds 0 to 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Recipe:
    """`rounds` of `steps` full-batch steps. `clip_norm`: of an example's gradient, or of a participant's update."""

    rounds: int
    steps: int
    clip_norm: float
    learning_rate: float
    server_rate: float = 1.0


PLAIN: Final = Recipe(rounds=20, steps=20, clip_norm=0.0, learning_rate=1.0)
"""Without privacy."""

_LOCAL: Final = Recipe(rounds=5, steps=4, clip_norm=0.3, learning_rate=20.0)
_EXAMPLE: Final = Recipe(rounds=20, steps=1, clip_norm=0.3, learning_rate=40.0)
_PARTICIPANT: Final = Recipe(rounds=5, steps=20, clip_norm=1.0, learning_rate=1.0)

_CHOSEN: Final[dict[tuple[str, str], Recipe]] = {}


def recipe(data: str, mode: str, participants: int) -> Recipe:
    """What was chosen for this data set, mode and number of participants, or else for the mode."""
    general = {"local": _LOCAL, "shares/example": _EXAMPLE, "shares/participant": _PARTICIPANT}[mode]
    return _CHOSEN.get((f"{data}/{participants}", mode), _CHOSEN.get((data, mode), general))
