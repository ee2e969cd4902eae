"""The speed benchmark's worker process and its arithmetic; Flower itself is not installed for tests."""

from pathlib import Path

import numpy as np
import pytest

from offchain.bench import federated_speed
from offchain.bench.federated_process import our_side
from offchain.bench.federated_worker import updates
from offchain.errors import Retryable
from offchain.federated.aggregation.rule import RuleId, aggregate

N, D = 20, 3001


def test_the_worker_aggregates_what_it_was_told(tmp_path: Path) -> None:
    rule = federated_speed.RULES[-1]
    job = {"rule": "ours", "id": int(rule.id), "parameter": rule.parameter, "selected": 0, "weights": [1] * N}
    with our_side() as side:
        assert side.ask({"n": N, "d": D, "seed": 4}) == {}
        answer = side.ask({**job, "save": str(tmp_path / "result.npy")})
        assert set(side.ask(job)) == {"seconds"}
        side.process.kill()
        side.process.wait()
        with pytest.raises(Retryable, match="ended in ours"):
            side.ask(job)
    assert answer["seconds"] > 0
    assert 0 <= answer["peak_bytes"] < 256 << 20
    expected = aggregate(rule, updates(N, D, 4)).aggregate
    assert np.array_equal(np.load(tmp_path / "result.npy"), expected)


def test_every_rule_is_measured_and_valid() -> None:
    assert {rule.id for rule in federated_speed.RULES} == set(RuleId)
    for count in federated_speed.Options().counts:
        for rule in federated_speed.RULES:
            rule.check(count)
