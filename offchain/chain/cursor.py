"""Where a log follower stands: pure state, no I/O.

A cursor remembers the hashes of some of the blocks it has read. When one of them is no longer on the chain, everything
after the newest one that still is has been rolled back and is read again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

MAX_MARKS = 256


@dataclass(frozen=True, slots=True)
class Mark:
    """A block that was read: its number and hash (32 bytes)."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """All blocks from `start` to before `position` are read. `marks` ascend by number and lie in that range."""

    start: int
    position: int
    marks: tuple[Mark, ...] = ()

    @classmethod
    def at(cls, start: int) -> "Cursor":
        """A cursor that has read nothing yet."""
        return cls(start, start)

    @property
    def parent(self) -> bytes | None:
        """Hash of the block before `position`, if it is known."""
        newest = self.marks[-1] if self.marks else None
        return newest.hash if newest is not None and newest.number == self.position - 1 else None

    def rewound(self, canonical_hash: Callable[[int], bytes | None]) -> "Cursor":
        """The cursor after dropping what the chain rolled back; itself when nothing was.

        `canonical_hash` gives the hash of the block with a number, None when it is not known: a node that lags does not
        have the newest blocks yet, which says nothing about them. It is asked from the newest mark downwards until one
        holds. A chain that has become shorter shows when it has grown again.
        """
        contradicted = False
        for kept in range(len(self.marks), 0, -1):
            mark = self.marks[kept - 1]
            found = canonical_hash(mark.number)
            if found == mark.hash:
                return replace(self, position=mark.number + 1, marks=self.marks[:kept]) if contradicted else self
            contradicted = contradicted or found is not None
        return Cursor.at(self.start) if contradicted else self

    def advanced(self, marks: Iterable[Mark], *, final: int) -> "Cursor":
        """The cursor after reading up to the last of `marks` (ascending, beyond `position`).

        Marks at or below the `final` block are forgotten but for the newest: it can no longer be rolled back.
        """
        joined = [*self.marks, *marks]
        if not joined:
            return self
        settled = [mark for mark in joined if mark.number <= final][-1:]
        unsettled = [mark for mark in joined if mark.number > final]
        return replace(self, position=joined[-1].number + 1, marks=tuple((settled + unsettled)[-MAX_MARKS:]))


@dataclass(frozen=True, slots=True)
class RangeSize:
    """How many blocks to ask for at once: halved when the node objects, grown by a quarter when it does not."""

    size: int
    maximum: int

    def shrunk(self) -> "RangeSize":
        """After an objection; never below one block."""
        return replace(self, size=max(self.size // 2, 1))

    def grown(self) -> "RangeSize":
        """After a success; never above the maximum."""
        return replace(self, size=min(self.size + max(self.size // 4, 1), self.maximum))
