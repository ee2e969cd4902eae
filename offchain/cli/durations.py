"""Durations as people write them: 90, 90s, 10m, 2h, 3d."""

import re

import typer

_FORM = re.compile(r"(\d+)\s*([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str, flag: str) -> int:
    """Seconds. Raises typer.BadParameter, which names `flag`."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{flag}: {text!r} is not a duration; write 90, 90s, 10m, 2h or 3d")
    return int(found.group(1)) * _UNITS[found.group(2)]


def format_duration(seconds: int) -> str:
    """The shortest exact form: 90s, 10m, 2h, 3d."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def countdown(seconds: int) -> str:
    """How long until something, in at most two units: 1h 5m, 3m 20s, 8s; `now` when it is over."""
    if seconds <= 0:
        return "now"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (left, "s")]
    first = next(index for index, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount}{unit}" for amount, unit in parts[first : first + 2] if amount)
