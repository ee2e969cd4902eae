"""Files that a page sends: streamed to disk, under names that say what they are and nothing else."""

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from offchain.errors import Rejected
from offchain.explorer.desk.guard import FILE_BYTES, JSON_BYTES
from offchain.explorer.desk.refusals import Faulty, TooLarge

PARTS = ("train", "test", "spec", "train_labels", "test_labels")
PREFIX = "uploads-"
STALE_SECONDS = 86_400
"""After this long, what a killed explorer has left behind is removed."""
_UNWANTED = re.compile(r"[^\w.@+ -]")


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The part `request`, and files by the names of their parts. They lie in `folder` until `remove`."""

    folder: Path
    request: str
    files: Mapping[str, Path] = field(default_factory=dict)

    def remove(self) -> None:
        """Deletes the files."""
        shutil.rmtree(self.folder, ignore_errors=True)


async def receive(request: Request, folder: Path) -> Uploaded:
    """Reads a multipart body into a new folder within `folder`. Raises Rejected, naming the part at fault."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        async with request.form(max_files=len(PARTS), max_fields=1, max_part_size=JSON_BYTES) as form:
            text = form.get("request")
            if not isinstance(text, str):
                raise Faulty("request", "the part with the order's fields, as JSON, is missing")
            files: dict[str, Path] = {}
            for part, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[part] = await _keep(place, part, value, files)
        return Uploaded(place, text, files)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


async def _keep(place: Path, part: str, file: UploadFile, known: Mapping[str, Path]) -> Path:
    if part not in PARTS:
        raise Rejected(f"no part is called {part[:40]!r}; there are request, {', '.join(PARTS)}")
    if part in known:
        raise Faulty(part, "one file is enough")
    if file.size is None or file.size > FILE_BYTES:
        raise TooLarge(f"--{part.replace('_', '-')}: larger than {FILE_BYTES >> 20} MiB; give less data")
    path = place / part / plain_name(file.filename or "")
    path.parent.mkdir()
    await run_in_threadpool(_copy, file, path)
    return path


def _copy(file: UploadFile, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target, 1 << 20)


def plain_name(name: str) -> str:
    """The last part of a path, without anything that means something to a shell, a terminal or a page."""
    last = re.split(r"[\\/]", name)[-1]
    plain = _UNWANTED.sub("_", last).strip(". ")
    return plain[-100:] or "data"


def uploads_folder(parent: Path) -> Path:
    """A new folder for uploads, of this process only; removes what others have left behind long ago."""
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
