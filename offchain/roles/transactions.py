"""How a worker sends: once for each idempotency key, and again only when the chain has refused it for good."""

from dataclasses import dataclass

from offchain.chain.errors import ContractRejected
from offchain.chain.sending import Call, Sending
from offchain.chain.transactions import Receipt
from offchain.errors import Rejected

LOST_RACES = frozenset(
    {
        "AlreadyAsked",
        "AlreadyCandidate",
        "AlreadyClaimed",
        "AlreadyClosed",
        "AlreadyCommitted",
        "AlreadyConfirmed",
        "AlreadyDone",
        "AlreadyJoined",
        "AlreadyOpen",
        "AlreadyPaid",
        "AlreadyProposed",
        "AlreadyProven",
        "AlreadyRevealed",
        "AlreadySlashed",
        "BoundUntilRoundEnds",
        "CoveredByRoot",
        "DrawTooEarly",
        "EnoughParticipants",
        "EnoughRequests",
        "EpochNotOver",
        "NoSuchRoot",
        "NobodyCanLead",
        "NotACandidate",
        "NotContestable",
        "NotDisputable",
        "NotFailed",
        "NotIncluded",
        "NotLate",
        "NotLive",
        "NotOpen",
        "NotProposed",
        "NotRequested",
        "NotSlashable",
        "NotStalled",
        "NotTheEpoch",
        "NotTheLeader",
        "NotYourTurn",
        "NothingHeld",
        "NothingToAskFor",
        "ProofsNotOver",
        "StakeStillBound",
        "StillLive",
        "StillStanding",
        "Suspended",
        "TestAlreadyReleased",
        "ThresholdNotReached",
        "TooEarly",
        "TooFewColumns",
        "TooLate",
        "TooManyClaims",
        "TooManyValidators",
        "UnknownDispute",
        "UnknownGame",
        "UnknownRequest",
        "WindowClosed",
        "WindowOver",
        "WrongCycle",
        "WrongHistory",
        "WrongParent",
        "WrongPhase",
        "WrongPosting",
        "WrongProofPhase",
        "WrongSettledOtherwise",
        "WrongStage",
    }
)
"""Custom errors that say that somebody, or the clock, was faster: a normal outcome. The next look decides anew."""

MAX_ATTEMPTS = 4
"""How often a transaction that was mined and reverted is sent again before the worker gives it up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a transaction: `what` and `oid` as its key says; `receipt` is None when it reverted, then `error`."""

    key: str
    receipt: Receipt | None
    error: Rejected | None


class Transactions:
    """Sends with idempotency keys `WHAT:OID[:MORE]` and watches what becomes of them."""

    def __init__(self, sender: Sending) -> None:
        self._sender = sender
        self._watched: list[str] = []

    def send(self, key: str, call: Call) -> bool:
        """Sends `call` unless one with this key is on its way or done; whether it was sent now.

        A call that was mined and reverted is sent again under the key `KEY#2` and so on. Raises ContractRejected when
        it would revert now, Rejected when it has reverted MAX_ATTEMPTS times or the account cannot pay, Retryable when
        the node is down.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            name = key if attempt == 1 else f"{key}#{attempt}"
            try:
                receipt = self._sender.outcome(name)
            except ContractRejected:
                continue
            except Rejected:
                # Its nonce went to a stranger, and submitting gives it a new one; or the node refuses it, and it waits.
                self._sender.submit(name, call)
                return False
            if receipt is not None or self._sender.knows(name):
                return False
            self._sender.submit(name, call)
            self._watched.append(name)
            return True
        raise Rejected(f"transaction {key} was mined and reverted {MAX_ATTEMPTS} times")

    def is_under_way(self, key: str) -> bool:
        """Whether the transaction with this key was sent, and has not been refused by the chain."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            name = key if attempt == 1 else f"{key}#{attempt}"
            try:
                return self._sender.outcome(name) is not None or self._sender.knows(name)
            except ContractRejected:
                continue
            except Rejected:
                return True
        return False

    def is_done(self, key: str) -> bool:
        """Whether the transaction with this key is final and succeeded."""
        try:
            return self._sender.outcome(key) is not None
        except Rejected:
            return False

    def watch_all(self, keys: list[str]) -> None:
        """Watches transactions that a former process sent."""
        self._watched += keys

    @property
    def on_their_way(self) -> int:
        """How many are not final yet."""
        return len(self._watched)

    def finished(self) -> list[Outcome]:
        """Looks at the chain; those that have ended since the last call. Raises Retryable when the node is down."""
        if not self._watched:
            return []
        self._sender.step()
        ends: list[Outcome] = []
        for key in list(self._watched):
            end = self._end(key)
            if end is not None:
                self._watched.remove(key)
                ends.append(end)
        return ends

    def _end(self, key: str) -> Outcome | None:
        try:
            receipt = self._sender.outcome(key)
        except Rejected as error:
            return Outcome(key, None, error)
        return None if receipt is None else Outcome(key, receipt, None)
