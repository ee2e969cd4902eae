"""Exactly once: which nonces an account has used, and what became of them.

Each account has a window of the 128 highest nonces that it has used; below the lowest of them nothing is taken any
more. When there are too many accounts, those with the lowest nonces are forgotten, and no account that is unknown may
use a nonce that is not above all that was forgotten: so what was executed once never is again. That harms nobody whose
nonces are the time in microseconds, for no nonce may be ahead of the time.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from offchain.errors import Rejected
from offchain.ledger.records.bodies import Account
from offchain.ledger.records.results import Result

WINDOW = 128
_ENTRY = 16


@dataclass(slots=True)
class Window:
    """The nonces of one account, ascending, from `floor` on; beside each, 56 bits of the request's digest and its
    result."""

    floor: int
    nonces: "array[int]" = field(default_factory=lambda: array("Q"))
    marks: "array[int]" = field(default_factory=lambda: array("Q"))

    def find(self, nonce: int, digest: bytes) -> Result | None:
        """What became of the nonce; None if it can be used."""
        at = bisect_left(self.nonces, nonce)
        if at < len(self.nonces) and self.nonces[at] == nonce:
            mark = self.marks[at]
            return Result(mark & 0xFF) if mark >> 8 == _tag(digest) else Result.NONCE_USED
        return Result.STALE if nonce < self.floor else None

    def add(self, nonce: int, digest: bytes, result: Result) -> None:
        """Uses a nonce that can be used."""
        at = bisect_left(self.nonces, nonce)
        self.nonces.insert(at, nonce)
        self.marks.insert(at, _tag(digest) << 8 | result)
        if len(self.nonces) > WINDOW:
            self.floor = self.nonces.pop(0) + 1
            del self.marks[0]

    @property
    def highest(self) -> int:
        """The highest nonce that was used."""
        return self.nonces[-1]

    def encode(self) -> bytes:
        """Canonical."""
        words = (word.to_bytes(8, "big") for pair in zip(self.nonces, self.marks, strict=True) for word in pair)
        return self.floor.to_bytes(9, "big") + b"".join(words)

    @classmethod
    def decode(cls, data: bytes) -> "Window":
        """Inverse of `encode`. Raises Rejected."""
        count, rest = divmod(len(data) - 9, _ENTRY)
        window = cls(int.from_bytes(data[:9], "big"))
        for at in range(9, len(data) - rest, _ENTRY):
            window.nonces.append(int.from_bytes(data[at : at + 8], "big"))
            window.marks.append(int.from_bytes(data[at + 8 : at + 16], "big"))
        nonces = window.nonces
        ascending = all(nonces[at] < nonces[at + 1] for at in range(count - 1))
        if rest or not 1 <= count <= WINDOW or not ascending or nonces[0] < window.floor:
            raise Rejected("these are no nonces of an account")
        for mark in window.marks:
            Result.decode(bytes((mark & 0xFF,)))
        return window


class Nonces:
    """The windows of all accounts, at most `most`."""

    def __init__(
        self,
        most: int,
        floor: int = 0,
        windows: Iterable[tuple[Account, Window]] = (),
        members: frozenset[Account] = frozenset(),
    ) -> None:
        """`floor`: the least nonce that an unknown account may use, unless it is one of `members`."""
        self._most = most
        self._members = members
        self.floor = floor
        self.windows: dict[Account, Window] = dict(windows)
        self.changed: set[Account] = set(self.windows)
        """Accounts whose windows were added, changed or forgotten; who hashes them clears it."""

    def find(self, account: Account, nonce: int, digest: bytes) -> Result | None:
        """See `Window.find`."""
        window = self.windows.get(account)
        if window is None:
            return Result.STALE if nonce < self._floor_of(account) else None
        return window.find(nonce, digest)

    def add(self, account: Account, nonce: int, digest: bytes, result: Result) -> None:
        """Uses a nonce that can be used."""
        window = self.windows.get(account)
        if window is None:
            window = self.windows[account] = Window(self._floor_of(account))
        window.add(nonce, digest, result)
        self.changed.add(account)

    def trim(self) -> None:
        """Forgets accounts, an eighth at once, when there are too many."""
        if len(self.windows) <= self._most:
            return
        others = self.windows.keys() - self._members
        by_age = sorted(others, key=lambda account: (self.windows[account].highest, account))
        for account in by_age[: len(self.windows) - self._most * 7 // 8]:
            self.floor = max(self.floor, self.windows.pop(account).highest + 1)
            self.changed.add(account)

    def _floor_of(self, account: Account) -> int:
        return 0 if account in self._members else self.floor


def _tag(digest: bytes) -> int:
    return int.from_bytes(digest[:7], "big")
