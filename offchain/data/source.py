"""One door for everything a user may have: a file, a directory of batches, or the name of a set."""

from __future__ import annotations

from pathlib import Path

from offchain.data.raw import RawData, Task
from offchain.data.sklearn_sets import NAMES, load_sklearn
from offchain.data.text import TextColumn
from offchain.errors import Rejected

_TABLES = (".csv", ".parquet", ".pq")
KINDS = f".csv, .parquet, .npz, MNIST idx images, CIFAR-10 python batches, or one of {', '.join(NAMES)}"


def load_source(
    location: str, *, label: str | None = None, task: Task | None = None, text: TextColumn | None = None
) -> RawData:
    """Loads `location`: a path, or a scikit-learn set by name (`digits` or `sklearn:digits`).

    `label` names the label column of a table, or the labels file of an idx images file; `task` overrides the guess of
    `build_raw`; `text` makes tokens of one column of a table. Raises Rejected, naming the file, for anything that
    cannot be used.
    """
    if text is not None and Path(location).suffix.lower() not in _TABLES:
        raise Rejected(f"--text {text.column}: {location} is no table (.csv or .parquet), so it has no such column")
    if location.startswith("sklearn:"):
        return load_sklearn(location.removeprefix("sklearn:"))
    path = Path(location).expanduser()
    if location in NAMES and not path.exists():
        return load_sklearn(location)
    if path.is_dir():
        return _load_directory(path)
    if not path.is_file():
        raise Rejected(f"{location}: no such file; give {KINDS}")
    return _load_file(path, label, task, text)


def _load_file(path: Path, label: str | None, task: Task | None, text: TextColumn | None) -> RawData:
    from offchain.data.cifar import load_cifar
    from offchain.data.idx import load_idx
    from offchain.data.npz import load_npz
    from offchain.data.tables import load_csv, load_parquet

    match path.suffix.lower():
        case ".csv":
            return load_csv(path, label=label, task=task, text=text)
        case ".parquet" | ".pq":
            return load_parquet(path, label=label, task=task, text=text)
        case ".npz":
            return load_npz(path, task=task)
    if "idx" in path.name or path.name.removesuffix(".gz").endswith("ubyte"):
        return load_idx(path, labels=_label_file(label))
    if "batch" in path.name or _head(path, 1) == b"\x80":
        return load_cifar([path])
    raise Rejected(f"{path.name}: unknown kind of file; give {KINDS}")


def _load_directory(path: Path) -> RawData:
    from offchain.data.cifar import load_cifar
    from offchain.data.idx import load_idx

    batches = sorted(path.glob("data_batch_*"))
    if batches:
        return load_cifar(batches)
    for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
        if (path / name).is_file():
            return load_idx(path / name)
    raise Rejected(f"{path}: a directory without data_batch_* or train-images-idx3-ubyte; give {KINDS}")


def _label_file(label: str | None) -> Path | None:
    if label is None:
        return None
    path = Path(label).expanduser()
    if not path.is_file():
        raise Rejected(f"--label {label}: no such file; for idx images it names the labels file")
    return path


def _head(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)
