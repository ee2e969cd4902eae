"""What roles need of whoever sends for them: a `Sender`, or an outbox that lets a wallet sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from eth_typing import ChecksumAddress
from web3.contract.contract import ContractConstructor, ContractFunction

from offchain.chain.transactions import Receipt, TxCall

Call = ContractFunction | ContractConstructor | TxCall


@dataclass(frozen=True, slots=True)
class Ticket:
    """An intent that is on disk: it will be done. `nonce` is the one it has now; None: a wallet gives it one."""

    key: str
    nonce: int | None


@dataclass(frozen=True, slots=True)
class Intended:
    """One call for `submit_many`; see `Sender.submit`."""

    key: str
    call: Call
    gas: int | None = None


class Sending(Protocol):
    """See `Sender`, whose methods these are: they raise what its do."""

    @property
    def address(self) -> ChecksumAddress:
        """The account."""

    def submit(self, key: str, call: Call, *, gas: int | None = None) -> Ticket:
        """Journals a call under the caller's unique `key`; it is on its way then."""

    def submit_many(self, calls: Sequence[Intended]) -> list[Ticket]:
        """Like `submit` for each of them in order."""

    def wait(self, ticket: Ticket, *, seconds: float | None = None) -> Receipt:
        """Waits until the intent is final; its receipt."""

    def wait_all(self, tickets: Sequence[Ticket], *, seconds: float | None = None) -> list[Receipt]:
        """Waits for all of them."""

    def send(self, key: str, call: Call, *, gas: int | None = None, seconds: float | None = None) -> Receipt:
        """`submit` and `wait` in one."""

    def step(self) -> None:
        """One look at the chain for everything that is on its way."""

    def recover(self) -> list[Ticket]:
        """After a start: what is on its way."""

    def outcome(self, key: str) -> Receipt | None:
        """The receipt of a final intent; None while it is on its way or unknown."""

    def knows(self, key: str) -> bool:
        """Whether there is an intent with this key, whatever became of it."""

    def in_flight(self) -> int:
        """How many intents are not final yet."""

    def close(self) -> None:
        """Lets go of the journal."""
