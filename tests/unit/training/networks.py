"""Random specs and models of them, small enough to check exhaustively."""

from math import prod

import numpy as np
from hypothesis import strategies as st

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.float_model import FloatModel, Scaling, state_shapes
from offchain.model.layers import (
    Add,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Embedding,
    Flatten,
    Gru,
    Layer,
    Lstm,
    MaxPool2D,
    Multiply,
)
from offchain.model.spec import ModelSpec

_ACTIVATIONS = st.sampled_from(["none", "relu", "sigmoid", "tanh"])
_PADDINGS = st.sampled_from(["same", "valid", 1])


@st.composite
def specs(draw: st.DrawFn) -> ModelSpec:
    """Up to six layers over an image, a vector or tokens, of every kind, branches included, then the outputs."""
    image = draw(st.booleans())
    shape = (
        (draw(st.integers(2, 9)), draw(st.integers(2, 9)), draw(st.integers(1, 3)))
        if image
        else (draw(st.integers(1, 12)),)
    )
    layers: list[Layer] = []
    if not image and draw(st.booleans()):
        vocabulary = draw(st.sampled_from([1, 20, 256]))
        layers.append(Embedding(name="embedding", features=draw(st.integers(1, 5)), vocabulary=vocabulary))
        image = True
    for number in range(draw(st.integers(0, 6))):
        layer = draw(_image_layer(f"l{number}") if image else _vector_layer(f"l{number}"))
        if _fits(shape, [*layers, layer]):
            layers.append(layer)
            if isinstance(layer, Lstm | Gru):
                image = layer.sequences
            image = image and not isinstance(layer, Dense | Flatten)
    return ModelSpec(input_shape=shape, layers=(*layers, Dense(name="out", units=draw(st.integers(1, 5)))))


@st.composite
def models(draw: st.DrawFn) -> FloatModel:
    """A spec with random weights whose magnitudes differ by up to eight orders between layers."""
    return random_model(draw(specs()), seed=draw(st.integers(0, 2**32 - 1)), spread=draw(st.floats(0, 4)))


def random_model(spec: ModelSpec, *, seed: int, spread: float = 0.0) -> FloatModel:
    """Random weights; `spread` is the standard deviation of each tensor's decimal exponent, at most 4 either way."""
    random = np.random.default_rng(seed)
    state = {}
    for key, shape in state_shapes(spec).items():
        scale = 10 ** np.clip(random.normal(0, spread + 1e-9), -4, 4) / np.sqrt(prod(shape[1:]) or 1)
        values = random.normal(0, 1, shape) * scale
        state[key] = np.asarray(np.abs(values) + 0.01 if key.endswith("running_var") else values, dtype=np.float32)
    return FloatModel(spec, state, Scaling(input_scale=1.0 if spec.reads_tokens else 1 / 64))


def random_inputs(spec: ModelSpec, count: int, seed: int = 0) -> Dataset:
    """Samples over the whole int8 range, -128 included."""
    random = np.random.default_rng(seed)
    inputs = random.integers(-128, 128, (count, *spec.input_shape)).astype(np.int8)
    return Dataset(inputs, random.integers(0, spec.outputs, count).astype(np.int32))


def _image_layer(name: str) -> st.SearchStrategy[Layer]:
    side = st.integers(1, 3)
    return st.one_of(
        st.builds(
            Conv2D,
            name=st.just(name),
            filters=st.integers(1, 5),
            kernel=st.tuples(side, side),
            stride=st.integers(1, 2),
            padding=_PADDINGS,
            activation=_ACTIVATIONS,
        ),
        st.builds(
            DepthwiseConv2D,
            name=st.just(name),
            kernel=side,
            stride=st.integers(1, 2),
            padding=_PADDINGS,
            activation=_ACTIVATIONS,
        ),
        st.builds(MaxPool2D, name=st.just(name), pool=side, stride=st.sampled_from([None, 1]), padding=_PADDINGS),
        st.builds(AveragePool2D, name=st.just(name), pool=st.one_of(side, st.just("all")), padding=_PADDINGS),
        st.just(Flatten(name=name)),
        _shared_layer(name),
    )


def _vector_layer(name: str) -> st.SearchStrategy[Layer]:
    dense = st.builds(Dense, name=st.just(name), units=st.integers(1, 6), activation=_ACTIVATIONS)
    return st.one_of(dense, _shared_layer(name))


def _shared_layer(name: str) -> st.SearchStrategy[Layer]:
    other = st.sampled_from(["input", "l0", "l1", "l2", "l3"])
    pairs = (st.builds(kind, name=st.just(name), other=other, activation=_ACTIVATIONS) for kind in (Add, Multiply))
    recurrent = (
        st.builds(kind, name=st.just(name), units=st.integers(1, 4), sequences=st.booleans()) for kind in (Lstm, Gru)
    )
    return st.one_of(st.builds(BatchNorm, name=st.just(name), activation=_ACTIVATIONS), *pairs, *recurrent)


def _fits(shape: tuple[int, ...], layers: list[Layer]) -> bool:
    try:
        ModelSpec(input_shape=shape, layers=(*layers, Dense(name="out", units=1)))
    except Rejected:
        return False
    return True
