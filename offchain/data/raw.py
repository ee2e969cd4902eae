"""A data set as its owner has it: real-valued, before it is quantised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected

Task = Literal["classification", "regression"]

MAX_CLASSES = 1024
_MAX_GUESSED_CLASSES = 64


@dataclass(frozen=True, slots=True)
class RawData:
    """Samples as float32 (n, features) or (n, height, width, channels), all finite, and their labels (n,).

    Labels are int32 indices into `classes` for classification and float64 for regression. `columns` names the features
    of a table; `name` is the file or set it came from, for messages.
    """

    name: str
    task: Task
    inputs: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32] | npt.NDArray[np.float64]
    classes: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])

    @property
    def outputs(self) -> int:
        """Output units that a model of this data needs."""
        return 1 if self.classes is None else len(self.classes)

    def take(self, indices: npt.NDArray[np.intp]) -> RawData:
        """The samples at those indices, in that order."""
        return replace(self, inputs=self.inputs[indices], labels=self.labels[indices])

    def aligned_to(self, train: RawData) -> RawData:
        """The same samples with class indices as in `train`. Raises Rejected if shape, task or classes differ."""
        if self.shape != train.shape:
            raise Rejected(f"{self.name}: samples are {list(self.shape)}, those of {train.name} {list(train.shape)}")
        if train.columns is not None and self.columns is not None and self.columns != train.columns:
            raise Rejected(f"{self.name}: its columns differ from those of {train.name}; give both the same, in order")
        if self.task != train.task:
            raise Rejected(f"{self.name} is a {self.task} set but {train.name} a {train.task} set; set --task for both")
        if self.classes is None or train.classes is None:
            return self
        unknown = [c for c in self.classes if c not in train.classes]
        if unknown:
            raise Rejected(f"{self.name}: class {unknown[0]!r} does not occur in {train.name}; remove its rows")
        positions = np.array([train.classes.index(c) for c in self.classes], dtype=np.int32)
        return replace(self, labels=positions[self.labels], classes=train.classes)


def build_raw(
    name: str,
    inputs: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    *,
    task: Task | None = None,
    classes: tuple[str, ...] | None = None,
    columns: tuple[str, ...] | None = None,
) -> RawData:
    """Checks numeric `inputs` (n, …) and `labels` (n,) of any dtype and makes RawData of them.

    Images without a channel axis get one. Unless `task` says so, labels are classes when they are text, or whole
    numbers of at most 64 values with at least two samples a value on average. With `classes`, labels are indices into
    it.

    Raises Rejected, naming the row and column, for missing or non-numeric values, and when the data is empty, of an odd
    shape or has one class only.
    """
    if inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    if inputs.ndim not in (2, 4) or 0 in inputs.shape[1:]:
        raise Rejected(
            f"{name}: inputs of shape {list(inputs.shape)}; give (n, features) or (n, height, width, channels)"
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != inputs.shape[:1]:
        raise Rejected(
            f"{name}: {len(inputs)} samples but labels of shape {list(labels.shape)}; give one label a sample"
        )
    if len(inputs) < 2:
        raise Rejected(f"{name}: has {len(inputs)} samples; at least 2 are needed")
    values = _finite_inputs(name, inputs, columns)
    if classes is not None:
        return RawData(name, "classification", values, _indices(name, labels, len(classes)), classes, columns)
    if task is None:
        task = "classification" if _looks_like_classes(labels) else "regression"
    if task == "regression":
        return RawData(name, task, values, _real_labels(name, labels), None, columns)
    found, indices = _classes(name, labels)
    return RawData(name, task, values, indices, found, columns)


def class_names(values: Sequence[Any]) -> tuple[str, ...]:
    """Class names as text; whole numbers without a decimal point."""
    return tuple(str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values)


def _finite_inputs(name: str, inputs: npt.NDArray[Any], columns: tuple[str, ...] | None) -> npt.NDArray[np.float32]:
    if inputs.dtype.kind not in "fiub":
        raise Rejected(f"{name}: inputs have dtype {inputs.dtype}; give numbers")
    with np.errstate(over="ignore"):
        values = inputs.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        place = np.argwhere(~finite)[0]
        what = "missing" if np.isnan(inputs[tuple(place)]) else "infinite or too large"
        where = f"column {columns[place[1]]!r}" if columns else f"element {[int(i) for i in place[1:]]}"
        raise Rejected(f"{name}: row {int(place[0]) + 1}, {where}: value is {what}; fill it in or drop the row")
    return values


def _looks_like_classes(labels: npt.NDArray[Any]) -> bool:
    if labels.dtype.kind in "OUSb":
        return True
    distinct = np.unique(labels)
    whole = bool(np.all(np.isfinite(distinct)) and np.all(distinct == np.floor(distinct)))
    return whole and len(distinct) <= min(_MAX_GUESSED_CLASSES, len(labels) // 2)


def _real_labels(name: str, labels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if labels.dtype.kind not in "fiub":
        raise Rejected(f"{name}: labels are not numbers; use --task classification or name a numeric --label")
    values = labels.astype(np.float64)
    _require_present(name, ~np.isfinite(values))
    return values


def _classes(name: str, labels: npt.NDArray[Any]) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    if labels.dtype.kind == "f":
        _require_present(name, ~np.isfinite(labels))
    if labels.dtype.kind == "O":
        _require_present(name, np.array([value is None or value != value for value in labels]))
        labels = np.array([str(value) for value in labels])
    if labels.dtype.kind not in "fiubUS":
        raise Rejected(f"{name}: labels have dtype {labels.dtype}; give numbers or text")
    distinct, indices = np.unique(labels, return_inverse=True)
    if len(distinct) < 2:
        raise Rejected(f"{name}: every sample has the label {distinct[0]!s}; at least two classes are needed")
    if len(distinct) > MAX_CLASSES:
        raise Rejected(f"{name}: {len(distinct)} different labels, at most {MAX_CLASSES}; is it --task regression?")
    plain = [v.decode("latin-1") if isinstance(v, bytes) else v for v in distinct.tolist()]
    return class_names(plain), indices.astype(np.int32)


def _indices(name: str, labels: npt.NDArray[Any], classes: int) -> npt.NDArray[np.int32]:
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        raise Rejected(f"{name}: labels must be whole numbers from 0 to {classes - 1}")
    if labels.min() == labels.max():
        raise Rejected(f"{name}: every sample has the label {labels[0]}; at least two classes are needed")
    return labels.astype(np.int32)


def _require_present(name: str, missing: npt.NDArray[np.bool_]) -> None:
    if missing.any():
        raise Rejected(f"{name}: row {int(np.argmax(missing)) + 1}: label is missing; fill it in or drop the row")
