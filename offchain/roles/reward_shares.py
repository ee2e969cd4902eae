"""Members' signatures of reward roots as they come in: who signed what, when that makes a certificate, who signed two.

Pure. What anybody sends is bounded: so many attempts of each member, and one statement in each but for a second that
convicts.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.errors import Rejected
from offchain.protocol.reward_root import BODY_BYTES, SIGNATURE_BYTES, RewardRoot, recover

SHARE_BYTES = BODY_BYTES + 8 + SIGNATURE_BYTES
KEPT = 64
"""Attempts of one member that are remembered."""


@dataclass(frozen=True, slots=True)
class Share:
    """One member's signature (64 bytes, EIP-2098) of a statement."""

    statement: RewardRoot
    signature: bytes

    def encode(self) -> bytes:
        """The statement's body, its attempt (8 bytes), the signature."""
        return self.statement.body + self.statement.attempt.to_bytes(8, "big") + self.signature

    @classmethod
    def decode(cls, data: bytes) -> "Share":
        """Inverse of `encode`. Raises Rejected when it has another length."""
        if len(data) != SHARE_BYTES:
            raise Rejected(f"a share has {SHARE_BYTES} bytes, this one {len(data)}")
        attempt = int.from_bytes(data[BODY_BYTES : BODY_BYTES + 8], "big")
        return cls(RewardRoot.from_body(data[:BODY_BYTES], attempt), data[BODY_BYTES + 8 :])


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two statements of one epoch and attempt with one member's signatures under both."""

    signer: ChecksumAddress
    first: Share
    second: Share


@dataclass(frozen=True, slots=True)
class Certificate:
    """A statement with at least k members' signatures by signer."""

    statement: RewardRoot
    signatures: dict[ChecksumAddress, bytes]


class Shares:
    """What has come in for the EIP-712 `domain`, of members whoever they are told to be."""

    def __init__(self, domain: bytes) -> None:
        self._domain = domain
        self._by_signer: dict[ChecksumAddress, OrderedDict[tuple[int, int], Share]] = {}
        self._convicted: OrderedDict[tuple[ChecksumAddress, int], Equivocation] = OrderedDict()

    def add(self, share: Share, members: Sequence[ChecksumAddress]) -> ChecksumAddress | None:
        """Takes a share; who signed it, or None, and nothing has changed, when no one of `members` did.

        `members`: those of the statement's epoch.
        """
        signer = recover(share.statement.digest(self._domain), share.signature)
        if signer is None or signer not in members:
            return None
        attempts = self._by_signer.setdefault(signer, OrderedDict())
        place = (share.statement.epoch, share.statement.attempt)
        known = attempts.setdefault(place, share)
        if known.statement != share.statement:
            # By epoch: who was slashed once can sit again.
            self._convicted.setdefault((signer, share.statement.epoch), Equivocation(signer, known, share))
            while len(self._convicted) > KEPT * 4:
                self._convicted.popitem(last=False)
        while len(attempts) > KEPT:
            attempts.popitem(last=False)
        return signer

    def of(self, statement: RewardRoot) -> dict[ChecksumAddress, bytes]:
        """The signatures of exactly this statement, by signer."""
        place = (statement.epoch, statement.attempt)
        found = ((signer, attempts.get(place)) for signer, attempts in self._by_signer.items())
        return {signer: share.signature for signer, share in found if share and share.statement == statement}

    def certificate(self, statement: RewardRoot, threshold: int) -> Certificate | None:
        """The certificate of a statement, once `threshold` members have signed it.

        It has no more signatures than that: the contract would check, and the poster pay for, each of them.
        """
        signatures = self.of(statement)
        if len(signatures) < threshold:
            return None
        return Certificate(statement, dict(sorted(signatures.items())[:threshold]))

    @property
    def equivocations(self) -> tuple[Equivocation, ...]:
        """One for each member and epoch in which it was caught, the latest."""
        return tuple(self._convicted.values())
