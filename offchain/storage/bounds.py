"""What a download may cost, decided before it starts, and the ways in which it can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offchain.errors import Rejected, Retryable
from offchain.storage.cid import Cid

Clock = Callable[[], float]
"""Seconds that only go forward, like `time.monotonic`."""

Progress = Callable[[int, int | None], None]
"""Receives the bytes so far and the bytes in all, None while unknown."""


class Missing(Retryable):
    """The source does not have the content, or not yet."""


class WrongContent(Retryable):
    """The source gave bytes that are not what the CID names; another source may be honest."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment, on `clock`, at which a download has taken too long."""

    clock: Clock
    at: float
    source: str

    @classmethod
    def after(cls, seconds: float, clock: Clock, source: str) -> Deadline:
        """A deadline `seconds` from now."""
        return cls(clock, clock() + seconds, source)

    def remaining(self) -> float:
        """Seconds left, more than zero. Raises Retryable when there are none."""
        left = self.at - self.clock()
        if left <= 0:
            raise Retryable(f"{self.source}: too slow; the download was given up, nothing was kept")
        return left


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one download: at most `max_bytes`, exactly `size` bytes if somebody promised a size."""

    cid: Cid
    max_bytes: int
    size: int | None
    deadline: Deadline

    def __post_init__(self) -> None:
        if self.size is not None and self.size > self.max_bytes:
            raise Rejected(f"{self.cid} is said to have {self.size} bytes; at most {self.max_bytes} are allowed here")

    def admit(self, size: int, source: str) -> None:
        """Raises Rejected if content of that proven size is not what was promised or too large."""
        if self.size is not None and size != self.size:
            raise Rejected(f"{source}: {self.cid} has {size} bytes, not {self.size} as its manifest says")
        if size > self.max_bytes:
            raise Rejected(f"{source}: {self.cid} has {size} bytes; at most {self.max_bytes} are allowed here")

    @property
    def cap(self) -> int:
        """Bytes after which a stream must have ended."""
        return self.max_bytes if self.size is None else self.size
