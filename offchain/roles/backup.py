"""Backups of a home directory while its workers run, and homes made from them that are safe to go on with.

A backup is a directory: the files of the home below `home/`, and `backup.json`, which names them with their hashes.
Journals are copied through SQLite, so that each is as it was at one moment, and in this order: senders' first, then
roles'. So what a transaction in the backup depends on (a salt) is in the backup too.

What a backup cannot know is what happened after it was made. Restored senders' journals are marked for that
(`Journal.restored`), and a note in the home keeps an aggregator from signing until the epoch in which it may have
signed something that it has forgotten is over. The aggregators' ledger journals are left out: they hold votes, and an
older one would contradict what was voted since.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.errors import Rejected
from offchain.types import Seconds

MANIFEST = "backup.json"
FORMAT = "assay-backup-1"
NOTE = "restored.json"
JOURNALS = "journals"
FOLDERS = ("keys", "deployments", "archive", "federated")
"""What is copied file by file; none of it changes once it is written."""
STORE = "store"
CHUNK = 2**20
MAX_MANIFEST_BYTES = 64 * 2**20
SENDER_TABLE = "intents"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup: its directory, when it was begun (Unix seconds), its files with their SHA-256 and their size in all."""

    folder: Path
    made_at: Seconds
    files: dict[str, str]
    size: int


def back_up(home: Path, target: Path, *, now: Seconds, with_store: bool = True) -> Backup:
    """Copies `home` to the directory `target`, which must not be there yet; complete, or not there at all.

    `now`: Unix seconds. Content that an older backup beside `target` has already is linked, not copied. `with_store`:
    the local store as well. Raises Rejected when there is no home, or `target` is there or inside the home.
    """
    if not (home / "keys").is_dir():
        raise Rejected(f"--home {home}: there are no keys in it, so there is nothing to back up")
    if target.exists() or target.resolve().is_relative_to(home.resolve()):
        raise Rejected(f"{target}: give a directory that is not there yet, outside of --home")
    older = _newest_backup(target.parent)
    draft = target.with_name(f".{target.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    files: dict[str, str] = {}
    for path in (*_journals(home), *_plain(home, with_store)):
        name = path.relative_to(home).as_posix()
        copy = draft / "home" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == JOURNALS:
            _copy_journal(path, copy)
        elif not _linked(path, copy, older, name):
            shutil.copy2(path, copy)
        files[name] = _digest(copy)
    written = {"format": FORMAT, "made_at": now, "files": files}
    (draft / MANIFEST).write_text(json.dumps(written, indent=1, sort_keys=True))
    _sync(draft)
    draft.replace(target)
    return Backup(target, now, files, sum((target / "home" / name).stat().st_size for name in files))


def read_backup(folder: Path) -> Backup:
    """The backup in `folder`, every file checked. Raises Rejected when it is none, or not as it was made."""
    fields = _manifest(folder)
    files = fields["files"]
    size = 0
    for name, digest in files.items():
        path = folder / "home" / name
        if path.is_symlink() or not path.resolve().is_relative_to((folder / "home").resolve()) or not path.is_file():
            raise Rejected(f"{folder}: {name} is missing; take another backup")
        if _digest(path) != digest:
            raise Rejected(f"{folder}: {name} is not what was backed up; take another backup")
        size += path.stat().st_size
    return Backup(folder, Seconds(fields["made_at"]), files, size)


def restore(folder: Path, home: Path, *, now: Seconds) -> Backup:
    """Makes `home` from the backup in `folder`, complete or not at all; see the module. `now`: Unix seconds.

    Raises Rejected when the backup is damaged or `home` has anything in it.
    """
    backup = read_backup(folder)
    if home.exists() and any(home.iterdir()):
        raise Rejected(f"--home {home}: there is something in it; move it away, a backup is never merged into a home")
    draft = home.with_name(f".{home.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    for name in backup.files:
        copy = draft / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "home" / name, copy)
        if copy.parent.name == JOURNALS and _is_sender(copy):
            _mark_restored(copy, now)
    note = draft / JOURNALS / NOTE
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps({"made_at": backup.made_at, "restored_at": now}))
    _sync(draft)
    if home.exists():
        home.rmdir()
    draft.replace(home)
    return backup


def prune(parent: Path, keep: int) -> list[Path]:
    """Deletes all but the newest `keep` backups in `parent`; those that are gone."""
    gone = _backups(parent)[: -keep or None]
    for folder in gone:
        shutil.rmtree(folder)
    return gone


def restored_at(journals: Path) -> Seconds | None:
    """When these journals were put back from a backup (Unix seconds); None when they never were."""
    try:
        return Seconds(int(json.loads((journals / NOTE).read_text())["restored_at"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected(f"{journals / NOTE}: cannot be read ({error}); restore the backup again") from error


def require_no_signatures_forgotten(journals: Path, *, now: Seconds, ends_at: Seconds, length: int) -> None:
    """Raises Rejected while an aggregator may have signed what its restored journals do not know.

    The committee's present epoch ends at `ends_at` and lasts `length` seconds; `now` by the chain.
    """
    when = restored_at(journals)
    if when is None or now >= ends_at or ends_at - length > when:
        return
    raise Rejected(
        f"{journals}: put back from a backup within this epoch of the committee. What this member signed after it is "
        "forgotten, and signing again could contradict it, which costs the whole stake. Start it in "
        f"{ends_at - now} s, when the epoch is over"
    )


def _journals(home: Path) -> Iterator[Path]:
    found = sorted((home / JOURNALS).glob("*.sqlite"))
    yield from (path for path in found if _is_sender(path))
    yield from (path for path in found if not _is_sender(path))


def _plain(home: Path, with_store: bool) -> Iterator[Path]:
    for folder in (*FOLDERS, STORE) if with_store else FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def _is_sender(path: Path) -> bool:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (SENDER_TABLE,)).fetchone()
    return found is not None


def _copy_journal(path: Path, copy: Path) -> None:
    """As it is at one moment, whatever its worker writes meanwhile."""
    os.close(os.open(copy, os.O_CREAT | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _mark_restored(path: Path, now: Seconds) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", (str(now),))


def _linked(path: Path, copy: Path, older: Path | None, name: str) -> bool:
    """Whether an older backup has this file already, and it was linked from there."""
    if older is None:
        return False
    former = older / "home" / name
    if not former.is_file() or former.stat().st_size != path.stat().st_size or _digest(former) != _digest(path):
        return False
    os.link(former, copy)
    return True


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise Rejected(f"{path}: too large to be one of ours")
        fields = json.loads(path.read_text())
        if fields["format"] != FORMAT or not isinstance(fields["files"], dict):
            raise Rejected(f"{path}: of another format; take the version of Assay that made it")
        int(fields["made_at"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Rejected(f"{folder}: no backup of `assay backup` ({error})") from error
    return dict(fields)


def _backups(parent: Path) -> list[Path]:
    """Backups in `parent`, oldest first: their names are the times at which they were made."""
    return sorted(path.parent for path in parent.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))


def _newest_backup(parent: Path) -> Path | None:
    found = _backups(parent)
    return found[-1] if found else None


def _digest(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def _sync(folder: Path) -> None:
    """Onto the disk before it gets its name."""
    for path in folder.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
