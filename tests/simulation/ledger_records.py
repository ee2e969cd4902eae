"""The real application of the ledger under the simulator: signed orders, claims and nodes in place of a register."""

from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field
from functools import lru_cache

from coincurve import PrivateKey

from offchain.ledger.records.application import Outcome, RecordsApplication, RecordsConfig
from offchain.ledger.records.bodies import Account, Body, Claim, Node, Order, Role
from offchain.ledger.records.request import Domain, address_of, sign
from offchain.ledger.types import Digest, Millis
from tests.simulation.ledger_register import APPLIED, OLD, Secrets, Step
from tests.simulation.ledger_time import EPOCH

DOMAIN = Domain(31_337, Account(bytes(range(20))))
START = EPOCH // 1_000
FIRST_NONCE = 1_000_000


@lru_cache
def key_of(account: int) -> PrivateKey:
    """A client's key."""
    return PrivateKey.from_int(account + 1)


def body_of(account: int, nonce: int) -> Body:
    """Orders whose windows end while the run goes on, claims for them in time or too late, and nodes."""
    if nonce % 3 == 0:
        t0, t1, t2, t3, t4 = (START - 10 + 5 * end for end in range(5))
        return Order(nonce % 7, 10**18, "classification", t0, t1, t2, t3, t4, f"link {nonce}")
    if nonce % 3 == 1:
        return Claim(nonce % 7, Account(address_of(key_of(account).public_key)), nonce.to_bytes(32))
    return Node(Role.PROVIDER, f"{nonce} GPUs", f"https://node{nonce}.example")


@dataclass(frozen=True, slots=True)
class RecordsSecrets(Secrets):
    """Clients sign with their keys."""

    def request(self, account: int, nonce: int, body: bytes) -> bytes:
        """A signed message; what it says follows from its number."""
        return sign(DOMAIN, key_of(account), FIRST_NONCE + nonce, body_of(account, nonce)).encode()

    def ledger(self) -> "RecordsLedger":
        """A new state."""
        return RecordsLedger()


@dataclass(slots=True)
class RecordsLedger:
    """The application, and what the checker wants to know of it; see `Register`."""

    application: RecordsApplication = field(
        default_factory=lambda: RecordsApplication(RecordsConfig(DOMAIN, frozenset()))
    )
    history: list[Step | Digest] = field(default_factory=list)

    @property
    def applied(self) -> int:
        """How many requests were executed."""
        return sum(len(window.nonces) for window in self.application.state.nonces.windows.values())

    def is_valid(self, request: bytes) -> bool:
        """See `RecordsApplication`."""
        return self.application.is_valid(request)

    def is_settled(self, request: bytes) -> bool:
        """See `RecordsApplication`."""
        return self.application.is_settled(request)

    def execute(self, time: Millis, requests: Sequence_[bytes]) -> list[bytes]:
        """See `RecordsApplication`; the results say in the checker's words whether it was the first time."""
        outcomes = [Outcome.decode(result) for result in self.application.execute(time, requests)]
        results = [(OLD if outcome.is_repeated else APPLIED) for outcome in outcomes]
        self.history.append(Step(time, tuple(requests), tuple(results), self.digest()))
        return results

    def digest(self) -> Digest:
        """The Merkle root."""
        return self.application.digest()

    def snapshot(self) -> bytes:
        """See `RecordsApplication`."""
        return self.application.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """See `RecordsApplication`. Raises Rejected."""
        self.application.restore(snapshot)
        self.history.append(self.digest())
