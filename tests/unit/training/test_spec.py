import json

import pytest
from hypothesis import given, settings

from offchain.errors import Rejected
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.spec import ModelSpec, parse_spec
from tests.unit.training.networks import specs

LOGITS = {"kind": "dense", "name": "logits", "units": 3}


def spec_of(*layers: dict[str, object], shape: tuple[int, ...] = (8, 6, 2)) -> ModelSpec:
    text = json.dumps({"input_shape": list(shape), "layers": [*layers, LOGITS]})
    return parse_spec(text, source="spec.json")


def test_shapes_are_inferred() -> None:
    spec = spec_of(
        {"kind": "conv2d", "name": "a", "filters": 4, "kernel": [3, 2], "stride": 2},
        {"kind": "batch_norm", "name": "b", "activation": "relu"},
        {"kind": "depthwise_conv2d", "name": "c", "kernel": 3, "padding": 1},
        {"kind": "add", "name": "d", "other": "b"},
        {"kind": "max_pool2d", "name": "e"},
        {"kind": "average_pool2d", "name": "f", "pool": "all"},
        {"kind": "flatten", "name": "g"},
    )
    shapes = [item.output_shape for item in spec.wired()]
    assert shapes == [(4, 3, 4), (4, 3, 4), (4, 3, 4), (4, 3, 4), (2, 1, 4), (1, 1, 4), (4,), (3,)]
    assert spec.outputs == 3
    # conv 4*(3*2*2+1), norm 2*4, depthwise 4*(9+1), dense 3*(4+1)
    assert spec.weight_count == 52 + 8 + 40 + 15


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [(8, 3, 1, (1, 1)), (8, 3, 2, (0, 1)), (7, 3, 2, (1, 1)), (8, 2, 1, (0, 1)), (8, 1, 2, (0, 0)), (5, 5, 3, (1, 2))],
)
def test_same_padding(size: int, kernel: int, stride: int, expected: tuple[int, int]) -> None:
    spec = spec_of(
        {"kind": "conv2d", "name": "a", "filters": 1, "kernel": kernel, "stride": stride}, shape=(size, size, 1)
    )
    window = spec.wired()[0].window
    assert window is not None
    top, left, bottom, right = window.padding
    assert (top, bottom) == (left, right) == expected
    assert spec.wired()[0].output_shape == (-(-size // stride), -(-size // stride), 1)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [{"kind": "conv2d", "name": "big", "filters": 2, "kernel": 7, "padding": "valid"}],
            "spec layer 1 'big': kernel 7x7 larger than its input 8x6; use a smaller kernel, padding 'same'",
        ),
        (
            [{"kind": "dense", "name": "d", "units": 4}, {"kind": "max_pool2d", "name": "p"}],
            r"spec layer 2 'p': needs an image \(height, width, channels\), its input is 4; use dense",
        ),
        ([{"kind": "max_pool2d", "name": "p", "padding": 2}], "'p': padding 2 is not smaller than its kernel"),
        ([LOGITS], "spec layer 2 'logits': its name is already taken"),
        ([{"kind": "dense", "name": "input", "units": 2}], "'input': its name is already taken"),
        (
            [{"kind": "dense", "name": "d", "units": 2, "input": "later"}],
            "'d': reads 'later', which is no earlier layer",
        ),
        ([{"kind": "add", "name": "s", "other": "s"}], "'s': reads 's', which is no earlier layer"),
        (
            [{"kind": "conv2d", "name": "c", "filters": 4}, {"kind": "add", "name": "s", "other": "input"}],
            "'s': adds 8x6x4 to 'input', which is 8x6x2; make them equal",
        ),
        ([{"kind": "batch_norm", "name": "n"}], "'n': must follow a dense or convolution layer without activation"),
        (
            [
                {"kind": "conv2d", "name": "c", "filters": 2},
                {"kind": "batch_norm", "name": "n"},
                {"kind": "add", "name": "s", "other": "c"},
            ],
            "'n': the layer before it is also read elsewhere",
        ),
        (
            [{"kind": "dense", "name": "d", "units": 2}, {"kind": "dense", "name": "e", "units": 2, "input": "input"}],
            "'d': nothing reads its output",
        ),
        (
            [{"kind": "flatten", "name": "f"}, {"kind": "add", "name": "s", "other": "f"}],
            "'s': it reads 'f', but only dense may follow flatten",
        ),
        (  # found by the folding test: equal shapes, but flatten leaves no tensor that could be added
            [
                {"kind": "flatten", "name": "f"},
                {"kind": "dense", "name": "d", "units": 16},
                {"kind": "add", "name": "s", "other": "f"},
            ],
            "'s': it reads 'f', but only dense may follow flatten",
        ),
        (
            [{"kind": "dense", "name": "d", "units": 65536}] * 1 + [{"kind": "dense", "name": "e", "units": 4096}],
            "weights",
        ),
        (
            [{"kind": "dense", "name": "d", "units": 0}],
            r"layers\.0\.dense\.units: Input should be greater than or equal",
        ),
        ([{"kind": "dense", "name": "d", "units": "4"}], "units: Input should be a valid integer"),
        ([{"kind": "dense", "name": "d", "units": 4, "bias": False}], "bias: Extra inputs are not permitted"),
        ([{"kind": "dense", "name": "d.x", "units": 4}], "name: String should match"),
        ([{"kind": "transformer", "name": "d", "units": 4}], "does not match any of the expected tags"),
        ([{"kind": "embedding", "name": "e", "features": 4}], "it must read the network's input, of shape"),
        (
            [{"kind": "multiply", "name": "m", "other": "input"}, {"kind": "lstm", "name": "l", "units": 65536}],
            "weights",
        ),
    ],
)
def test_specs_that_cannot_be_built(layers: list[dict[str, object]], message: str) -> None:
    with pytest.raises(Rejected, match=message) as error:
        spec_of(*layers)
    assert str(error.value).startswith("spec.json: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("[]", "valid dictionary|Input should be an object"),
        ("{}", "input_shape: Field required"),
        ('{"input_shape": [4, 4], "layers": [{"kind": "dense", "name": "d", "units": 1}]}', "input_shape 4x4: give"),
        ('{"input_shape": [0], "layers": [{"kind": "dense", "name": "d", "units": 1}]}', "greater than or equal to 1"),
        ('{"input_shape": [9000000], "layers": [{"kind": "dense", "name": "d", "units": 1}]}', "more than 1,048,576"),
        ('{"input_shape": [4], "layers": []}', "at least 1 item"),
        (
            '{"input_shape": [512, 512, 4], "layers": [{"kind": "conv2d", "name": "c", "filters": 4, "kernel": 64},'
            ' {"kind": "dense", "name": "d", "units": 1}]}',
            "spec needs .* multiply-accumulates a sample",
        ),
        (
            '{"input_shape": [4], "layers": [{"kind": "dense", "name": "d", "units": 1, "activation": "relu"}]}',
            "the last layer must be dense without activation",
        ),
        (" " * 300_000, "larger than"),
    ],
)
def test_texts_that_are_no_spec(text: str, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        parse_spec(text, source="--spec a.json")


@settings(max_examples=100, deadline=None)
@given(specs())
def test_json_round_trip(spec: ModelSpec) -> None:
    assert parse_spec(spec.to_json(), source="again") == spec


@pytest.mark.parametrize(
    "text", ["mlp:64-32", "cnn:8-16", "resnet:16-32", "mlp:1", "cnn:4-4-4-4-4", "resnet:4-8-16-32-64"]
)
def test_shorthand_fits_its_data(text: str) -> None:
    for shape in ((8, 8, 1), (28, 28, 1), (32, 32, 3), (1, 1, 1), (3, 2, 1)):
        spec = spec_from_shorthand(text, input_shape=shape, outputs=7)
        assert (spec.input_shape, spec.outputs) == (shape, 7)


def test_shorthand_in_detail() -> None:
    spec = spec_from_shorthand("resnet:4-8", input_shape=(8, 8, 1), outputs=2)
    shapes = {item.layer.name: item.output_shape for item in spec.wired()}
    assert shapes["add1"] == (8, 8, 4)
    assert shapes["short2"] == shapes["add2"] == (4, 4, 8)
    assert shapes["mean"] == (1, 1, 8)
    assert "short1" not in shapes


@pytest.mark.parametrize(
    "text", ["mlp", "mlp:", "mlp:0", "mlp:64-", "mlp:-3", "vit:16", "mlp:99999", "mlp:" + "1-" * 16 + "1"]
)
def test_shorthand_that_means_nothing(text: str) -> None:
    with pytest.raises(Rejected, match="--model"):
        spec_from_shorthand(text, input_shape=(4,), outputs=2)


def test_shorthand_for_images_needs_images() -> None:
    with pytest.raises(Rejected, match="--model 'cnn:8' needs images, the data has 4 features"):
        spec_from_shorthand("cnn:8", input_shape=(4,), outputs=2)
