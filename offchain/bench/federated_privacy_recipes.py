"""With what each mode of the privacy experiment trains: searched at random on splits of seeds 100 to 105."""

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

_CHOSEN: Final[dict[tuple[str, str, int], Recipe]] = {
    ("breast_cancer", "local", 12): Recipe(10, 1, 1.0, 3.3),
    ("breast_cancer", "local", 100): Recipe(5, 2, 0.3, 3.8),
    ("breast_cancer", "shares/example", 12): Recipe(40, 1, 1.0, 4.2),
    ("breast_cancer", "shares/example", 100): Recipe(40, 1, 1.0, 4.8),
    ("breast_cancer", "shares/participant", 12): Recipe(10, 20, 0.45, 1.0),
    ("breast_cancer", "shares/participant", 100): Recipe(20, 20, 0.6, 1.0, 3.0),
    ("digits", "local", 12): Recipe(10, 4, 1.0, 1.8, 1.5),
    ("digits", "local", 100): Recipe(20, 1, 0.3, 11.8),
    ("digits", "shares/example", 12): Recipe(30, 1, 0.3, 46.0),
    ("digits", "shares/example", 100): Recipe(30, 1, 0.3, 40.0),
    ("digits", "shares/participant", 12): Recipe(10, 20, 0.5, 0.3),
    ("digits", "shares/participant", 100): Recipe(20, 20, 1.07, 1.0, 2.0),
    ("digits_gradients", "local", 12): Recipe(20, 1, 1.0, 4.0),
    ("digits_gradients", "local", 100): Recipe(20, 1, 0.3, 11.8),
    ("digits_gradients", "shares/example", 12): Recipe(40, 1, 0.3, 41.0),
    ("digits_gradients", "shares/example", 100): Recipe(30, 1, 0.3, 35.0),
    ("digits_gradients", "shares/participant", 12): Recipe(5, 5, 0.4, 1.0, 2.0),
    ("digits_gradients", "shares/participant", 100): Recipe(20, 20, 0.63, 2.0, 3.0),
    ("wine", "local", 12): Recipe(1, 1, 1.0, 18.0),
    ("wine", "shares/example", 12): Recipe(40, 1, 0.1, 16.4),
    ("wine", "shares/participant", 12): Recipe(5, 5, 0.15, 1.0, 3.0),
    ("iris", "local", 12): Recipe(2, 2, 0.1, 28.0, 1.5),
    ("iris", "shares/example", 12): Recipe(20, 1, 0.3, 11.0),
    ("iris", "shares/participant", 12): Recipe(20, 20, 0.27, 1.0),
}


def recipe(data: str, mode: str, participants: int) -> Recipe:
    """What was chosen for this data set and mode, with the nearest number of participants (by ratio)."""
    found = {count: chosen for (name, kind, count), chosen in _CHOSEN.items() if (name, kind) == (data, mode)}
    return found[min(found, key=lambda count: max(count / participants, participants / count))]
