"""Recurrent layers, embeddings and gates: from the spec to the unrolled integer network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.evaluator import evaluate
from offchain.model.float_model import FloatModel, Scaling
from offchain.model.footprint import footprint
from offchain.model.graph import Op
from offchain.model.limits import MAX_NODES
from offchain.model.oracle import evaluate_slowly
from offchain.model.search import SearchSettings, search
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.spec import ModelSpec, parse_spec
from offchain.model.training import Settings, Trainer, TrainingData, load_network, predict
from offchain.protocol.scores import ScoreFunction
from tests.unit.training.networks import models, random_inputs, random_model
from tests.unit.training.test_quantisation import integer_network
from tests.unit.training.test_training import accuracies, never

CPU = torch.device("cpu")
QUICK = SearchSettings(configurations=2, first_cycle=6, max_epochs=18, patience=1)


@settings(max_examples=60, deadline=None)
@given(models())
def test_the_footprint_is_that_of_the_network(model: FloatModel) -> None:
    network = integer_network(model, random_inputs(model.spec, 2))
    made = model.spec.footprint
    weights = [node.weight for node in network.nodes if node.weight is not None]
    assert made.nodes == len(network.nodes)
    assert made.weights == sum(weight.size for weight in weights)
    assert made.units == sum(len(weight) for weight in weights)
    assert made.tensor_bytes == max(max(weight.size, 4 * len(weight)) for weight in weights)


@pytest.mark.parametrize("text", ["lstm:12", "gru:12", "lstm:8-6", "gru:8-6"])
def test_the_unrolled_network_follows_torchs_own_cells(text: str) -> None:
    spec = spec_from_shorthand(text, input_shape=(6, 4, 2), outputs=3)
    model, data = random_model(spec, seed=4), random_inputs(spec, 300)
    expected = predict(load_network(model), data, model.scaling, CPU)
    network = integer_network(model, data, "mse")
    real = evaluate_slowly(network, data.inputs) * network.output_scale
    assert np.sqrt(np.mean((real - expected) ** 2)) < 0.05 * np.std(expected)
    np.testing.assert_array_equal(evaluate(network, data.inputs), evaluate_slowly(network, data.inputs))


@pytest.mark.parametrize(("kind", "most"), [("lstm", 36), ("gru", 34)])
def test_the_longest_sequence(kind: str, most: int) -> None:
    """With an embedding before it and a dense layer after it."""
    text = f"embedding:2+{kind}:2"
    spec = spec_from_shorthand(text, input_shape=(most,), outputs=2)
    assert MAX_NODES - 15 < spec.footprint.nodes <= MAX_NODES
    model = random_model(spec, seed=0)
    data = random_inputs(spec, 4)
    network = integer_network(model, data)
    assert len(network.nodes) == spec.footprint.nodes
    says = rf"the limit is 512: layer '{kind}1' has {most + 1} steps, at most {most} fit: shorten the sequence"
    with pytest.raises(Rejected, match=says):
        spec_from_shorthand(text, input_shape=(most + 1,), outputs=2)


def test_too_many_unrolled_weights() -> None:
    with pytest.raises(Rejected, match=r"becomes .* weights when it is unrolled; the limit is 10,000,000"):
        spec_from_shorthand("lstm:512", input_shape=(20, 8, 1), outputs=2)


def test_states_of_one_layer_are_read_by_the_next_without_a_detour() -> None:
    spec = spec_from_shorthand("lstm:4-4", input_shape=(5, 3, 1), outputs=2)
    network = integer_network(random_model(spec, seed=1), random_inputs(spec, 3))
    slices_of_input = [node for node in network.nodes if node.op is Op.SLICE and node.inputs == (0,)]
    assert len(slices_of_input) == 5
    assert len([node for node in network.nodes if node.output_shape == (5, 1, 4)]) == 0


def test_states_as_an_image() -> None:
    spec = parse_spec(
        '{"input_shape": [5, 3, 1], "layers": [{"kind": "gru", "name": "g", "units": 4, "sequences": true},'
        ' {"kind": "average_pool2d", "name": "mean", "pool": "all"}, {"kind": "dense", "name": "out", "units": 2}]}',
        source="spec.json",
    )
    model, data = random_model(spec, seed=2), random_inputs(spec, 200)
    network = integer_network(model, data, "mse")
    expected = predict(load_network(model), data, model.scaling, CPU)
    real = evaluate_slowly(network, data.inputs) * network.output_scale
    assert np.sqrt(np.mean((real - expected) ** 2)) < 0.05 * np.std(expected)
    assert footprint(spec.wired()).nodes == len(network.nodes)


def test_tokens_beyond_the_vocabulary_share_its_last_row() -> None:
    spec = spec_from_shorthand("embedding:3+mlp:4", input_shape=(2,), outputs=2)
    small = ModelSpec(
        input_shape=spec.input_shape, layers=(spec.layers[0].model_copy(update={"vocabulary": 10}), *spec.layers[1:])
    )
    model = random_model(small, seed=3)
    inputs = np.array([[9 - 128, 0], [127, 9 - 128], [60, 61]], dtype=np.int8)
    data = Dataset(inputs, np.zeros(3, dtype=np.int32))
    outputs = evaluate_slowly(integer_network(model, data), inputs)
    np.testing.assert_array_equal(outputs, outputs[[0, 0, 0]])
    expected = predict(load_network(model), data, model.scaling, CPU)
    np.testing.assert_array_equal(expected, expected[[0, 0, 0]])


def test_scaled_tokens_are_refused() -> None:
    model = random_model(spec_from_shorthand("embedding:3+gru:4", input_shape=(2,), outputs=2), seed=3)
    assert FloatModel.from_bytes(model.to_bytes(), max_bytes=10**6).scaling.input_scale == 1
    scaled = FloatModel(model.spec, model.state, Scaling(input_scale=0.5))
    with pytest.raises(Rejected, match=r"it reads tokens, scaled by 0\.5; tokens have no scale"):
        FloatModel.from_bytes(scaled.to_bytes(), max_bytes=10**6)


def test_the_same_seed_gives_the_same_states() -> None:
    data = TrainingData(tokens(200, 0), tokens(50, 1), ScoreFunction.ACCURACY)
    spec = spec_from_shorthand("embedding:3+lstm:4-4", input_shape=(6,), outputs=2)
    states = []
    for _ in range(2):
        snapshot = Trainer(spec, data, Settings("adam", 0.01), seed=5).run(2, should_stop=never)
        assert snapshot is not None
        states.append(snapshot.model.state)
    for key, values in states[0].items():
        np.testing.assert_array_equal(values, states[1][key])


def tokens(count: int, seed: int) -> Dataset:
    """Random words of six letters; the class is whether an a comes before a b (or no b at all)."""
    random = np.random.default_rng(seed)
    words = random.integers(ord("a"), ord("e"), (count, 6))
    first = [np.argmax(np.append(words == ord(c), np.ones((count, 1), dtype=bool), axis=1), axis=1) for c in "ab"]
    return Dataset((words - 128).astype(np.int8), (first[0] < first[1]).astype(np.int32))


@pytest.mark.parametrize("text", ["embedding:4+gru:12", "embedding:4+lstm:12"])
def test_sequences_of_tokens_are_learnt(text: str) -> None:
    """What depends on order, a sum over the tokens could not tell."""
    train, test = tokens(1500, 0), tokens(500, 1)
    spec = spec_from_shorthand(text, input_shape=(6,), outputs=2)
    *_, last = search(spec, train, ScoreFunction.ACCURACY, seed=0, should_stop=never, settings=QUICK)
    outputs = evaluate(last.network, test.inputs)
    assert np.mean(outputs.argmax(axis=1) == test.labels) > 0.95
    assert last.model.scaling.input_scale == 1


@pytest.mark.parametrize("text", ["lstm:32", "gru:32"])
def test_digits_row_by_row_meet_their_bar(text: str) -> None:
    integer, real = accuracies("digits", text, seed=0, settings=QUICK)
    assert integer >= 0.93
    assert abs(integer - real) <= 0.01


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("text", ["lstm:64", "gru:64"])
def test_digits_row_by_row_over_seeds(text: str, seed: int) -> None:
    integer, real = accuracies("digits", text, seed=seed)
    assert integer >= 0.96
    assert abs(integer - real) <= 0.01
