"""The application of the simulation: requests with account and nonce, each applied once; and ideal signatures."""

import hashlib
import struct
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field
from typing import Protocol

from offchain.errors import Rejected
from offchain.ledger.pbft.application import Application
from offchain.ledger.types import Digest, Millis, ReplicaId

HEAD = struct.Struct(">BI")
MAC = 16
APPLIED = b"applied"
OLD = b"old"


def _mac(kind: bytes, who: int, text: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(kind + struct.pack(">I", who) + text, key=secret, digest_size=MAC).digest()


class SimulatedLedger(Application, Protocol):
    """An application, and what the checker wants to know of it."""

    history: list["Step | Digest"]
    """What was done since the checker looked last: batches, and the digests of states that were restored."""

    @property
    def applied(self) -> int:
        """How many requests were applied."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What nobody can forge: the keys of clients and replicas. Adversaries are only handed signers of their own."""

    secret: bytes

    def request(self, account: int, nonce: int, body: bytes) -> bytes:
        """A request, signed by its client."""
        text = HEAD.pack(account, nonce) + body
        return text + _mac(b"client", account, text, self.secret)

    def is_valid(self, request: bytes) -> bool:
        """Whether a client signed it."""
        if len(request) < HEAD.size + MAC:
            return False
        text = request[:-MAC]
        return request[-MAC:] == _mac(b"client", text[0], text, self.secret)

    def ledger(self) -> "SimulatedLedger":
        """A new state."""
        return Register(self)

    def signer(self, replica: ReplicaId) -> "IdealSigner":
        """Signs for one replica."""
        return IdealSigner(self, replica)


@dataclass(frozen=True, slots=True)
class IdealSigner:
    """Signatures that only their owner makes and that everybody can check."""

    secrets: Secrets
    me: ReplicaId

    def sign(self, text: bytes) -> bytes:
        """Our signature."""
        return _mac(b"replica", self.me, text, self.secrets.secret)

    def verify(self, replica: ReplicaId, text: bytes, signature: bytes) -> bool:
        """Whether `replica` signed."""
        return signature == _mac(b"replica", replica, text, self.secrets.secret)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of `execute`, for the checker."""

    time: Millis
    requests: tuple[bytes, ...]
    results: tuple[bytes, ...]
    digest: Digest


@dataclass(slots=True)
class Register:
    """Which nonces of each account were applied, and the hash chain of all that happened."""

    secrets: Secrets
    head: bytes = bytes(32)
    nonces: dict[int, set[int]] = field(default_factory=dict)
    history: list[Step | Digest] = field(default_factory=list)
    """What was done since the checker looked last: batches, and the digests of states that were restored."""

    @property
    def applied(self) -> int:
        """How many requests were applied."""
        return sum(map(len, self.nonces.values()))

    def is_valid(self, request: bytes) -> bool:
        """Whether a client signed it."""
        return self.secrets.is_valid(request)

    def is_settled(self, request: bytes) -> bool:
        """Whether it was applied."""
        return self.has(request)

    def execute(self, time: Millis, requests: Sequence_[bytes]) -> list[bytes]:
        """Applies each once."""
        results = [self._apply(request) for request in requests]
        self.head = hashlib.sha256(b"".join((self.head, struct.pack(">Q", time), *requests, *results))).digest()
        self.history.append(Step(time, tuple(requests), tuple(results), self.digest()))
        return results

    def _apply(self, request: bytes) -> bytes:
        account, nonce = HEAD.unpack_from(request)
        seen = self.nonces.setdefault(account, set())
        if nonce in seen:
            return OLD
        seen.add(nonce)
        return APPLIED

    def digest(self) -> Digest:
        """Of the snapshot."""
        return Digest(hashlib.sha256(self.snapshot()).digest())

    def snapshot(self) -> bytes:
        """Hash chain, then (account, nonce) in order."""
        pairs = [HEAD.pack(account, nonce) for account in sorted(self.nonces) for nonce in sorted(self.nonces[account])]
        return self.head + b"".join(pairs)

    def restore(self, snapshot: bytes) -> None:
        """Replaces the state. Raises Rejected if it is no snapshot."""
        if len(snapshot) < 32 or (len(snapshot) - 32) % HEAD.size:
            raise Rejected("the snapshot is torn: fetch it again")
        nonces: dict[int, set[int]] = {}
        for account, nonce in HEAD.iter_unpack(snapshot[32:]):
            nonces.setdefault(account, set()).add(nonce)
        self.head, self.nonces = snapshot[:32], nonces
        self.history.append(self.digest())

    def has(self, request: bytes) -> bool:
        """Whether it was applied."""
        account, nonce = HEAD.unpack_from(request)
        return nonce in self.nonces.get(account, ())
