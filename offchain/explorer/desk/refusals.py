"""Errors of the desk besides `Rejected` (what was asked is wrong) and `Retryable` (not now)."""

from offchain.errors import Rejected


class NotKnown(Rejected):
    """There is no such thing."""


class Forbidden(Rejected):
    """This page may not ask that."""


class TooLarge(Rejected):
    """More bytes than the desk takes."""


class WrongKind(Rejected):
    """A body of a kind that is not taken here."""


class Faulty(Rejected):
    """What was asked is wrong in the field `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
