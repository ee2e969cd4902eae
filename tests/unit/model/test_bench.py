"""The evaluation benchmark measures what it says: valid networks, the same function in float, every engine."""

import numpy as np
import torch

from offchain.bench.evaluation import Row, facts, networks, profile, run
from offchain.bench.evaluation_networks import float_inputs, in_float
from offchain.model.evaluator import evaluate
from offchain.model.limits import ModelLimits
from offchain.model.matmul import int8_is_exact
from offchain.model.oracle import evaluate_slowly
from offchain.model.validation import validate

LIMITS = ModelLimits(max_model_bytes=1 << 26, max_tensor_bytes=1 << 24)


def test_the_networks_are_valid_and_evaluated_exactly() -> None:
    for network, _ in networks(seed=0).values():
        validate(network, LIMITS)
        inputs = np.random.default_rng(1).integers(-128, 128, (3, *network.input_shape), dtype=np.int8)
        outputs = evaluate(network, inputs, threads=1)
        assert np.array_equal(outputs, evaluate_slowly(network, inputs))
        assert len(np.unique(outputs)) > 10
        floating = in_float(network)(float_inputs(inputs))
        assert floating.shape == outputs.shape
        assert bool(torch.isfinite(floating).all())


def test_rows_cover_every_network_and_engine() -> None:
    rows = run(threads=1, repetitions=1, scale=0.002)
    engines = {"int8", "float"} if int8_is_exact() else {"float"}
    assert {(row.network, row.engine) for row in rows} == {(name, e) for name in networks(0) for e in engines}
    assert all(isinstance(row, Row) and row.ratio > 0 and row.integer_ms > 0 for row in rows)
    assert facts()["int8_is_exact"] == int8_is_exact()


def test_a_profile_adds_up() -> None:
    shares = profile(scale=0.002)
    for name in networks(0):
        assert abs(sum(share.percent for share in shares if share.network == name) - 100) < 1e-6
