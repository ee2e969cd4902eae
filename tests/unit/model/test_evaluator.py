"""The fast evaluator against the oracle, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.model.evaluator import evaluate
from offchain.model.graph import Op
from offchain.model.oracle import evaluate_slowly
from offchain.model.validation import validate
from tests.unit.model.networks import LIMITS, random_inputs, random_network

OPS = st.lists(st.sampled_from(list(Op)), min_size=1, max_size=5)
SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=2500, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False, database=None
)


@pytest.mark.parametrize("int8", [None, False])
@pytest.mark.parametrize("threads", [1, 2])
@MANY
@given(ops=OPS, seed=SEEDS, count=st.integers(1, 7), batch_size=st.sampled_from([None, 1, 2, 3, 5]))
def test_equals_the_oracle_on_random_networks(
    ops: list[Op], seed: int, count: int, batch_size: int | None, threads: int, int8: bool | None
) -> None:
    network = random_network(ops, seed)
    validate(network, LIMITS)
    inputs = random_inputs(seed, count, network.input_shape)
    fast = evaluate(network, inputs, batch_size=batch_size, threads=threads, int8=int8)
    assert np.array_equal(fast, evaluate_slowly(network, inputs))
