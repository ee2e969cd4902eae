"""What became of a request: one byte, equal on all replicas."""

from enum import IntEnum

from offchain.errors import Rejected


class Result(IntEnum):
    """Up to 15 the ledger says what the request wanted; above, it was refused, for ever or (from 48) for now."""

    ACCEPTED = 0
    DUPLICATE = 1
    SUPERSEDED = 2
    NONCE_USED = 16
    NO_ORDER = 17
    EARLY = 18
    LATE = 19
    NO_CLAIM = 20
    NO_MODEL = 21
    NO_VALIDATION = 22
    TAKEN = 23
    FULL = 24
    NOT_A_MEMBER = 25
    SECOND_PROPOSAL = 26
    BAD_WINDOWS = 27
    STALE = 28
    AHEAD = 48

    @property
    def stands(self) -> bool:
        """Whether the ledger holds what was asked for, or something newer of the same account."""
        return self < Result.NONCE_USED

    @property
    def text(self) -> str:
        """For people."""
        return _TEXTS[self]

    @property
    def label(self) -> str:
        """The name as it is written in JSON."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def decode(cls, data: bytes) -> "Result":
        """From a byte of the ledger. Raises Rejected when it is none."""
        try:
            (value,) = data
            return cls(value)
        except ValueError:
            raise Rejected(f"{data[:8].hex()}: no result of a request") from None


_TEXTS = {
    Result.ACCEPTED: "on the ledger",
    Result.DUPLICATE: "was on the ledger already",
    Result.SUPERSEDED: "the account has said something newer about this",
    Result.NONCE_USED: "the account has used this nonce for something else; take a higher one",
    Result.NO_ORDER: "the ledger knows no such order of this client; the client must send it first",
    Result.EARLY: "the order's window for this has not begun; send it again when it has, with a new nonce",
    Result.LATE: "the order's window for this is over",
    Result.NO_CLAIM: "a model needs a claim of the same account",
    Result.NO_MODEL: "nobody has shown a model with this id for the order",
    Result.NO_VALIDATION: "the ledger knows no such validation",
    Result.TAKEN: "the account has said something else about this, which cannot be replaced",
    Result.FULL: "the account, the order or the ledger holds as much as it may",
    Result.NOT_A_MEMBER: "only members of the committee propose reward roots",
    Result.SECOND_PROPOSAL: "another proposal of this member came first in the same batch; propose again",
    Result.BAD_WINDOWS: "the order's times are not in order, are over, or reach too far into the future",
    Result.STALE: "the nonce is below those that the account can still use; take the time in microseconds",
    Result.AHEAD: "the nonce is a time that has not come yet; set the clock",
}
