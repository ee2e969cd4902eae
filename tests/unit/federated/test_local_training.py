"""Fixed point, the vector of a model, partitions and one participant's training."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated import partition as partitions
from offchain.federated.fixed_point import dequantise, quantise_model, quantise_update
from offchain.federated.local_training import LocalSettings, local_update, to_tensors
from offchain.federated.parameters import (
    float_model,
    from_vector,
    initial_model,
    layout,
    load_vector,
    module_vector,
    parameter_count,
    to_vector,
)
from offchain.model.module import SpecNetwork
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.spec import parse_spec

SPEC = spec_from_shorthand("mlp:12", input_shape=(4,), outputs=3)
BITS = 14


def blobs(count: int, seed: int) -> Dataset:
    """Three classes around three corners."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, size=count)
    centres = np.array([[90, -90, 0, 0], [0, 90, -90, 0], [-90, 0, 0, 90]])
    inputs = np.clip(centres[labels] + generator.normal(0, 20, size=(count, 4)), -127, 127)
    return Dataset(inputs.astype(np.int8), labels.astype(np.int32))


@given(st.floats(-1e6, 1e6), st.integers(0, 24))
def test_quantising_is_floor_of_the_value_and_a_half_exactly(value: float, bits: int) -> None:
    exact = floor(Fraction(value) * 2**bits + Fraction(1, 2))
    found = quantise_update(np.array([value]), bits)
    assert int(found.values[0]) == min(max(exact, -(2**15)), 2**15 - 1)
    assert found.saturated == (not -(2**15) <= exact < 2**15)
    if -(2**31) <= exact < 2**31:
        assert int(quantise_model(np.array([value]), bits)[0]) == exact
    else:
        with pytest.raises(Rejected, match="does not fit"):
            quantise_model(np.array([value]), bits)


def test_vectors_of_quantisation() -> None:
    # 0.5 - 2**-54 plus one half is 1.0 in float64: a rounding that adds would give 1.
    values = np.array([0.5, -0.5, 1.5, -1.5, np.nextafter(0.5, 0), -1e-300, 32767.5, -32768.5, -32768.6])
    found = quantise_update(values, 0)
    assert found.values.tolist() == [1, 0, 2, -1, 0, 0, 32767, -32768, -32768]
    assert found.saturated == 2
    integers = np.arange(-(2**15), 2**15, 7).astype(np.int16)
    assert (quantise_update(dequantise(integers, 13), 13).values == integers).all()
    for bad in (np.nan, np.inf):
        with pytest.raises(Rejected, match="not finite"):
            quantise_update(np.array([bad]), 3)


def test_a_model_is_its_vector() -> None:
    text = """{"input_shape": [8, 8, 1], "layers": [
        {"kind": "conv2d", "name": "c", "filters": 3, "activation": "relu"},
        {"kind": "max_pool2d", "name": "p"}, {"kind": "gru", "name": "g", "units": 5},
        {"kind": "dense", "name": "logits", "units": 10}]}"""
    spec = parse_spec(text, source="test")
    model = initial_model(spec, seed=3, scale_bits=BITS)
    assert model.shape == (parameter_count(spec),) == (spec.weight_count,)
    slots = layout(spec)
    assert [slot.name.rpartition(".")[2] for slot in slots][:2] == ["weight", "bias"]
    vector = np.arange(len(model), dtype=np.float32)
    state = from_vector(spec, vector)
    assert (to_vector(spec, state) == vector).all()
    network = SpecNetwork(spec, seed=9)
    load_vector(spec, network, vector)
    assert (module_vector(spec, network) == vector).all()
    assert (state[slots[0].name].ravel() == vector[: slots[0].size]).all()
    delivered = float_model(spec, model, BITS, LocalSettings().scaling)
    assert type(delivered).from_bytes(delivered.to_bytes(), max_bytes=10**6).spec == spec
    with pytest.raises(Rejected, match="the spec has"):
        from_vector(spec, vector[:4])


def test_running_statistics_are_refused() -> None:
    with pytest.raises(Rejected, match="norm1"):
        parameter_count(spec_from_shorthand("cnn:4", input_shape=(8, 8, 1), outputs=10))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["iid", "dirichlet:0.1", "dirichlet:5", "balanced:0.3", "shards:2", "quantity:0.2"]),
    st.integers(1, 40),
    st.integers(80, 300),
    st.integers(0, 2**32),
)
def test_partitions_use_every_sample_once(form: str, participants: int, samples: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 7, size=samples).astype(np.int32)
    parts = partitions.partition(form, labels, participants, np.random.default_rng(seed))
    assert len(parts) == participants
    assert min(len(part) for part in parts) >= partitions.MINIMUM
    assert (np.sort(np.concatenate(parts)) == np.arange(samples)).all()
    again = partitions.partition(form, labels, participants, np.random.default_rng(seed))
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))


def test_partitions_skew_what_they_say() -> None:
    labels = np.repeat(np.arange(10), 200).astype(np.int32)

    def skew(form: str) -> tuple[float, float]:
        """Mean share of a participant's commonest label, and largest over mean size."""
        parts = partitions.partition(form, labels, 20, np.random.default_rng(1))
        top = [np.bincount(labels[part]).max() / len(part) for part in parts]
        return float(np.mean(top)), max(len(part) for part in parts) / 100

    assert skew("iid")[0] < 0.2
    assert skew("balanced:0.1")[0] > 0.5
    assert skew("balanced:0.1")[1] == 1
    assert skew("shards:2")[0] >= 0.45
    assert skew("dirichlet:0.1")[0] > skew("dirichlet:1")[0] > skew("dirichlet:100")[0]
    assert skew("quantity:0.2")[0] < 0.45
    assert skew("quantity:0.2")[1] > 2
    with pytest.raises(Rejected, match="use iid"):
        partitions.partition("pathological", labels, 20, np.random.default_rng(1))
    with pytest.raises(Rejected, match="each needs 2"):
        partitions.partition("iid", labels[:30], 20, np.random.default_rng(1))


def test_local_training_learns_and_is_deterministic() -> None:
    data, model = blobs(120, 1), initial_model(SPEC, seed=0, scale_bits=BITS)
    terms = LocalSettings(epochs=4, learning_rate=0.1, momentum=0.5)
    first, again, other = (local_update(SPEC, model, BITS, data, terms, seed) for seed in (5, 5, 6))
    assert first.values.dtype == np.int16
    assert first.samples == 120
    assert (first.values == again.values).all()
    assert (first.values != other.values).any()

    test = blobs(300, 2)
    network = SpecNetwork(SPEC, seed=0)
    load_vector(SPEC, network, dequantise(model + first.values, BITS))
    inputs, labels = to_tensors(test, terms)
    with torch.no_grad():
        assert (network(inputs).argmax(1) == labels).float().mean() > 0.95


def test_memory_averages_with_the_public_past() -> None:
    data, model = blobs(60, 1), initial_model(SPEC, seed=0, scale_bits=BITS)
    plain = local_update(SPEC, model, BITS, data, LocalSettings(), 5).values
    mixed = local_update(SPEC, model, BITS, data, LocalSettings(memory=0.75), 5, previous=-plain).values
    assert np.abs(mixed + 0.5 * plain).max() <= 1
    alone = local_update(SPEC, model, BITS, data, LocalSettings(memory=0.75), 5).values
    assert (alone == plain).all()


def test_a_strong_proximal_term_holds_the_model() -> None:
    data, model = blobs(60, 1), initial_model(SPEC, seed=0, scale_bits=BITS)
    moved = [
        np.abs(local_update(SPEC, model, BITS, data, LocalSettings(epochs=10, proximal=p), 5).values).sum()
        for p in (0.0, 8.0)
    ]
    assert moved[1] < moved[0] / 2


def test_unfit_data_are_refused() -> None:
    data, model = blobs(10, 1), initial_model(SPEC, seed=0, scale_bits=BITS)
    with pytest.raises(Rejected, match="no samples"):
        local_update(SPEC, model, BITS, data.take(np.arange(0)), LocalSettings(), 1)
    with pytest.raises(Rejected, match="classes"):
        local_update(SPEC, model, BITS, Dataset(data.inputs, data.labels + 1), LocalSettings(), 1)
    with pytest.raises(Rejected, match="not finite"):
        local_update(SPEC, model, BITS, data, LocalSettings(epochs=200, learning_rate=1e30), 1)
    with pytest.raises(Rejected, match="weights"):
        local_update(SPEC, model[:-1], BITS, data, LocalSettings(), 1)
    with pytest.raises(Rejected, match="momentum"):
        LocalSettings(momentum=1.0)
