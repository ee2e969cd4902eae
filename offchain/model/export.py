"""A won model in the formats people use: `assay get --format torch|safetensors|onnx`.

- `safetensors`: `model.safetensors`, the float network's state dictionary with its spec in the metadata, and
  `spec.json`.
- `torch`: the same `model.safetensors` and a generated `model.py`, plain torch that builds the module and loads it. A
  `.pt` file would be a pickle, which runs code when it is opened; nobody we hand a model to should have to trust one.
- `onnx`: `model_float.onnx`, and `model_integer.onnx`, whose outputs equal the scored integer network's bit for bit.

Every exported network reads canonical int8 samples, as the order's preprocessing makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from offchain.errors import Rejected
from offchain.model.float_model import FloatModel
from offchain.model.graph import IntegerNetwork

Format = Literal["torch", "safetensors", "onnx"]

_Files = dict[str, bytes]


def export_model(network: IntegerNetwork, model: FloatModel, *, format: str, directory: Path) -> tuple[Path, ...]:
    """Writes the model into `directory`, made if need be, and returns the files.

    Each file appears whole or not at all. Raises Rejected for an unknown format or a directory that cannot be written.
    """
    if format not in _FORMATS:
        raise Rejected(f"--format {format!r}: use one of {', '.join(_FORMATS)}")
    return write_files(_FORMATS[format](network, model), directory)


def write_files(files: _Files, directory: Path) -> tuple[Path, ...]:
    """Writes contents by name into `directory`, made if need be; each file appears whole or not at all.

    Raises Rejected when the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return tuple(_write(directory / name, content) for name, content in files.items())
    except OSError as error:
        raise Rejected(f"{directory}: cannot be written ({error.strerror}); choose another directory") from None


def _safetensors(_network: IntegerNetwork, model: FloatModel) -> _Files:
    return {"model.safetensors": model.to_bytes(), "spec.json": model.spec.to_json().encode()}


def _torch(_network: IntegerNetwork, model: FloatModel) -> _Files:
    from offchain.model.export_torch import module_source

    return {"model.safetensors": model.to_bytes(), "model.py": module_source(model).encode()}


def _onnx(network: IntegerNetwork, model: FloatModel) -> _Files:
    from offchain.model.export_onnx import float_graph, integer_graph

    return {"model_integer.onnx": integer_graph(network), "model_float.onnx": float_graph(model)}


_FORMATS: dict[str, Callable[[IntegerNetwork, FloatModel], _Files]] = {
    "torch": _torch,
    "safetensors": _safetensors,
    "onnx": _onnx,
}


def _write(path: Path, content: bytes) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
    return path
