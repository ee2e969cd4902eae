"""Who did what wrong, provable to anyone from the public messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from offchain.federated.secure.terms import Position, Stage


class Charge(StrEnum):
    """What somebody is named for; each has one proof, the transcript."""

    NO_SUCH_MESSAGE = "posted a file that is no message of the stage"
    BAD_KEY = "posted an X25519 key of low order"
    BAD_COMMITMENTS = "left out a seed's commitment, or changed that of its self-mask"
    BAD_BOX = "sealed a box that does not hold the shares it committed to"
    INCONSISTENT_SHARES = "dealt shares that lie on no one polynomial"
    WRONG_SECRET = "dealt shares of another secret than it committed to"
    WRONG_SEED = "committed to another seed than the pair's keys give"
    INCOMPLETE_ANSWER = "left out a share that was asked for, or showed one that was not"
    WRONG_SHARE = "showed another share than it was dealt"
    FALSE_COMPLAINT = "complained about a box that is in order"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """`accused` did it, at `stage`; `about`: whose share, box or seed it is, the accused itself if nobody else's."""

    stage: Stage
    accused: Position
    charge: Charge
    about: Position

    def __str__(self) -> str:
        about = "" if self.about == self.accused else f" (member {self.about})"
        return f"member {self.accused} {self.charge.value}{about}"
