import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.assembly import MAX_MULTIPLIER, MAX_SHIFT, assemble, quantise_rows, requantisation
from offchain.model.calibration import Method, calibrate
from offchain.model.evaluator import evaluate
from offchain.model.float_model import FloatModel, Scaling
from offchain.model.folding import FoldedNetwork, fold
from offchain.model.graph import IntegerNetwork
from offchain.model.limits import ModelLimits
from offchain.model.objective import mean_score
from offchain.model.oracle import evaluate_slowly
from offchain.model.quantisation import quantise
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.training import Settings, Trainer, TrainingData, load_network, predict
from offchain.model.validation import validate
from offchain.protocol.scores import ScoreFunction
from tests.unit.training.networks import models, random_inputs, random_model

CPU = torch.device("cpu")
LIMITS = ModelLimits(max_model_bytes=1 << 30, max_tensor_bytes=1 << 30)


def integer_network(model: FloatModel, data: Dataset, method: Method = "max") -> IntegerNetwork:
    network = FoldedNetwork(fold(model))
    sample = torch.from_numpy(data.inputs).float() * model.scaling.input_scale
    scales = calibrate(network, sample, input_scale=model.scaling.input_scale, method=method)
    return assemble(network.export_nodes(), scales, input_shape=model.spec.input_shape)


@settings(max_examples=80, deadline=None)
@given(models())
def test_folding_changes_nothing(model: FloatModel) -> None:
    data = random_inputs(model.spec, 6)
    expected = predict(load_network(model), data, model.scaling, CPU)
    folded = predict(FoldedNetwork(fold(model)), data, model.scaling, CPU)
    np.testing.assert_allclose(folded, expected, rtol=1e-3, atol=1e-4 * max(1e-6, float(np.abs(expected).max())))


@settings(max_examples=150, deadline=None)
@given(models(), st.sampled_from(["mse", "max", "percentile"]))
def test_quantised_networks_are_valid_and_exact(model: FloatModel, method: Method) -> None:
    """Whatever the spec and its weights: the result is within every proven bound, and both evaluators agree on it."""
    data = random_inputs(model.spec, 5)
    network = integer_network(model, data, method)
    validate(network, LIMITS)
    np.testing.assert_array_equal(evaluate(network, data.inputs), evaluate_slowly(network, data.inputs))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["mlp:16-8", "cnn:6-8", "resnet:6-8"]))
def test_integer_outputs_follow_the_float_ones(seed: int, text: str) -> None:
    spec = spec_from_shorthand(text, input_shape=(6, 6, 2), outputs=4)
    model = random_model(spec, seed=seed)
    data = random_inputs(spec, 200, seed)
    network = integer_network(model, data)
    expected = predict(load_network(model), data, model.scaling, CPU)
    real = evaluate_slowly(network, data.inputs) * network.output_scale
    error = np.sqrt(np.mean((real - expected) ** 2))
    assert error < 0.15 * np.std(expected)


def test_logits_have_no_ties_by_rounding() -> None:
    """One output unit is far finer than an accumulator step of a hidden int8 activation."""
    spec = spec_from_shorthand("mlp:16", input_shape=(12,), outputs=5)
    model = random_model(spec, seed=4)
    data = random_inputs(spec, 500)
    outputs = evaluate(integer_network(model, data), data.inputs)
    assert np.abs(outputs).max() > 100_000
    ordered = np.sort(outputs, axis=1)
    assert np.mean(ordered[:, -1] == ordered[:, -2]) < 0.01


@pytest.mark.parametrize("bias", [0.0, 1.0, -1e12, 1e30])
@pytest.mark.parametrize("weight", [0.0, 1e-30, 1.0, 1e20])
def test_rows_stay_within_int32(weight: float, bias: float) -> None:
    weights = np.array([[weight, -weight / 3], [1.0, 0.5]])
    rows = quantise_rows(weights, np.array([bias, 0.25]), 1 / 64)
    assert (rows.bound() < 2**31).all()
    np.testing.assert_allclose(rows.bias * rows.scale, [bias, 0.25], rtol=1e-6, atol=rows.scale.max())
    np.testing.assert_allclose(rows.weight[1] * rows.scale[1] * 64, weights[1], rtol=0.01)


def test_a_very_long_row_is_made_coarser() -> None:
    weights = np.ones((1, 200_000))
    rows = quantise_rows(weights, np.zeros(1), 1.0)
    assert rows.bound()[0] < 2**31
    assert 0 < rows.weight[0, 0] < 127
    assert rows.weight[0, 0] * rows.scale[0] == pytest.approx(1.0, rel=0.05)


@settings(max_examples=300, deadline=None)
@given(st.floats(2.0**-26, 2.0**20))
def test_multipliers_are_within_their_limits_and_near(ratio: float) -> None:
    made = requantisation(np.array([ratio]))
    multiplier, shift = int(made.multiplier[0]), int(made.shift[0])
    assert 0 < multiplier <= MAX_MULTIPLIER
    assert 1 <= shift <= MAX_SHIFT
    assert multiplier / 2.0**shift == pytest.approx(ratio, rel=2.0**-20)


def test_extreme_ratios_are_clamped() -> None:
    made = requantisation(np.array([1e-40, 1e40]))
    assert made.multiplier.tolist() == [1, MAX_MULTIPLIER]
    assert made.shift.tolist() == [MAX_SHIFT, 1]


def _blobs(count: int, seed: int) -> Dataset:
    """Three overlapping clouds in eight dimensions."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count).astype(np.int32)
    centres = np.random.default_rng(0).normal(0, 24, (3, 8))
    inputs = np.clip(np.rint(centres[labels] + random.normal(0, 25, (count, 8))), -127, 127).astype(np.int8)
    return Dataset(inputs, labels)


def _lopsided(model: FloatModel) -> FloatModel:
    """The same function, but every hidden unit at another scale: what one scale per tensor is worst at."""
    factors = np.logspace(0, 3.5, 16).astype(np.float32)
    state = dict(model.state)
    state["layers.0_dense1.weight"] = state["layers.0_dense1.weight"] * factors[:, np.newaxis]
    state["layers.0_dense1.bias"] = state["layers.0_dense1.bias"] * factors
    state["layers.1_outputs.weight"] = state["layers.1_outputs.weight"] / factors
    return FloatModel(model.spec, state, model.scaling)


def test_fine_tuning_wins_back_what_rounding_cost() -> None:
    data = TrainingData(_blobs(1200, 1), _blobs(600, 2), ScoreFunction.ACCURACY)
    chosen = Settings("adam", 3e-3)
    spec = spec_from_shorthand("mlp:16", input_shape=(8,), outputs=3)
    snapshot = Trainer(spec, data, chosen, seed=0).run(8, should_stop=lambda: False)
    assert snapshot is not None
    model, target = _lopsided(snapshot.model), snapshot.judgement.score
    made = {
        epochs: quantise(
            model, data, settings=chosen, target=target, fine_tune_epochs=epochs, seed=0, should_stop=lambda: False
        )
        for epochs in (0, 6)
    }
    assert made[0].method.startswith("post-training")
    assert made[0].judgement.score < target - 0.02
    assert made[6].method.startswith("quantisation-aware")
    assert made[6].judgement.score > made[0].judgement.score + 0.01
    outputs = evaluate_slowly(made[6].network, data.holdout.inputs)
    assert mean_score(outputs, data.holdout.labels, ScoreFunction.ACCURACY) == made[6].judgement.score


def test_fine_tuning_does_not_start_after_the_deadline() -> None:
    data = TrainingData(_blobs(200, 1), _blobs(100, 2), ScoreFunction.ACCURACY)
    spec = spec_from_shorthand("mlp:16", input_shape=(8,), outputs=3)
    model = random_model(spec, seed=0)
    made = quantise(
        model, data, settings=Settings("adam", 1e-3), target=1.0, fine_tune_epochs=100, seed=0, should_stop=lambda: True
    )
    assert made.method.startswith("post-training")


def test_float_weights_round_trip() -> None:
    spec = spec_from_shorthand("resnet:4-8", input_shape=(8, 8, 1), outputs=3)
    model = random_model(spec, seed=1)
    content = model.to_bytes()
    again = FloatModel.from_bytes(content, max_bytes=len(content))
    assert (again.spec, again.scaling) == (model.spec, model.scaling)
    assert again.to_bytes() == content
    for end in range(0, len(content), 97):
        with pytest.raises(Rejected, match=r"^float weights: "):
            FloatModel.from_bytes(content[:end], max_bytes=1 << 20)
    with pytest.raises(Rejected, match="at most 100 are allowed"):
        FloatModel.from_bytes(content, max_bytes=100)


def test_float_weights_that_do_not_fit_their_spec() -> None:
    spec = spec_from_shorthand("cnn:4", input_shape=(8, 8, 1), outputs=3)
    model = random_model(spec, seed=1)
    key = "layers.1_norm1.running_var"
    bad = {
        "is missing or superfluous": {k: v for k, v in model.state.items() if k != key},
        "missing or superfluous": {**model.state, "layers.9_x.weight": np.zeros(1, np.float32)},
        "expected F32": {**model.state, key: np.zeros(5, np.float32)},
        "is F64": {**model.state, key: np.zeros(4, np.float64)},
        "not finite": {**model.state, key: np.full(4, np.nan, np.float32)},
        "negative variance": {**model.state, key: np.full(4, -1, np.float32)},
    }
    for message, state in bad.items():
        content = FloatModel(spec, state, model.scaling).to_bytes()  # type: ignore[arg-type]
        with pytest.raises(Rejected, match=message):
            FloatModel.from_bytes(content, max_bytes=1 << 20)


def test_scaling_that_is_no_number_is_refused() -> None:
    spec = spec_from_shorthand("mlp:4", input_shape=(4,), outputs=2)
    model = random_model(spec, seed=1)
    broken = FloatModel(spec, model.state, Scaling.model_construct(input_scale=float("nan"))).to_bytes()
    with pytest.raises(Rejected, match="not a sound file of float weights"):
        FloatModel.from_bytes(broken, max_bytes=1 << 20)
