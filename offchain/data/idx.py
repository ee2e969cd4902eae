"""MNIST's idx files, plain or gzipped.

Layout: two zero bytes, a type byte (8 = unsigned byte), the number of dimensions, each dimension as a big-endian
uint32, then the elements.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offchain.data.bounds import MAX_ELEMENTS
from offchain.data.raw import RawData, build_raw
from offchain.errors import Rejected

_UNSIGNED_BYTE = 8


def load_idx(images: Path, *, labels: Path | None = None) -> RawData:
    """Reads an images file (n, height, width[, channels]) and its labels file (n,).

    Without `labels`, the labels file is sought beside it under MNIST's names (`images-idx3` → `labels-idx1`). Raises
    Rejected.
    """
    beside = labels if labels is not None else _labels_beside(images)
    pixels = read_idx(images)
    if pixels.ndim not in (3, 4):
        raise Rejected(f"{images.name}: has {pixels.ndim} dimensions; an images file has 3 or 4")
    return build_raw(images.name, pixels, read_idx(beside), task="classification")


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """One idx file of unsigned bytes; reads no more than its header declares. Raises Rejected."""
    try:
        with path.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            head = file.read(4)
            if len(head) != 4 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4:
                raise Rejected(f"{path.name}: not an idx file (its magic number is {head.hex()})")
            if head[2] != _UNSIGNED_BYTE:
                raise Rejected(f"{path.name}: idx type {head[2]:#04x}; only unsigned bytes (0x08) are read")
            packed = file.read(4 * head[3])
            if len(packed) != 4 * head[3]:
                raise Rejected(f"{path.name}: truncated in its header; fetch it again")
            shape = struct.unpack(f">{head[3]}I", packed)
            if not 0 < prod(shape) <= MAX_ELEMENTS:
                raise Rejected(
                    f"{path.name}: header declares shape {list(shape)}; between 1 and 2^29 elements are read"
                )
            body = file.read(prod(shape) + 1)
    except (EOFError, zlib.error, OSError) as error:
        raise Rejected(f"{path.name}: cannot be read ({error})") from None
    if len(body) != prod(shape):
        raise Rejected(
            f"{path.name}: header declares shape {list(shape)} but its data has another length; fetch it again"
        )
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)


def _labels_beside(images: Path) -> Path:
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    stem = name.removesuffix(".gz")
    for candidate in (name, stem, f"{stem}.gz"):
        if candidate != images.name and (images.parent / candidate).is_file():
            return images.parent / candidate
    raise Rejected(f"{images.name}: no labels file {stem} beside it; name it with --label")
