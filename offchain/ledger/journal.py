"""The replica's journal: what it must not forget after it spoke, on disk before it speaks.

Three files: NAME (the records), NAME.guard (how far they were synced), NAME.lock (held while in use). A crash can leave
a torn tail in NAME that no message depended on, which is cut. Anything else, a file that is shorter than the guard
says, older or changed, means that votes were lost, and a replica that went on could contradict them: it is refused.

Orders of writing that make every crash harmless:
- append: records, sync, guard, sync. A guard that is behind means that the last records were not spoken of yet.
- begin anew: new file whole and synced, renamed, folder synced, guard, sync. A guard that is one generation behind
  means the same; the new file's header vouches for its length.
- create: guard with generation 0, under its name and synced, then begin anew as generation 1.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from offchain.errors import Bug, Rejected
from offchain.ledger.disk import Disk, File, RealDisk
from offchain.ledger.journal_format import (
    CHAIN_BYTES,
    OWNER_BYTES,
    Contents,
    Mark,
    begin,
    frame,
    read,
    read_guard,
    write_slot,
)

_NOTHING = Mark(0, 0, bytes(CHAIN_BYTES))
_ADVICE = (
    "votes of this replica may be lost, and going on could contradict them: restore the file, "
    "or give the member a new key"
)


class JournalInUse(Rejected):
    """Another process runs this replica; two would contradict each other."""


class Journal:
    """See the module. Not thread-safe: one call at a time. After an error of the disk it refuses to go on."""

    def __init__(self, disk: Disk, path: Path, owner: bytes, lock: File) -> None:
        """For `open` only."""
        self._disk = disk
        self._path = path
        self._owner = owner
        self._lock = lock
        self._file: File | None = None
        self._guard: File | None = None
        self._number = 0
        self._mark = _NOTHING
        self._end = (0, bytes(CHAIN_BYTES))  # what was written, synced or not: length and chain
        self._broken = False
        self.commits = 0
        """Groups of records made durable, for the status."""

    @classmethod
    def open(cls, path: Path, owner: bytes, disk: Disk | None = None) -> tuple[Self, tuple[bytes, ...]]:
        """Opens or creates the journal at `path`; gives its records too.

        `owner`: 32 bytes that stand for the group and the member. Raises Rejected when the journal was shortened or
        changed, is another's, or is in use (JournalInUse), or the disk refuses.
        """
        if len(owner) != OWNER_BYTES:
            raise Bug(f"an owner has {OWNER_BYTES} bytes, not {len(owner)}")
        disk = RealDisk() if disk is None else disk
        try:
            if isinstance(disk, RealDisk):
                path.parent.mkdir(parents=True, exist_ok=True)
            lock = disk.lock(path.with_name(path.name + ".lock"))
        except OSError as error:
            raise Rejected(f"{path}: cannot be used ({error}); check the directory and the disk") from error
        if lock is None:
            raise JournalInUse(f"{path}: another process runs this replica; stop it first, one process per replica")
        journal = cls(disk, path, owner, lock)
        try:
            return journal, journal._recover()
        except OSError as error:
            journal.close()
            raise Rejected(f"{path}: cannot be used ({error}); check the directory and the disk") from error
        except Rejected:
            journal.close()
            raise

    @property
    def length(self) -> int:
        """Bytes of the records' file."""
        return self._end[0]

    def write(self, records: Sequence[bytes]) -> None:
        """Writes `records`, which become durable with the next `append`. Raises Rejected when the disk refuses."""
        file, (length, chain) = self._usable(), self._end
        data, chain = frame(chain, records)
        try:
            file.write(length, data)
        except OSError as error:
            raise self._failed(error) from error
        self._end = length + len(data), chain

    def append(self, records: Sequence[bytes]) -> None:
        """Makes `records`, and all before them, durable: one sync for all. Raises Rejected when the disk refuses."""
        self.write(records)
        if self._end[0] == self._mark.length:
            return
        try:
            self._usable().sync()
            self._set_guard(Mark(self._mark.generation, *self._end))
        except OSError as error:
            raise self._failed(error) from error
        self.commits += 1

    def restart(self, records: Sequence[bytes]) -> None:
        """Replaces all records by these, at once. Raises Rejected when the disk refuses."""
        self._usable()
        try:
            self._begin(records)
        except OSError as error:
            raise self._failed(error) from error
        self.commits += 1

    def close(self) -> None:
        """Syncs what was only written, if the disk still can, and lets go of the files."""
        if self._file is not None and not self._broken:
            with suppress(Rejected):
                self.append(())
        for file in (self._file, self._guard, self._lock):
            if file is not None:
                file.close()
        self._file = self._guard = None
        self._broken = True

    def _usable(self) -> File:
        if self._broken or self._file is None:
            raise Bug(f"{self._path}: the journal is closed, or its disk failed before")
        return self._file

    def _failed(self, error: OSError) -> Rejected:
        # What a failed sync left on disk is unknown, and a second sync may succeed without it.
        self._broken = True
        return Rejected(f"{self._path}: cannot be written ({error}); check the disk and its space, then start again")

    # Opening

    def _recover(self) -> tuple[bytes, ...]:
        guard_path = self._beside(".guard")
        self._disk.remove(self._beside(".new"))
        self._disk.remove(self._beside(".guard.new"))
        if not self._disk.exists(guard_path):
            if self._disk.exists(self._path):
                raise Rejected(f"{guard_path}: is missing, though {self._path.name} is there; {_ADVICE}")
            self._create_guard(guard_path)
        self._guard = self._disk.open(guard_path)
        try:
            self._number, guarded = read_guard(self._guard.read())
        except Rejected as error:
            raise Rejected(f"{guard_path}: {error}; {_ADVICE}") from error
        if not self._disk.exists(self._path):
            if guarded != _NOTHING:
                raise Rejected(f"{self._path}: is missing, though {guard_path.name} is there; {_ADVICE}")
            self._begin(())
            return ()
        return self._resume(guarded)

    def _resume(self, guarded: Mark) -> tuple[bytes, ...]:
        self._file = self._disk.open(self._path)
        data = self._file.read()
        try:
            contents = read(data)
            self._require_same(contents, guarded, len(data))
        except Rejected as error:
            raise Rejected(f"{self._path}: {error}") from error
        length, chain = contents.marks[-1]
        if contents.torn:
            self._file.truncate(length)
            self._file.sync()
        mark = Mark(contents.generation, length, chain)
        if mark != guarded:
            # Also when nothing was torn: the rename, or the records after the guard, may not be durable yet.
            self._file.sync()
            self._disk.sync_folder(self._path.parent)
            self._set_guard(mark)
        else:
            self._mark = mark
        self._end = length, chain
        return contents.records

    def _require_same(self, contents: Contents, guarded: Mark, size: int) -> None:
        if contents.owner != self._owner:
            raise Rejected(
                "this is the journal of another member, committee or chain; use the right one, or move both files away"
            )
        expected = (guarded.length, guarded.chain)
        if contents.generation == guarded.generation + 1:
            expected = contents.base
        elif contents.generation != guarded.generation:
            raise Rejected(
                f"it began anew {contents.generation} times, but {guarded.generation} times before; {_ADVICE}"
            )
        if expected not in contents.marks:
            what = "is shorter than it was" if size < expected[0] else "was changed"
            raise Rejected(f"it {what} (whole up to byte {contents.marks[-1][0]} of {expected[0]}); {_ADVICE}")

    def _create_guard(self, path: Path) -> None:
        # Under its name only when it is whole, so that an empty guard never comes from a crash.
        draft = self._disk.open(self._beside(".guard.new"))
        try:
            draft.write(*write_slot(0, _NOTHING))
            draft.sync()
        finally:
            draft.close()
        self._disk.replace(self._beside(".guard.new"), path)
        self._disk.sync_folder(path.parent)

    # Writing

    def _begin(self, records: Sequence[bytes]) -> None:
        data, mark = begin(self._owner, self._mark.generation + 1, records)
        fresh_path = self._beside(".new")
        self._disk.remove(fresh_path)
        fresh = self._disk.open(fresh_path)
        try:
            fresh.write(0, data)
            fresh.sync()
            self._disk.replace(fresh_path, self._path)
            self._disk.sync_folder(self._path.parent)
        except OSError:
            fresh.close()
            raise
        if self._file is not None:
            self._file.close()
        self._file = fresh
        self._set_guard(mark)
        self._end = mark.length, mark.chain

    def _set_guard(self, mark: Mark) -> None:
        if self._guard is None:
            raise Bug("the guard is not open")
        self._number += 1
        self._guard.write(*write_slot(self._number, mark))
        self._guard.sync()
        self._mark = mark

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)
