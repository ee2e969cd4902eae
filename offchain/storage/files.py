"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_writer(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Gives a write function; when the block ends well, `path` holds what was written, after a crash too.

    The temporary file lies in the same directory, with a name no other process uses. Raises OSError.
    """
    with temporary_file(path.parent) as (temporary, write):
        yield write
        publish(temporary, path)


@contextmanager
def temporary_file(directory: Path) -> Iterator[tuple[Path, Callable[[bytes], object]]]:
    """A new file and its write function; flushed by `publish`, removed at the end if nobody published it."""
    directory.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".incoming-", dir=directory)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield temporary, _whole(file.write)
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> None:
    """Makes a finished temporary file appear under its name, durably. Both lie on the same file system."""
    _sync(temporary)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(path)
    _sync(path.parent)


def _whole(write: Callable[[memoryview], int | None]) -> Callable[[bytes], object]:
    """Unbuffered writes may take a part only."""

    def write_all(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[write(view) or 0 :]

    return write_all


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
