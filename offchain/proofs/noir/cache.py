"""Things that are slow to make and always the same: made once, in directories that are there whole or not at all."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offchain.errors import Rejected


@dataclass(frozen=True, slots=True)
class BuildCache:
    """A directory of made things; several processes may use it at once."""

    folder: Path

    def made(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """The directory `kind`/`key`, filled by `make` if it is not there. Whoever comes second waits for the first."""
        place = self.folder / kind / key
        if place.is_dir():
            return place
        with self.locked(kind, key):
            if place.is_dir():
                return place
            partial = Path(tempfile.mkdtemp(prefix=f".{key[:16]}-", dir=place.parent))
            try:
                make(partial)
                partial.rename(place)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        return place

    @contextmanager
    def locked(self, kind: str, key: str) -> Iterator[Path]:
        """Held by one process (and one thread) at a time; ends with the process. Gives the directory of the kind."""
        parent = self.folder / kind
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise Rejected(f"{parent}: cannot be a directory for proofs; give another --home") from error
        with (parent / f"{key}.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield parent
