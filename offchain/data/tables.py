"""CSV and Parquet files: one column is the label, every other one a numeric feature, or one of them the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from offchain.data.bounds import MAX_LINE_BYTES, require_columns, require_modest
from offchain.data.raw import RawData, Task, build_raw
from offchain.data.text import TextColumn, encode
from offchain.errors import Rejected

if TYPE_CHECKING:
    import pandas as pd


def load_csv(path: Path, *, label: str | None, task: Task | None = None, text: TextColumn | None = None) -> RawData:
    """Reads a comma-separated UTF-8 file with a header row. Raises Rejected naming the file, row and column."""
    import pandas as pd

    _require_short_header(path)
    try:
        frame = pd.read_csv(path, low_memory=False, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise Rejected(f"{path.name}: is empty; give a header row and data") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Rejected(f"{path.name}: not a readable CSV file ({str(error).strip()})") from None
    return table(path.name, frame, label=label, task=task, text=text)


def load_parquet(path: Path, *, label: str | None, task: Task | None = None, text: TextColumn | None = None) -> RawData:
    """Reads a Parquet file. Raises Rejected naming the file, row and column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        size = pq.read_metadata(path)
        require_columns(path.name, size.num_columns)
        require_modest(path.name, (size.num_rows, size.num_columns))
        frame = pq.read_table(path).to_pandas()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise Rejected(f"{path.name}: not a readable Parquet file ({str(error).splitlines()[0]})") from None
    return table(path.name, frame, label=label, task=task, text=text)


def table(
    name: str,
    frame: pd.DataFrame,
    *,
    label: str | None,
    task: Task | None = None,
    text: TextColumn | None = None,
) -> RawData:
    """Takes the column `label` out of a data frame and makes the others features; whole rows only.

    With `text` that column alone becomes features, tokens from 0 to 255.
    """
    columns = [str(column) for column in frame.columns]
    if label is None or label not in columns:
        problem = "--label is missing" if label is None else f"no column {label!r} (--label)"
        raise Rejected(f"{name}: {problem}; the columns are {_listed(columns)}")
    if columns.count(label) > 1:
        raise Rejected(f"{name}: {columns.count(label)} columns are named {label!r}; rename all but one")
    if len(frame) == 0:
        raise Rejected(f"{name}: has a header but no rows")
    place = columns.index(label)
    if text is not None:
        tokens = _tokens(name, frame, columns, text)
        return build_raw(name, tokens, frame.iloc[:, place].to_numpy(), task=task)
    features = [i for i in range(len(columns)) if i != place]
    if not features:
        raise Rejected(f"{name}: {label!r} is its only column; features are needed too")
    values = np.empty((len(frame), len(features)), dtype=np.float64)
    for position, index in enumerate(features):
        values[:, position] = _numbers(name, columns[index], frame.iloc[:, index])
    names = tuple(columns[i] for i in features)
    return build_raw(name, values, frame.iloc[:, place].to_numpy(), task=task, columns=names)


def _require_short_header(path: Path) -> None:
    """Raises Rejected when the first row is too long, or has too many columns, to be a table's header."""
    try:
        with path.open("rb") as file:
            first = file.readline(MAX_LINE_BYTES + 1)
    except OSError as error:
        raise Rejected(f"{path.name}: cannot be read ({error.strerror})") from None
    require_columns(path.name, first.count(b",") + 1)
    if len(first) > MAX_LINE_BYTES:
        raise Rejected(f"{path.name}: its first row has more than {MAX_LINE_BYTES >> 20} MiB; is it a CSV file?")


def _tokens(name: str, frame: pd.DataFrame, columns: list[str], text: TextColumn) -> npt.NDArray[np.uint8]:
    if columns.count(text.column) != 1:
        raise Rejected(f"{name}: --text {text.column}: not the name of one column; the columns are {_listed(columns)}")
    found = frame.iloc[:, columns.index(text.column)]
    missing = found.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing)) + 1
        raise Rejected(f"{name}: column {text.column!r}, row {row}: the text is missing; fill it in or drop the row")
    return encode([str(value) for value in found], text.length)


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
