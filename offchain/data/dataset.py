"""The canonical data set: int8 inputs and int32 labels, a safetensors file on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected

MAX_LABEL = 1 << 23
"""Whoever makes labels keeps them smaller than this in magnitude, as the outputs of an integer network are. Whoever
reads them takes any int32: such a label is valid to the courts, so a test set with one must be scored."""

_DTYPES = {"inputs": "I8", "labels": "I32"}


@dataclass(frozen=True, slots=True)
class Dataset:
    """`inputs` int8 (n, features) or (n, height, width, channels), `labels` int32 (n,): class index or fixed point."""

    inputs: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.inputs.dtype != np.int8 or self.labels.dtype != np.int32:
            raise Bug(f"data set of {self.inputs.dtype} inputs and {self.labels.dtype} labels")
        if self.inputs.ndim not in (2, 4) or self.labels.shape != self.inputs.shape[:1]:
            raise Bug(f"data set of {self.inputs.shape} inputs and {self.labels.shape} labels")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])

    def take(self, indices: npt.NDArray[np.intp]) -> Dataset:
        """The samples at those indices, in that order."""
        return Dataset(self.inputs[indices], self.labels[indices])

    def to_bytes(self) -> bytes:
        """The safetensors file; equal data sets give equal bytes."""
        from safetensors.numpy import save

        tensors: dict[str, npt.NDArray[Any]] = {
            "inputs": np.ascontiguousarray(self.inputs),
            "labels": np.ascontiguousarray(self.labels, dtype="<i4"),
        }
        return bytes(save(tensors))

    @classmethod
    def from_bytes(
        cls, data: bytes, *, max_bytes: int, shape: tuple[int, ...] | None = None, name: str = "data set"
    ) -> Dataset:
        """Reads what `to_bytes` wrote, from anyone.

        Raises Rejected, beginning with `name`, when `data` is longer than `max_bytes`, is no safetensors file, when its
        header lies, when tensors are missing, superfluous, empty or of a wrong dtype or shape.
        """
        if len(data) > max_bytes:
            raise Rejected(f"{name}: {len(data)} bytes, at most {max_bytes} are allowed")
        tensors = _deserialise(data, name)
        if set(tensors) != set(_DTYPES):
            raise Rejected(f"{name}: holds tensors {sorted(tensors)}; it must hold exactly inputs and labels")
        for key, dtype in _DTYPES.items():
            if tensors[key]["dtype"] != dtype:
                raise Rejected(f"{name}: tensor {key} has dtype {tensors[key]['dtype']}; it must be {dtype}")
        found = tuple(tensors["inputs"]["shape"])
        if len(found) not in (2, 4) or 0 in found or tuple(tensors["labels"]["shape"]) != found[:1]:
            raise Rejected(
                f"{name}: inputs of shape {list(found)} and labels of {tensors['labels']['shape']} don't fit"
            )
        if shape is not None and found[1:] != shape:
            raise Rejected(f"{name}: samples of shape {list(found[1:])}; the order says {list(shape)}")
        inputs = np.frombuffer(tensors["inputs"]["data"], dtype=np.int8).reshape(found)
        labels = np.frombuffer(tensors["labels"]["data"], dtype="<i4").astype(np.int32)
        return cls(inputs, labels)


def _deserialise(data: bytes, name: str) -> dict[str, dict[str, Any]]:
    from safetensors import SafetensorError, deserialize

    try:
        pairs = deserialize(data)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise Rejected(f"{name}: not a sound safetensors file ({error}); fetch it again") from None
    return dict(pairs)
