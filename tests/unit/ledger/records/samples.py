"""Accounts, orders and strategies for the tests of the records."""

from coincurve import PrivateKey
from hypothesis import strategies as st

from offchain.ledger.records.application import Outcome, RecordsApplication, RecordsConfig
from offchain.ledger.records.bodies import (
    Account,
    Body,
    Challenge,
    Claim,
    Model,
    Node,
    Order,
    RewardProposal,
    Role,
    Validation,
)
from offchain.ledger.records.request import Domain, Request, address_of, sign
from offchain.ledger.records.results import Result
from offchain.ledger.records.state import Limits
from offchain.ledger.types import Millis

DOMAIN = Domain(31_337, Account(bytes(range(20))))
KEYS = tuple(PrivateKey.from_int(number) for number in range(1, 9))
ACCOUNTS = tuple(address_of(key.public_key) for key in KEYS)
CLIENT, PROVIDER, VALIDATOR, VERIFIER = range(4)
MEMBERS = frozenset(ACCOUNTS[6:])
START = 1_800_000_000
"""When the sample order begins; each of its windows lasts 1,000 s."""

MID = bytes([7]) * 32
TRAINING, REVEAL, VALIDATION, CHALLENGE, OVER = (Millis((START + 1_000 * phase + 500) * 1_000) for phase in range(5))


def application(limits: Limits | None = None) -> RecordsApplication:
    """A new ledger."""
    return RecordsApplication(RecordsConfig(DOMAIN, MEMBERS, limits or Limits()))


def order(oid: int = 1, link: str = "bafy-data") -> Order:
    """An order that begins at START."""
    t0, t1, t2, t3, t4 = (START + 1_000 * end for end in range(5))
    return Order(oid, 10**18, "classification", t0, t1, t2, t3, t4, link)


def claim(oid: int = 1, commitment: bytes = bytes(32)) -> Claim:
    return Claim(oid, ACCOUNTS[CLIENT], commitment)


def model(oid: int = 1, mid: bytes = MID, link: str = "bafy-model") -> Model:
    return Model(oid, ACCOUNTS[CLIENT], mid, link)


def validation(oid: int = 1, mid: bytes = MID, score: int = 90) -> Validation:
    return Validation(oid, ACCOUNTS[CLIENT], mid, score, 10**18)


class Ledger:
    """A ledger with accounts that sign, each with the next nonce."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.app = application(limits)
        self.nonce = 0

    def request(self, who: int, body: Body, nonce: int | None = None) -> bytes:
        self.nonce += 1
        return sign(DOMAIN, KEYS[who], self.nonce if nonce is None else nonce, body).encode()

    def run(self, time: Millis, *requests: bytes) -> list[Result]:
        return [Outcome.decode(result).result for result in self.app.execute(time, requests)]

    def say(self, time: Millis, who: int, body: Body, nonce: int | None = None) -> Result:
        (result,) = self.run(time, self.request(who, body, nonce))
        return result

    def filled(self) -> "Ledger":
        """With one order whose challenge window is open, and a record of every kind."""
        accepted = [
            self.say(TRAINING, CLIENT, order()),
            self.say(TRAINING, PROVIDER, claim()),
            self.say(REVEAL, PROVIDER, model()),
            self.say(VALIDATION, VALIDATOR, validation()),
            self.say(CHALLENGE, VERIFIER, Challenge(self.vid, 5)),
            self.say(CHALLENGE, PROVIDER, Node(Role.PROVIDER, "2 cores", "http://127.0.0.1:1")),
            self.say(CHALLENGE, 6, RewardProposal(bytes(120))),
        ]
        assert set(accepted) == {Result.ACCEPTED}
        return self

    @property
    def vid(self) -> bytes:
        """Of the sample order's first validation."""
        (entry,) = self.app.state.orders.values()
        (key,) = (key for key in entry.records if key[0] == 4)
        return entry.records[key].digest


_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=64)
_hash = st.binary(min_size=32, max_size=32)
_account = st.binary(min_size=20, max_size=20).map(Account)
_u64 = st.integers(0, 2**64 - 1)
_u128 = st.integers(0, 2**128 - 1)

BODIES: st.SearchStrategy[Body] = st.one_of(
    st.builds(Order, _u64, _u128, _text, _u64, _u64, _u64, _u64, _u64, _text),
    st.builds(Claim, _u64, _account, _hash),
    st.builds(Model, _u64, _account, _hash, _text),
    st.builds(Validation, _u64, _account, _hash, st.integers(-(2**63), 2**63 - 1), _u128),
    st.builds(Challenge, _hash, _u128),
    st.builds(Node, st.sampled_from(Role), _text, _text),
    st.builds(RewardProposal, st.binary(min_size=120, max_size=120)),
)

REQUESTS = st.builds(
    lambda account, nonce, body, signature: Request(account, nonce, body, signature),
    _account,
    _u64,
    st.binary(min_size=1, max_size=200),
    st.binary(min_size=65, max_size=65),
)
