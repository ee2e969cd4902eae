"""The records as the replicated application (`pbft/application.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.errors import Rejected
from offchain.ledger.records.bodies import Account, RewardProposal
from offchain.ledger.records.encoding import decode_body
from offchain.ledger.records.nonces import Nonces
from offchain.ledger.records.request import Domain, Parsed, Request, check_request, parse_request
from offchain.ledger.records.results import Result
from offchain.ledger.records.rules import apply
from offchain.ledger.records.snapshot import decode_state, encode_state
from offchain.ledger.records.state import Limits, Record, State
from offchain.ledger.types import Digest, Millis


@dataclass(frozen=True, slots=True)
class RecordsConfig:
    """What all replicas of a ledger agree on. `members`: who may propose reward roots."""

    domain: Domain
    members: frozenset[Account]
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request's result as `execute` gives it. `is_repeated`: it was executed before, and this is what came of it."""

    result: Result
    is_repeated: bool = False

    def encode(self) -> bytes:
        """Two bytes."""
        return bytes((self.result, self.is_repeated))

    @classmethod
    def decode(cls, data: bytes) -> "Outcome":
        """Inverse of `encode`. Raises Rejected."""
        if len(data) != 2 or data[1] > 1:
            raise Rejected(f"{data[:8].hex()}: no outcome of a request")
        return cls(Result.decode(data[:1]), data[1] == 1)


PLACES = 128
"""Attempts of a batch: more than there are members. An attempt is `PLACES` times the batch's sequence number, plus the
proposal's place among those that the batch accepted, from 0."""

REMEMBERED = 16_384
"""Requests whose checks are remembered until they are executed: some see them twice, and all parse them again."""


class RecordsApplication:
    """Implements `Application`. `state` is for reading; only `execute` and `restore` change it."""

    def __init__(self, config: RecordsConfig) -> None:
        self.config = config
        self.state = State(config.domain, config.limits, Nonces(config.limits.accounts, members=config.members))
        self._checked: dict[bytes, Parsed] = {}

    def is_valid(self, request: bytes) -> bool:
        """Whether it is a request in its one encoding, signed by its account for this ledger."""
        try:
            self.check(request)
        except Rejected:
            return False
        return True

    def check(self, request: bytes) -> Parsed:
        """What a valid request says. Raises Rejected, in words, when it is not valid."""
        parsed = self._checked.get(request)
        if parsed is None:
            parsed = check_request(self.config.domain, request)
            if len(self._checked) >= REMEMBERED:
                del self._checked[next(iter(self._checked))]
            self._checked[request] = parsed
        return parsed

    def is_settled(self, request: bytes) -> bool:
        """Whether its nonce is used, or too old to be used ever."""
        record = Record.of(self.state.time, self.check(request))
        return self.state.nonces.find(record.account, record.nonce, record.digest) is not None

    def execute(self, time: Millis, requests: Sequence[bytes]) -> list[bytes]:
        """An `Outcome` for each valid request of one batch. Of each member's reward proposals the first is accepted."""
        self.state.advance(time)
        proposers: set[Account] = set()
        results = []
        for raw in requests:
            parsed = self._checked.pop(raw, None) or parse_request(self.config.domain, raw)
            record = Record.of(self.state.time, parsed)
            outcome = self._execute(record, proposers)
            results.append(outcome.encode())
        self.state.nonces.trim()
        return results

    def digest(self) -> Digest:
        """Merkle root of the state."""
        return self.state.root

    def snapshot(self) -> bytes:
        """The whole state."""
        return encode_state(self.state)

    def restore(self, snapshot: bytes) -> None:
        """Replaces the state. Raises Rejected if it is no snapshot, and then leaves the state alone."""
        self.state = decode_state(snapshot, self.config.domain, self.config.limits, self.config.members)

    def _execute(self, record: Record, proposers: set[Account]) -> Outcome:
        nonces, account, nonce = self.state.nonces, record.account, record.nonce
        if nonce > (self.state.time + self.config.limits.nonce_lead * 1_000) * 1_000:
            return Outcome(Result.AHEAD)
        known = nonces.find(account, nonce, record.digest)
        if known is not None:
            return Outcome(known, is_repeated=True)
        result = (
            self._propose(record, proposers) if isinstance(record.body, RewardProposal) else apply(self.state, record)
        )
        nonces.add(account, nonce, record.digest, result)
        return Outcome(result)

    def _propose(self, record: Record, proposers: set[Account]) -> Result:
        if record.account not in self.config.members:
            return Result.NOT_A_MEMBER
        if record.account in proposers:
            return Result.SECOND_PROPOSAL
        proposers.add(record.account)
        self.state.put_proposal(record)
        return Result.ACCEPTED


def accepted_proposals(
    sequence: int, requests: Sequence[bytes], results: Sequence[bytes]
) -> list[tuple[int, Account, RewardProposal]]:
    """The reward proposals that count, given what the batch's `Executed` says: the attempt, who made it, what it is.

    One of each member, so that nobody keeps out another's by having its own first in every batch.
    """
    found: list[tuple[int, Account, RewardProposal]] = []
    for raw, result in zip(requests, results, strict=True):
        if Outcome.decode(result) == Outcome(Result.ACCEPTED):
            request = Request.decode(raw)
            body = decode_body(request.body)
            if isinstance(body, RewardProposal):
                found.append((sequence * PLACES + len(found), request.account, body))
    return found
