"""Checks of the places that commands write to, before anything is done."""

from pathlib import Path

from offchain.errors import Rejected


def require_writable_file(path: Path, flag: str) -> None:
    """Raises Rejected, naming `flag`, unless a file can be written at `path`."""
    if path.is_dir():
        raise Rejected(f"{flag} {path}: a directory; give a file")
    if not path.absolute().parent.is_dir():
        raise Rejected(f"{flag} {path}: no such directory; create it or choose another file")


def require_folder(path: Path, flag: str) -> None:
    """Raises Rejected, naming `flag`, unless `path` is, or can become, a directory."""
    whole = path.absolute()
    above = next(place for place in (whole, *whole.parents) if place.exists())
    if not above.is_dir():
        raise Rejected(f"{flag} {path}: {above} is a file; give a directory")
