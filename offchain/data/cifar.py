"""CIFAR-10 python batches, converted without unpickling."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from offchain.data.batch_pickle import read_batch
from offchain.data.raw import RawData, build_raw
from offchain.errors import Rejected

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SIDE = 32
_MAX_BATCH_BYTES = 64 << 20


def load_cifar(paths: list[Path]) -> RawData:
    """Reads one or more batch files into images (n, 32, 32, 3). Raises Rejected."""
    batches = [_load_one(path) for path in paths]
    inputs = np.concatenate([inputs for inputs, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    name = paths[0].name if len(paths) == 1 else paths[0].parent.name
    return build_raw(name, inputs, labels, classes=CLASSES)


def _load_one(
    path: Path,
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    try:
        if path.stat().st_size > _MAX_BATCH_BYTES:
            raise Rejected(f"{path.name}: larger than {_MAX_BATCH_BYTES >> 20} MiB; a CIFAR batch has about 30")
        content = path.read_bytes()
    except OSError as error:
        raise Rejected(f"{path.name}: cannot be read ({error.strerror})") from None
    batch = read_batch(content, name=path.name)
    data, labels = batch.get("data"), batch.get("labels")
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[1] != 3 * _SIDE * _SIDE:
        raise Rejected(f"{path.name}: no array data of (n, 3072) bytes; is it a CIFAR-10 python batch?")
    if not isinstance(labels, list) or len(labels) != len(data) or not all(type(v) is int for v in labels):
        raise Rejected(f"{path.name}: no list labels of {len(data)} numbers; is it a CIFAR-10 python batch?")
    images = data.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
    try:
        return images, np.array(labels, dtype=np.int64)
    except OverflowError:
        raise Rejected(f"{path.name}: a label is out of range; is it a CIFAR-10 python batch?") from None
