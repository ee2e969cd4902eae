"""Reads safetensors files whose tensors are known beforehand, and believes nothing that the header says.

Format: 8 bytes little-endian length of the header, the header (a JSON object: name → dtype, shape, data_offsets), the
data. The safetensors library reads the same; here a reader knows names, dtypes and shapes before it looks, so the
bounds of every tensor follow from what is expected and not from the file. The one thing asked of a header is the shape
of a matrix (`matrix_shape`), and a file that holds no such matrix is rejected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.model.limits import MAX_WEIGHTS_HEADER_BYTES
from offchain.protocol.strict_json import check_json

_MAX_DEPTH = 3
_DTYPES: dict[str, np.dtype[Any]] = {"I8": np.dtype("i1"), "U8": np.dtype("u1"), "I32": np.dtype("<i4")}

Header = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TensorKind:
    """What a tensor must be: safetensors dtype ("I8", "U8", "I32") and shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Its size."""
        return prod(self.shape) * int(_DTYPES[self.dtype].itemsize)


def write_tensors(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The safetensors file; equal tensors give equal bytes."""
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}))


def matrix_shape(header: Header, tensor: str, name: str) -> tuple[int, int]:
    """The rows and columns, at least 1 each, that the header claims for a tensor. Raises Rejected if it claims none."""
    entry = header.get(tensor)
    shape: Any = entry.get("shape") if isinstance(entry, dict) else None
    if not _integers(shape) or len(shape) != 2 or min(shape) < 1:
        raise Rejected(f"{name}: tensor {tensor} must be there, with two sides of at least 1")
    return shape[0], shape[1]


def read_tensors(data: bytes, expected: Mapping[str, TensorKind], name: str) -> dict[str, npt.NDArray[Any]]:
    """The tensors, each a copy of its own.

    Raises Rejected, beginning with the file's `name` and naming the tensor at fault, unless the file holds exactly the
    expected tensors, one after the other without gap or overlap, and nothing else.
    """
    header, start = read_header(data, name)
    for tensor in header:
        if tensor not in expected:
            raise Rejected(f"{name}: tensor {tensor[:40]!r} is none of the graph's")
    places: list[tuple[int, int, str]] = []
    for tensor, kind in expected.items():
        if tensor not in header:
            raise Rejected(f"{name}: tensor {tensor} is missing")
        places.append((*_place(header[tensor], kind, f"{name}: tensor {tensor}"), tensor))
    position = 0
    for begin, end, tensor in sorted(places):
        if begin != position:
            raise Rejected(
                f"{name}: tensor {tensor} starts at {begin}, not at {position}, where the one before it ends"
            )
        position = end
    if start + position != len(data):
        raise Rejected(f"{name}: {len(data)} bytes; its header accounts for {start + position}, fetch it again")
    return {tensor: _tensor(data, start + begin, expected[tensor]) for begin, _, tensor in places}


def read_header(data: bytes, name: str) -> tuple[Header, int]:
    """What the header claims of each tensor, none of it believed yet, and where the data begins."""
    if len(data) < 8:
        raise Rejected(f"{name}: {len(data)} bytes are no safetensors file; fetch it again")
    length = int.from_bytes(data[:8], "little")
    if length > MAX_WEIGHTS_HEADER_BYTES:
        raise Rejected(f"{name}: its header claims {length} bytes; at most {MAX_WEIGHTS_HEADER_BYTES} are allowed")
    if 8 + length > len(data):
        raise Rejected(f"{name}: truncated: its header claims {length} bytes and the file ends after {len(data)}")
    header = data[8 : 8 + length]
    try:
        check_json(header, max_bytes=MAX_WEIGHTS_HEADER_BYTES, max_depth=_MAX_DEPTH)
    except Rejected as error:
        raise Rejected(f"{name}: header: {error}") from None
    return json.loads(header), 8 + length


def _place(entry: Any, kind: TensorKind, what: str) -> tuple[int, int]:
    """Where the tensor lies in the data, as the header says and the expected kind allows."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise Rejected(f"{what} needs dtype, shape and data_offsets, and nothing else")
    if entry["dtype"] != kind.dtype:
        raise Rejected(f"{what} has dtype {str(entry['dtype'])[:20]}; it must be {kind.dtype}")
    if not _integers(entry["shape"]) or tuple(entry["shape"]) != kind.shape:
        raise Rejected(f"{what} has shape {str(entry['shape'])[:60]}; it must be {list(kind.shape)}")
    offsets = entry["data_offsets"]
    if not _integers(offsets) or len(offsets) != 2 or offsets[0] < 0 or offsets[1] - offsets[0] != kind.bytes:
        raise Rejected(f"{what} has data_offsets {str(offsets)[:60]}; they must span {kind.bytes} bytes")
    return offsets[0], offsets[1]


def _integers(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int for item in value)


def _tensor(data: bytes, begin: int, kind: TensorKind) -> npt.NDArray[Any]:
    flat: npt.NDArray[Any] = np.frombuffer(data, dtype=_DTYPES[kind.dtype], count=prod(kind.shape), offset=begin)
    return flat.reshape(kind.shape).copy()
