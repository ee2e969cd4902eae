"""The part that all backends share: nothing leaves a store unless it is what the CID names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from offchain.errors import Rejected
from offchain.storage.bounds import Clock, Deadline, Limits, Missing, Progress, WrongContent
from offchain.storage.cid import Cid
from offchain.storage.files import atomic_writer
from offchain.storage.unixfs import Importer


class VerifiedStore(ABC):
    """Reads through `_pieces` of a backend, within `Limits`, and verifies. See `Store` for the methods."""

    def __init__(self, location: str, *, seconds: float, clock: Clock) -> None:
        self._location = location
        self._seconds = seconds
        self._clock = clock

    @property
    def location(self) -> str:
        """See `Store`."""
        return self._location

    @abstractmethod
    def _pieces(self, limits: Limits) -> Iterator[bytes]:
        """The content of `limits.cid`, not necessarily verified.

        Must call `limits.admit` as soon as it can prove the size, hold no more than a few blocks in memory, and mind
        `limits.deadline`.
        """

    @property
    def writable(self) -> bool:
        """See `Store`."""
        return True

    def _refuse(self, limits: Limits) -> NoReturn:
        """Called when the bytes don't match the CID. Raises Rejected where no source could do better."""
        raise WrongContent(f"{self._location}: gave bytes that are not {limits.cid}; try another store")

    def read(self, cid: Cid, *, max_bytes: int, size: int | None = None, progress: Progress | None = None) -> bytes:
        """See `Store`."""
        return b"".join(self._checked(self._limits(cid, max_bytes, size), progress))

    def save(
        self, cid: Cid, path: Path, *, max_bytes: int, size: int | None = None, progress: Progress | None = None
    ) -> int:
        """See `Store`."""
        limits, written = self._limits(cid, max_bytes, size), 0
        with atomic_writer(path) as write:
            for piece in self._checked(limits, progress):
                write(piece)
                written += len(piece)
        return written

    def close(self) -> None:  # noqa: B027  (most backends hold nothing open)
        """See `Store`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _limits(self, cid: Cid, max_bytes: int, size: int | None) -> Limits:
        return Limits(cid, max_bytes, size, Deadline.after(self._seconds, self._clock, self._location))

    def _checked(self, limits: Limits, progress: Progress | None) -> Iterator[bytes]:
        """The pieces; ends with an error instead of an end when they are not the content."""
        importer = Importer()
        for piece in self._pieces(limits):
            if importer.size + len(piece) > limits.cap:
                raise WrongContent(f"{self._location}: sent more than the {limits.cap} bytes expected of {limits.cid}")
            importer.update(piece)
            if progress is not None:
                progress(importer.size, limits.size)
            yield piece
            limits.deadline.remaining()
        if importer.finish() != limits.cid:
            self._refuse(limits)
        limits.admit(importer.size, self._location)


def missing(location: str, cid: Cid) -> Missing:
    """The error for content that a place does not have."""
    return Missing(f"{location}: {cid} is not there (yet); has its owner added it, and to this network?")


def open_for_reading(path: Path) -> None:
    """Raises Rejected, naming the file, unless it can be read."""
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise Rejected(f"{path}: {error.strerror}; give a readable file") from None
