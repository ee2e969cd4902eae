"""Small files that say, or would become, more than fits into memory: refused before anything is unpacked."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offchain.data import bounds
from offchain.data.source import load_source
from offchain.errors import Rejected


def npy(shape: tuple[int, ...], body: bytes) -> bytes:
    """An array file whose header declares `shape` of float64, with that body."""
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
    return file.getvalue() + body


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(f"{name}.npy", data)
    return path


def test_an_archive_that_declares_terabytes_is_refused(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "bomb.npz", x=npy((1 << 20, 1 << 20), bytes(1 << 20)), y=npy((1 << 20,), b""))
    with pytest.raises(Rejected, match=r"^bomb\.npz: x\.npy: declares 1,099,511,627,776 numbers; at most"):
        load_source(str(bomb))


def test_an_archive_that_declares_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    short = archive(tmp_path / "short.npz", x=npy((1 << 20, 4), bytes(32)), y=npy((1 << 20,), b""))
    with pytest.raises(Rejected, match=r"^short\.npz: x\.npy declares more than it holds"):
        load_source(str(short))


def test_a_table_of_a_million_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(["x"] * 1_000_000) + "\n" + ",".join(["1"] * 1_000_000) + "\n")
    with pytest.raises(Rejected, match=r"^wide\.csv: has [0-9,]+ columns; at most 16,384 are read"):
        load_source(str(path), label="x")


def test_a_header_row_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    path.write_bytes(b"x" * (3 << 20))
    with pytest.raises(Rejected, match=r"^endless\.csv: its first row has more than 1 MiB"):
        load_source(str(path), label="x")


def test_a_parquet_file_that_unfolds_far_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns without values take no place. The bound is made small: a file that breaks the real one takes long."""
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({f"c{index}": pa.nulls(1 << 16) for index in range(4)}), path)
    assert path.stat().st_size < 1 << 12
    monkeypatch.setattr(bounds, "MAX_ELEMENTS", 1 << 17)
    with pytest.raises(Rejected, match=r"^long\.parquet: declares 262,144 numbers; at most 131,072"):
        load_source(str(path), label="c0")
