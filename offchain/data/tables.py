"""CSV and Parquet files: one column is the label, every other one a numeric feature."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from offchain.data.raw import RawData, Task, build_raw
from offchain.errors import Rejected

if TYPE_CHECKING:
    import pandas as pd


def load_csv(path: Path, *, label: str | None, task: Task | None = None) -> RawData:
    """Reads a comma-separated UTF-8 file with a header row. Raises Rejected naming the file, row and column."""
    import pandas as pd

    try:
        frame = pd.read_csv(path, low_memory=False, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise Rejected(f"{path.name}: is empty; give a header row and data") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Rejected(f"{path.name}: not a readable CSV file ({str(error).strip()})") from None
    return table(path.name, frame, label=label, task=task)


def load_parquet(path: Path, *, label: str | None, task: Task | None = None) -> RawData:
    """Reads a Parquet file. Raises Rejected naming the file, row and column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame = pq.read_table(path).to_pandas()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise Rejected(f"{path.name}: not a readable Parquet file ({str(error).splitlines()[0]})") from None
    return table(path.name, frame, label=label, task=task)


def table(name: str, frame: pd.DataFrame, *, label: str | None, task: Task | None = None) -> RawData:
    """Takes the column `label` out of a data frame and makes the others features; whole rows only."""
    columns = [str(column) for column in frame.columns]
    if label is None or label not in columns:
        problem = "--label is missing" if label is None else f"no column {label!r} (--label)"
        raise Rejected(f"{name}: {problem}; the columns are {_listed(columns)}")
    if columns.count(label) > 1:
        raise Rejected(f"{name}: {columns.count(label)} columns are named {label!r}; rename all but one")
    if len(frame) == 0:
        raise Rejected(f"{name}: has a header but no rows")
    place = columns.index(label)
    features = [i for i in range(len(columns)) if i != place]
    if not features:
        raise Rejected(f"{name}: {label!r} is its only column; features are needed too")
    values = np.empty((len(frame), len(features)), dtype=np.float64)
    for position, index in enumerate(features):
        values[:, position] = _numbers(name, columns[index], frame.iloc[:, index])
    names = tuple(columns[i] for i in features)
    return build_raw(name, values, frame.iloc[:, place].to_numpy(), task=task, columns=names)


def _numbers(name: str, column: str, series: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    import pandas as pd

    if pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_numeric_dtype(series.dtype):
        numbers = series
    else:
        numbers = pd.to_numeric(series, errors="coerce")
        bad = (numbers.isna() & series.notna()).to_numpy()
        if bad.any():
            row = int(np.argmax(bad))
            text = str(series.iloc[row])[:40]
            raise Rejected(
                f"{name}: column {column!r}, row {row + 1}: {text!r} is no number; encode it as one or drop the column"
            )
    return np.asarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan))


def _listed(columns: list[str]) -> str:
    shown = ", ".join(columns[:12])
    return shown if len(columns) <= 12 else f"{shown}, … ({len(columns)} in all)"
