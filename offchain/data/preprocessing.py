"""Real-valued data to the canonical int8 form: fitted on the training samples alone, recorded in the order's manifest.

    input integer = round((x - offset) / scale), clamped to [-127, 127]
    label integer = round((y - label_offset) / label_scale)          (regression)

Images share one offset and scale that spread their range over [-127, 127]. Each feature of a table has its own: the
mean, and a scale that puts the farthest value, or four standard deviations if that is nearer, at 127, so that a few
outliers don't cost everyone else's resolution. Rounding is to the nearest, ties to even, in float64.

Tokens, whole numbers from 0 to 255, are kept as token - 128, and nothing about them is fitted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import MAX_LABEL, Dataset
from offchain.data.raw import RawData
from offchain.errors import Bug, Rejected
from offchain.protocol.manifest import TOKEN_OFFSET, Preprocessing

_LIMIT = 127
_DEVIATIONS = 4.0
_LABEL_STEPS = 1000
"""Label units in one standard deviation, at least."""


class Quantiser(Preprocessing):
    """What the manifest records of the preprocessing, and the arithmetic that it stands for."""

    def apply(self, raw: RawData) -> Dataset:
        """Quantises samples.

        Raises Rejected for a regression label outside 24 bits, and for tokens that are no whole numbers from 0 to 255.
        """
        if self.tokens:
            _require_tokens(raw.name, raw.inputs)
        return Dataset(self.quantise_inputs(raw.inputs), self._labels(raw))

    def quantise_inputs(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
        """Float inputs (n, *shape) to int8 of the same shape.

        Raises Rejected if the feature count differs.
        """
        if len(self.offset) > 1 and inputs.shape[1:] != (len(self.offset),):
            raise Rejected(f"preprocessing is for {len(self.offset)} features; samples are {list(inputs.shape[1:])}")
        result = np.empty(inputs.shape, dtype=np.int8)
        offset, scale = np.array(self.offset), np.array(self.scale)
        step = max(1, (1 << 20) // max(1, inputs[0].size)) if len(inputs) else 1
        for start in range(0, len(inputs), step):
            part = (inputs[start : start + step].astype(np.float64) - offset) / scale
            result[start : start + step] = np.clip(np.rint(part), -128 if self.tokens else -_LIMIT, _LIMIT)
        return result

    def label_value(self, integers: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """What regression labels or outputs mean in the client's own units."""
        offset, scale = self._label_terms()
        return np.asarray(integers * scale + offset, dtype=np.float64)

    def _label_terms(self) -> tuple[float, float]:
        if self.label_offset is None or self.label_scale is None:
            raise Bug("labels of a classification are indices, not quantised numbers")
        return self.label_offset, self.label_scale

    def _labels(self, raw: RawData) -> npt.NDArray[np.int32]:
        if raw.task == "classification":
            return raw.labels.astype(np.int32)
        offset, scale = self._label_terms()
        steps = np.rint((raw.labels - offset) / scale)
        outside = np.abs(steps) >= MAX_LABEL
        if outside.any():
            row = int(np.argmax(outside))
            raise Rejected(f"{raw.name}: row {row + 1}: label {raw.labels[row]:g} is far outside the training labels")
        return np.asarray(steps, dtype=np.int32)


def fit_preprocessing(train: RawData, *, tokens: bool = False) -> Quantiser:
    """Fits offset and scale to the training samples; a constant feature becomes 0. `tokens` have fixed ones.

    Raises Rejected for constant labels.
    """
    offset: tuple[float, ...] = (TOKEN_OFFSET,)
    scale: tuple[float, ...] = (1.0,)
    if not tokens:
        offset, scale = _fit_image(train.inputs) if len(train.shape) == 3 else _fit_features(train.inputs)
    label_offset, label_scale = _fit_labels(train) if train.task == "regression" else (None, None)
    return Quantiser(offset=offset, scale=scale, label_offset=label_offset, label_scale=label_scale, tokens=tokens)


def _require_tokens(name: str, inputs: npt.NDArray[np.float32]) -> None:
    odd = (inputs < 0) | (inputs > 255) | (inputs != np.rint(inputs))
    if odd.any():
        row, *place = (int(i) for i in np.argwhere(odd)[0])
        value = inputs[(row, *place)]
        raise Rejected(
            f"{name}: row {row + 1}, column {place[0] + 1} is {value:g}; a spec with an embedding reads tokens, whole "
            "numbers from 0 to 255 (for text, name its column with --text)"
        )


def _fit_image(inputs: npt.NDArray[np.float32]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    low, high = float(inputs.min()), float(inputs.max())
    scale = (high - low) / (2 * _LIMIT)
    return ((low + high) / 2,), (scale if scale > 0 else 1.0,)


def _fit_features(inputs: npt.NDArray[np.float32]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    values = inputs.astype(np.float64)
    mean = values.mean(axis=0)
    reach = np.minimum(np.abs(values - mean).max(axis=0), _DEVIATIONS * values.std(axis=0)) / _LIMIT
    constant = values.max(axis=0) == values.min(axis=0)
    scale = np.where(constant | (reach <= 0), 1.0, reach)
    return tuple(mean.tolist()), tuple(scale.tolist())


def _fit_labels(train: RawData) -> tuple[float, float]:
    """A decimal step between 1/1000 and 1/10000 of the standard deviation, larger if outliers need it."""
    deviation = float(np.std(train.labels))
    if deviation == 0:
        raise Rejected(f"{train.name}: every label is {float(train.labels[0]):g}; there is nothing to learn")
    exponent = int(np.floor(np.log10(deviation / _LABEL_STEPS)))
    middle = float(np.mean(train.labels))
    while float(np.abs(train.labels - middle).max()) / 10.0**exponent >= MAX_LABEL / 8:
        exponent += 1
    step = 10.0**exponent
    return float(np.rint(middle / step) * step), step
