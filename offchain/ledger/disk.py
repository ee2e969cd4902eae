"""What the journal asks of a disk, and the real one.

A seam, so that tests can crash at every write and lose what was not synced.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol


class File(Protocol):
    """An open file. Nothing is safe from a crash before `sync` returns."""

    def read(self) -> bytes:
        """All of it."""

    def write(self, offset: int, data: bytes) -> None:
        """Puts `data` at `offset`; beyond the end makes the file longer."""

    def truncate(self, length: int) -> None:
        """Cuts the file."""

    def sync(self) -> None:
        """Returns when what was written, and the length, are durable."""

    def close(self) -> None:
        """Lets go of it."""


class Disk(Protocol):
    """Names are durable only after `sync_folder`."""

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""

    def open(self, path: Path) -> File:
        """The file, made empty if there is none."""

    def replace(self, source: Path, target: Path) -> None:
        """Gives `source` the name `target`: after a crash the name stands for the old file or for the new one."""

    def remove(self, path: Path) -> None:
        """Removes the file if it is there."""

    def sync_folder(self, folder: Path) -> None:
        """Returns when the names in `folder` are durable."""

    def lock(self, path: Path) -> File | None:
        """Holds `path` until closed, against other processes too; None when somebody holds it."""


class RealFile:
    """See File. Raises OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytes:
        """All of it."""
        length, parts, offset = os.fstat(self._descriptor).st_size, [], 0
        while offset < length:
            part = os.pread(self._descriptor, length - offset, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        """Puts `data` at `offset`."""
        done = os.pwrite(self._descriptor, data, offset)
        while done < len(data):
            done += os.pwrite(self._descriptor, memoryview(data)[done:], offset + done)

    def truncate(self, length: int) -> None:
        """Cuts the file."""
        os.ftruncate(self._descriptor, length)

    def sync(self) -> None:
        """Also syncs the length: fdatasync leaves out only what reading does not need."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._descriptor)


class RealDisk:
    """See Disk. Raises OSError."""

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""
        return path.exists()

    def open(self, path: Path) -> RealFile:
        """The file, made empty if there is none; readable by its owner only."""
        return RealFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def replace(self, source: Path, target: Path) -> None:
        """Renames over `target`."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Removes the file if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Syncs the directory."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self, path: Path) -> RealFile | None:
        """Locks with flock, which ends with the process."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return RealFile(descriptor)
