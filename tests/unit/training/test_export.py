import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.export import export_model
from offchain.model.export_onnx import float_graph, integer_graph
from offchain.model.float_model import FloatModel
from offchain.model.oracle import evaluate_slowly
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.training import load_network, predict
from tests.unit.training.networks import models, random_inputs, random_model
from tests.unit.training.test_quantisation import integer_network

CPU = torch.device("cpu")


def example(text: str = "resnet:4-8") -> tuple[FloatModel, Dataset]:
    shape = (6,) if text.startswith("embedding") else (8, 8, 2)
    spec = spec_from_shorthand(text, input_shape=shape, outputs=3)
    return random_model(spec, seed=3), random_inputs(spec, 20)


def run_onnx(graph: bytes, data: Dataset) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {"input": data.inputs})[0]
    return result


@settings(max_examples=60, deadline=None)
@given(models())
def test_integer_onnx_equals_the_oracle_bit_for_bit(model: FloatModel) -> None:
    data = random_inputs(model.spec, 5)
    network = integer_network(model, data)
    outputs = run_onnx(integer_graph(network), data)
    assert outputs.dtype == np.int32
    np.testing.assert_array_equal(outputs, evaluate_slowly(network, data.inputs))


@settings(max_examples=30, deadline=None)
@given(models())
def test_float_onnx_is_near_torch(model: FloatModel) -> None:
    data = random_inputs(model.spec, 5)
    expected = predict(load_network(model), data, model.scaling, CPU)
    outputs = run_onnx(float_graph(model), data)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4 * max(1e-6, float(np.abs(expected).max())))


@pytest.mark.parametrize("text", ["mlp:8", "cnn:4-4", "resnet:4-8", "lstm:5-4", "gru:5-4", "embedding:3+lstm:4"])
def test_torch_export_runs_without_us(tmp_path: Path, text: str) -> None:
    """In a process of its own, in a directory where our package is not to be found."""
    model, data = example(text)
    export_model(integer_network(model, data), model, format="torch", directory=tmp_path)
    np.save(tmp_path / "inputs.npy", data.inputs)
    code = (
        "import numpy, torch, sys, model;"
        "outputs = model.load()(torch.from_numpy(numpy.load('inputs.npy')));"
        "numpy.save('outputs.npy', outputs.detach().numpy());"
        "assert not any(m.startswith('offchain') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    expected = predict(load_network(model), data, model.scaling, CPU)
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), expected, rtol=1e-5, atol=1e-5)


def test_safetensors_export_is_read_back(tmp_path: Path) -> None:
    model, data = example()
    paths = export_model(
        integer_network(model, data), model, format="safetensors", directory=tmp_path / "new" / "folder"
    )
    assert [path.name for path in paths] == ["model.safetensors", "spec.json"]
    again = FloatModel.from_bytes(paths[0].read_bytes(), max_bytes=1 << 20)
    np.testing.assert_array_equal(
        predict(load_network(again), data, again.scaling, CPU), predict(load_network(model), data, model.scaling, CPU)
    )


def test_onnx_export_writes_both_and_nothing_else(tmp_path: Path) -> None:
    model, data = example()
    network = integer_network(model, data)
    export_model(network, model, format="onnx", directory=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model_float.onnx", "model_integer.onnx"]
    content = (tmp_path / "model_integer.onnx").read_bytes()
    np.testing.assert_array_equal(run_onnx(content, data), evaluate_slowly(network, data.inputs))


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    model, data = example("mlp:4")
    network = integer_network(model, data)
    with pytest.raises(Rejected, match="--format 'pickle': use one of torch, safetensors, onnx"):
        export_model(network, model, format="pickle", directory=tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(Rejected, match="cannot be written"):
        export_model(network, model, format="onnx", directory=blocked)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
