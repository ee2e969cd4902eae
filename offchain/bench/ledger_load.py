"""What the ledger is given to do: signed requests of many accounts, made beforehand."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from coincurve import PrivateKey

from offchain.bench.ledger_process import HEAD_BYTES
from offchain.ledger.records.bodies import Account, Body, Claim, Model, Order, Validation
from offchain.ledger.records.request import Domain, address_of, sign

SECONDS = 1_000_000
"""Nonces are microseconds."""
_SETTING_UP = 30
"""Seconds that training and reveal still run; within the ledger's leeway validators may score already."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A row of the paper's Table 4. `size`: the bytes that it states."""

    orders: int
    validations: int
    size: int

    def __str__(self) -> str:
        return f"{self.orders} order{'s' * (self.orders > 1)}, {self.validations} validations"


PAYLOADS = (
    Payload(1, 10, 3_432),
    Payload(1, 50, 15_412),
    Payload(1, 100, 30_512),
    Payload(10, 50, 15_640),
    Payload(10, 100, 30_740),
)


class Signers:
    """Accounts with keys from a seed, and nonces that grow."""

    def __init__(self, domain: Domain, count: int, seed: int) -> None:
        self._domain = domain
        self._keys = [PrivateKey(sha256(f"bench {seed} {index}".encode()).digest()) for index in range(count)]
        self.accounts = [address_of(key.public_key) for key in self._keys]
        # An hour back: far more of them than microseconds pass are never ahead of the clock.
        self._nonce = time.time_ns() // 1_000 - 3_600 * SECONDS

    def request(self, signer: int, body: Body) -> bytes:
        """A record of account number `signer`."""
        return sign(self._domain, self._keys[signer], self._next(), body).encode()

    def load(self, signer: int, size: int) -> bytes:
        """`size` bytes that are signed once."""
        account, nonce = self.accounts[signer], self._next()
        body = sha256(nonce.to_bytes(8, "big")).digest() * (size // 32 + 1)
        body = body[: size - HEAD_BYTES]
        signature = self._keys[signer].sign_recoverable(self._domain.digest(account, nonce, body), hasher=None)
        return account + nonce.to_bytes(8, "big") + signature[:64] + bytes((signature[64] + 27,)) + body

    def _next(self) -> int:
        self._nonce += 1
        return self._nonce


class Market:
    """Orders that are open, each with a model that can be scored; account 0 is the client, 1 the provider."""

    def __init__(self, signers: Signers, orders: int) -> None:
        self._signers = signers
        self._orders = 0
        self._scored = 0
        self._open = orders
        self.client: Account = signers.accounts[0]

    def setup(self) -> list[bytes]:
        """Orders, claims and models, in the order in which they have to be executed."""
        return [request for oid in range(1, self._open + 1) for request in self._opened(oid)]

    def validations(self, count: int) -> list[bytes]:
        """Scores that no account has given before: the accounts in turn, order by order."""
        validators = range(2, len(self._signers.accounts))
        made = []
        for number in range(self._scored, self._scored + count):
            oid, signer = 1 + number // len(validators), validators[number % len(validators)]
            body = Validation(oid, self.client, _model_of(oid), 900 + number % 100, 10**18)
            made.append(self._signers.request(signer, body))
        self._scored += count
        return made

    def orders(self, count: int) -> list[bytes]:
        """Further orders."""
        first = self._open + self._orders + 1
        self._orders += count
        return [self._order(oid) for oid in range(first, first + count)]

    def _opened(self, oid: int) -> list[bytes]:
        commitment = sha256(_model_of(oid)).digest()
        return [
            self._order(oid),
            self._signers.request(1, Claim(oid, self.client, commitment)),
            self._signers.request(1, Model(oid, self.client, _model_of(oid), "ipfs://bafybench")),
        ]

    def _order(self, oid: int) -> bytes:
        now = int(time.time())
        soon, later = now + _SETTING_UP, now + 86_400
        return self._signers.request(
            0, Order(oid, 10**20, "classifier", now, soon, soon, later, later + 3_600, "ipfs://bafybench" + "b" * 14)
        )


def needed_orders(transactions: int, accounts: int) -> int:
    """Orders that must be open for so many validations."""
    return -(-transactions // (accounts - 2)) + 1


def dealt(requests: Sequence[bytes], replicas: int) -> list[list[bytes]]:
    """To the replicas in turn by account, so that one replica gets all of an account, in order."""
    shares: list[list[bytes]] = [[] for _ in range(replicas)]
    places: dict[bytes, int] = {}
    for request in requests:
        place = places.setdefault(request[:20], len(places) % replicas)
        shares[place].append(request)
    return shares


def _model_of(oid: int) -> bytes:
    return sha256(f"model {oid}".encode()).digest()
