"""The only place that signs and sends transactions.

Every intent has the caller's idempotency key and is journalled with its nonce and signed transaction before it is
broadcast. Whatever happens afterwards (a crash, a dropped transaction, a node that is down, a reorganisation), the same
bytes, or a replacement with the same nonce, are sent again until one is final: so nothing is ever done twice, and
nothing is lost. Many intents are in flight at once, in the order of their nonces.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient
from offchain.chain.errors import ContractRejected
from offchain.chain.flights import Flights
from offchain.chain.journal import Intent, Journal, State
from offchain.chain.launcher import Fresh, Launcher, SendPolicy
from offchain.chain.sending import Call, Intended, Ticket
from offchain.chain.transactions import Receipt, Signer, as_call
from offchain.errors import Bug, Rejected, Retryable

logger = logging.getLogger(__name__)

__all__ = [
    "BOUNDARIES",
    "Boundary",
    "Call",
    "Intended",
    "SendPolicy",
    "Sender",
    "Ticket",
    "open_sender",
]

Boundary = Callable[[str], None]

BOUNDARIES = ("journal:intent", "broadcast", "journal:attempt", "journal:outcome", "done")
"""Called just before each write and send (and after the last): where a crash can fall between two effects."""


class Sender:
    """Signs and sends with one account on one chain. Thread-safe.

    `clock` (monotonic seconds) and `sleep` are injected; `boundary` is called with a name of `BOUNDARIES` before each
    write and send, for fault injection; `contract_name` names addresses in errors.
    """

    def __init__(
        self,
        client: ChainClient,
        account: Signer,
        journal: Journal,
        *,
        policy: SendPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        boundary: Boundary = lambda _name: None,
        contract_name: Callable[[str], str | None] = lambda _address: None,
    ) -> None:
        self.client = client
        self.policy = policy or SendPolicy()
        self.address = to_checksum_address(account.address)
        self._journal = journal
        self._clock = clock
        self._sleep = sleep
        self._boundary = boundary
        self._lock = threading.RLock()
        self._flights = Flights(
            client=client,
            account=account,
            journal=journal,
            resend_seconds=self.policy.resend_seconds,
            clock=clock,
            boundary=boundary,
            contract_name=contract_name,
        )
        self._launcher = Launcher(
            client=client,
            account=account,
            journal=journal,
            flights=self._flights,
            policy=self.policy,
            clock=clock,
            sleep=sleep,
            boundary=boundary,
            contract_name=contract_name,
        )

    # What callers use

    def submit(self, key: str, call: Call, *, gas: int | None = None) -> Ticket:
        """Journals the call under the caller's unique `key` and broadcasts it; does not wait for it to be mined.

        An intent with this key that exists already is returned as it is, whatever its outcome. `gas` is the gas limit;
        without it the node estimates. Raises, with nothing journalled, ContractRejected when the call would revert,
        Rejected when the account cannot pay, Retryable when the node is down; Bug when `key` was used for another call.
        """
        return self.submit_many([Intended(key, call, gas)])[0]

    def submit_many(self, calls: Sequence[Intended]) -> list[Ticket]:
        """Like `submit` for each of them in order, with one write to disk and one round trip where possible.

        When one of them raises, those before it may be on their way; submitting the same list again is safe.
        """
        with self._lock:
            if len({item.key for item in calls}) != len(calls):
                raise Bug("one idempotency key twice in one list")
            fresh = [entry for item in calls if (entry := self._fresh(item)) is not None]
            while fresh:
                launched = self._launcher.launch_prefix(fresh)
                fresh = fresh[launched:]
            return [self._ticket(item.key) for item in calls]

    def wait(self, ticket: Ticket, *, seconds: float | None = None) -> Receipt:
        """Waits until the intent is final by the network's policy; its receipt.

        Raises ContractRejected when it reverted, Rejected when another program used its nonce or the node refuses it
        for good reason, Retryable after `seconds` (the intent stays journalled and on its way).
        """
        limit = self.policy.wait_seconds if seconds is None else seconds
        deadline = self._clock() + limit
        trouble: Retryable | None = None
        while True:
            if not self._ended(ticket.key):
                try:
                    self.step()
                    trouble = None
                except Retryable as error:
                    logger.info("%s", error)
                    trouble = error
            receipt = self.outcome(ticket.key)
            if receipt is not None:
                self._boundary("done")
                return receipt
            if self._clock() >= deadline:
                detail = f" ({trouble})" if trouble else ""
                raise Retryable(
                    f"transaction {ticket.key} (nonce {ticket.nonce}) is not final after {limit:g} s{detail}; "
                    "it is journalled and stays on its way"
                )
            self._sleep(self.client.network.poll_seconds)

    def wait_all(self, tickets: Sequence[Ticket], *, seconds: float | None = None) -> list[Receipt]:
        """Waits for all of them; their receipts in order. Raises like `wait` for the first that failed."""
        return [self.wait(ticket, seconds=seconds) for ticket in tickets]

    def send(self, key: str, call: Call, *, gas: int | None = None, seconds: float | None = None) -> Receipt:
        """`submit` and `wait` in one."""
        return self.wait(self.submit(key, call, gas=gas), seconds=seconds)

    def step(self) -> None:
        """One look at the chain for everything in flight: finishes what is final, sends again what is lost or stuck.

        `wait` calls it; a worker that does not wait calls it now and then. Raises Retryable when the node is down.
        """
        with self._lock:
            self._flights.step()

    def recover(self) -> list[Ticket]:
        """After a start: sends everything unfinished again (harmless for what was sent before); what is on its way."""
        with self._lock:
            self._flights.reload()
            self._flights.step()
            return [Ticket(flight.intent.key, flight.intent.nonce) for flight in self._flights.all()]

    def outcome(self, key: str) -> Receipt | None:
        """The receipt of a final intent; None while it is on its way or unknown. Raises like `wait`."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                if flight.refusal is not None:
                    raise Rejected(
                        f"transaction {key}: the node refuses it ({flight.refusal}); "
                        f"mend that for account {self.address}, and it goes out by itself"
                    )
                return None
            intent = self._journal.intent(key)
        return None if intent is None else self._result(intent)

    def in_flight(self) -> int:
        """How many intents are not final yet."""
        with self._lock:
            return len(self._flights.all())

    def knows(self, key: str) -> bool:
        """Whether there is an intent with this key, whatever became of it."""
        return self.nonce_of(key) is not None

    def nonce_of(self, key: str) -> int | None:
        """Nonce of the intent with this key, if there is one."""
        with self._lock:
            intent = self._journal.intent(key)
            return None if intent is None else intent.nonce

    def next_nonce(self) -> int:
        """The nonce that the next new intent would have."""
        with self._lock:
            return self._launcher.next_nonce(self.client.nonce(self.address, "pending"))

    def close(self) -> None:
        """Closes the journal."""
        with self._lock:
            self._journal.close()

    # Results

    def _ended(self, key: str) -> bool:
        with self._lock:
            return self._flights.get(key) is None

    def _result(self, intent: Intent) -> Receipt | None:
        if intent.state is State.DONE:
            return intent.receipt
        if intent.state is State.REVERTED:
            contract, name = _error_name(intent.error or "")
            raise ContractRejected(f"{intent.call.label}: {intent.error}", contract, name, {})
        if intent.state is State.DISPLACED:
            raise Rejected(f"transaction {intent.key}: {intent.error}")
        return None

    def _ticket(self, key: str) -> Ticket:
        flight = self._flights.get(key)
        intent = self._journal.intent(key) if flight is None else flight.intent
        if intent is None:
            raise Bug(f"intent {key} was not journalled")
        return Ticket(key, intent.nonce)

    def _fresh(self, item: Intended) -> Fresh | None:
        """What has to be launched for `item`; None when that was done before."""
        call = as_call(item.call)
        intent = self._journal.intent(item.key)
        if intent is None:
            return Fresh(item.key, call, item.gas, displaced=False)
        if (intent.call.to, intent.call.data, intent.call.value) != (call.to, call.data, call.value):
            raise Bug(f"idempotency key {item.key} was used for another call ({intent.call.label})")
        # What was displaced can never be mined any more, so doing it under a new nonce does not do it twice.
        return Fresh(item.key, call, item.gas, displaced=True) if intent.state is State.DISPLACED else None


def open_sender(
    client: ChainClient,
    account: Signer,
    folder: Path,
    *,
    policy: SendPolicy | None = None,
    open_journal: Callable[..., Journal] = Journal.open,
    **injected: Any,
) -> Sender:
    """A sender whose journal lies in `folder`, named after chain and account, after recovery.

    A development chain that was started anew gets a new journal. `open_journal`: see `Journal.open`; whoever wants to
    watch what is journalled gives another. `injected`: see `Sender`. Raises Rejected when another
    process uses the journal, Retryable when the node is down.
    """
    address = to_checksum_address(account.address)
    genesis = client.genesis()
    path = journal_path(folder, client.chain_id, genesis, address)
    journal = open_journal(path, chain_id=client.chain_id, genesis=genesis, account=address)
    try:
        sender = Sender(client, account, journal, policy=policy, **injected)
        sender.recover()
    except BaseException:
        journal.close()  # or who tries again would be told that the key is in use, by itself
        raise
    return sender


def journal_path(folder: Path, chain_id: int, genesis: bytes, account: ChecksumAddress) -> Path:
    """Where the journal of an account on one chain lies."""
    return folder / f"{chain_id}-{genesis[:4].hex()}-{account}.sqlite"


def _error_name(error: str) -> tuple[str, str]:
    """Contract and name of a decoded error; empty when it is none of ours."""
    contract, dot, name = error.partition("(")[0].rpartition(".")
    return (contract, name) if dot and name.isidentifier() else ("", "")
