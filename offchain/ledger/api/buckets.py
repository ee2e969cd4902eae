"""Rate limits: a bucket of tokens for each account or address, refilled steadily. Pure; the time is passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second on average, so many at once."""

    per_second: float
    burst: float


class Buckets:
    """The buckets of at most `most` names; the one used least recently is forgotten, and so full when it returns."""

    def __init__(self, rate: Rate, most: int = 10_000) -> None:
        self._rate = rate
        self._most = most
        self._levels: dict[bytes | str, tuple[float, float]] = {}

    def take(self, name: bytes | str, count: int, now: float) -> float:
        """Takes `count` tokens and returns 0, or takes none and returns the seconds until they will be there.

        A count above the burst is never there: infinity.
        """
        level, since = self._levels.pop(name, (self._rate.burst, now))
        level = min(self._rate.burst, level + max(0.0, now - since) * self._rate.per_second)
        missing = count - level
        if len(self._levels) >= self._most:
            self._levels.pop(next(iter(self._levels)))
        self._levels[name] = (level if missing > 0 else level - count), now
        if missing <= 0:
            return 0.0
        return missing / self._rate.per_second if count <= self._rate.burst else float("inf")
