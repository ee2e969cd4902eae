"""Why the API refuses, besides `Rejected` (400) and `Retryable` (503)."""

from offchain.errors import Rejected, Retryable


class NotKnown(Rejected):
    """What was asked for is not on the ledger: 404."""


class Forbidden(Rejected):
    """Who asked may not: 403."""


class TooMany(Retryable):
    """Above a rate limit: 429. `seconds`: when to try again."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
