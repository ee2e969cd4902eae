"""The default store: a directory with one file per content, named by its CID.

Any number of processes may share the directory: files appear by an atomic rename and are never changed. What a disk or
a person damages is found by the hash on the next read, moved aside and then simply missing; adding it again heals it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Clock, Limits
from offchain.storage.cid import Cid
from offchain.storage.files import publish, temporary_file
from offchain.storage.unixfs import Importer, file_chunks
from offchain.storage.verified import VerifiedStore, missing, open_for_reading

_PIECE = 1024 * 1024


class LocalStore(VerifiedStore):
    """Content in a directory, which is made when something is added."""

    def __init__(self, root: Path, *, seconds: float, clock: Clock) -> None:
        super().__init__(f"local:{root}", seconds=seconds, clock=clock)
        self._root = root

    def add(self, data: bytes) -> Cid:
        """See `Store`."""
        return self._keep(data[start : start + _PIECE] for start in range(0, len(data), _PIECE))

    def add_file(self, path: Path) -> Cid:
        """See `Store`."""
        open_for_reading(path)
        return self._keep(file_chunks(path, _PIECE))

    def has(self, cid: Cid) -> bool:
        """See `Store`. Whether the bytes are undamaged is found out by reading."""
        return self._path(cid).is_file()

    def probe(self) -> str:
        """See `Store`."""
        try:
            with temporary_file(self._root) as (_, write):
                write(b"probe")
            free = shutil.disk_usage(self._root).free
        except OSError as error:
            raise Rejected(f"{self.location}: {error.strerror}; give a directory that can be written") from None
        return f"{self.location}: writable, {free // 2**20} MiB free"

    def path_of(self, cid: Cid) -> Path | None:
        """The file that holds the content, for readers that map files; not verified. None when it is not there."""
        path = self._path(cid)
        return path if path.is_file() else None

    def _keep(self, pieces: Iterable[bytes]) -> Cid:
        importer = Importer()
        try:
            with temporary_file(self._root / "incoming") as (temporary, write):
                for piece in pieces:
                    importer.update(piece)
                    write(piece)
                cid = importer.finish()
                publish(temporary, self._path(cid))
        except OSError as error:
            raise Retryable(f"{self.location}: {error.strerror}; free some space or give another directory") from None
        return cid

    def _pieces(self, limits: Limits) -> Iterator[bytes]:
        path = self._path(limits.cid)
        try:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                if size > limits.cap:
                    self._oversized(path, limits, size)
                file.seek(0)
                while piece := file.read(_PIECE):
                    yield piece
        except FileNotFoundError:
            raise missing(self.location, limits.cid) from None
        except OSError as error:
            raise Retryable(f"{path}: {error.strerror}; see to the disk or its permissions") from None

    def _oversized(self, path: Path, limits: Limits, size: int) -> None:
        """Refuses before reading, unless it is damage that made the file so long: then the content is missing."""
        importer = Importer()
        for piece in file_chunks(path, _PIECE):
            importer.update(piece)
            limits.deadline.remaining()
        if importer.finish() == limits.cid:
            limits.admit(size, self.location)
        self._refuse(limits)

    def _refuse(self, limits: Limits) -> NoReturn:
        path = self._path(limits.cid)
        aside = self._root / "damaged" / path.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        path.replace(aside)
        raise missing(f"{self.location} (damaged file moved to {aside})", limits.cid)

    def _path(self, cid: Cid) -> Path:
        name = str(cid)
        return self._root / name[-2:] / name
