"""What a coalition of 6 in 20 takes of the pool without training: bounded under one rule, open under others.

The numbers of docs/federated.md, What is known to be open, are these.
"""

import numpy as np
import numpy.typing as npt
import pytest

from offchain.federated.aggregation.rule import Rule, RuleId, aggregate
from offchain.federated.contribution import contributions, inner_products

HONEST, COALITION, DIMENSION, ONE = 14, 6, 4000, 1 << 12
PART = COALITION / (HONEST + COALITION)

Floats = npt.NDArray[np.float64]

RULES = {
    "mean": Rule(RuleId.MEAN),
    "median": Rule(RuleId.MEDIAN),
    "trimmed": Rule(RuleId.TRIMMED_MEAN, 310_000),
    "clipped": Rule(RuleId.CLIPPED_MEAN, 5 * ONE // 2),
    "multi-krum": Rule(RuleId.MULTI_KRUM, 300_000, 500_000),
}


def fixed(values: Floats) -> npt.NDArray[np.int16]:
    return np.asarray(np.clip(np.round(values * ONE), -(1 << 15), (1 << 15) - 1), dtype=np.int16)


def unit(generator: np.random.Generator) -> Floats:
    direction = generator.normal(size=DIMENSION)
    return np.asarray(direction / np.linalg.norm(direction))


class Crowd:
    """Honest updates of length 2 along one direction, with noise `scatter` times as long."""

    def __init__(self, scatter: float) -> None:
        generator = np.random.default_rng(0)
        direction = unit(generator)

        def train() -> list[Floats]:
            noise = generator.normal(size=(HONEST, DIMENSION)) * 2 * scatter / np.sqrt(DIMENSION)
            return list(2 * direction + noise)

        self.honest = [fixed(update) for update in train()]
        self.last = np.mean(train(), axis=0)
        self.junk = unit(generator)

    def taken(self, name: str, sent: Floats, claimed: int = 1) -> float:
        """The coalition's part of the pool when all of it send the same."""
        updates = [*self.honest, *[fixed(sent)] * COALITION]
        outcome = aggregate(RULES[name], updates, [1] * HONEST + [claimed] * COALITION).aggregate
        measured = contributions(inner_products(updates, outcome))
        return sum(measured[HONEST:]) / sum(measured)


@pytest.mark.parametrize("scatter", [1.0, 3.0])
def test_under_clipping_nobody_takes_more_than_its_number(scatter: float) -> None:
    crowd = Crowd(scatter)
    for sent in (crowd.last, 4 * crowd.last, 2 * crowd.junk, 8 * crowd.junk, 2 * crowd.last + 2 * crowd.junk):
        assert crowd.taken("clipped", sent) <= PART + 0.01


def test_nothing_is_paid_for_nothing() -> None:
    crowd = Crowd(1.0)
    for name in RULES:
        assert crowd.taken(name, np.zeros(DIMENSION)) == 0


def test_open_the_last_aggregate_passes_for_work() -> None:
    scattered = Crowd(3.0)
    for name in RULES:
        assert 0.25 < scattered.taken(name, scattered.last) < 0.4
        assert scattered.taken(name, 4 * scattered.last) < 0.7


def test_open_one_random_direction_beats_multi_krum_where_the_honest_scatter() -> None:
    scattered = Crowd(3.0)
    assert scattered.taken("multi-krum", 8 * scattered.junk) > 0.7
    assert Crowd(1.0).taken("multi-krum", 8 * scattered.junk) == 0


def test_open_claimed_samples_take_the_pool_under_the_mean() -> None:
    crowd = Crowd(1.0)
    assert crowd.taken("mean", 2 * crowd.junk, claimed=10_000) > 0.95
    assert crowd.taken("mean", 2 * crowd.junk) < PART
