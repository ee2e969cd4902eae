"""NumPy `.npz` archives."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from offchain.data.bounds import require_modest
from offchain.data.raw import RawData, Task, build_raw
from offchain.errors import Rejected

_PAIRS = (("inputs", "labels"), ("x", "y"), ("x_train", "y_train"))


def load_npz(path: Path, *, task: Task | None = None) -> RawData:
    """Reads the arrays `inputs` and `labels` (or `x` and `y`, or `x_train` and `y_train`).

    Images are (n, height, width[, channels]). Arrays of Python objects are refused, for they hold pickles. Raises
    Rejected.
    """
    try:
        _require_modest(path)
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise Rejected(f"{path.name}: holds a single array; save two with np.savez(file, x=…, y=…)")
            for inputs, labels in _PAIRS:
                if inputs in archive.files and labels in archive.files:
                    return build_raw(path.name, archive[inputs], _labels(archive[labels]), task=task)
            names = ", ".join(archive.files) or "none"
    except (ValueError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise Rejected(f"{path.name}: not a readable NPZ file of plain arrays ({error})") from None
    raise Rejected(f"{path.name}: needs arrays x and y, or inputs and labels; it has {names}")


def _require_modest(path: Path) -> None:
    """Looks at what the members say of themselves before NumPy makes room for it. Raises Rejected, and as NumPy."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            with archive.open(member) as file:
                shape, dtype = _declared(file)
            require_modest(f"{path.name}: {member.filename}", shape)
            if not dtype.hasobject and math.prod(shape) * dtype.itemsize > member.file_size:
                raise Rejected(f"{path.name}: {member.filename} declares more than it holds; make the file anew")


def _declared(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype by the header of an array. Raises ValueError."""
    form: Any = np.lib.format
    old = form.read_magic(file) == (1, 0)
    shape, _, dtype = (form.read_array_header_1_0 if old else form.read_array_header_2_0)(file)
    return shape, dtype


def _labels(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
