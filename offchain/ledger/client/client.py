"""A participant's client of the ledger: submits, and reads what f + 1 replicas say alike.

Every record that comes back was signed by its account: that is checked here. So f + 1 faulty replicas could hide
things, or show what has been replaced, but make nothing up.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic, time_ns
from types import TracebackType
from typing import Self, TypeVar

from coincurve import PrivateKey

from offchain.errors import AssayError, Rejected, Retryable
from offchain.ledger.api import schema
from offchain.ledger.client.agreement import HEDGE_SECONDS, PAUSE_SECONDS, Ballot, Electorate
from offchain.ledger.client.checks import check_all, check_proof, records_of
from offchain.ledger.client.http import Http, Refusal, checked_url
from offchain.ledger.membership import parse_address
from offchain.ledger.records.bodies import Body
from offchain.ledger.records.request import Domain, Request, sign

Out = TypeVar("Out", bound=schema.Json)
ANSWER_SECONDS = 10.0
ORDER_SECONDS = 4.0
"""How long one replica may take to have a request executed before another is asked to."""
CONFIRM_SECONDS = 2.0
"""How long another replica may take to have executed what the first one has."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replica says of itself, or why it said nothing."""

    url: str
    status: schema.StatusOut | None
    state: schema.StateOut | None
    error: str | None


class LedgerClient:
    """Talks to the replicas at `urls`. Methods raise Retryable when too few answer alike within `seconds`."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        faulty: int | None = None,
        domain: Domain | None = None,
        key: PrivateKey | None = None,
        seconds: float = 30.0,
        rng: random.Random | None = None,
        clock: Callable[[], int] = time_ns,
    ) -> None:
        """`faulty`: f, by default that of a group of as many replicas as there are URLs, so a single URL is believed.

        `domain`: what requests are signed for, by default what the replicas say. `key`: who submits.
        Raises Rejected for what is no URL, or too few of them.
        """
        self.urls = tuple(dict.fromkeys(checked_url(url) for url in urls))
        faulty = (len(self.urls) - 1) // 3 if faulty is None else faulty
        if len(self.urls) <= faulty:
            raise Rejected(f"{len(self.urls)} replicas: {faulty + 1} must say the same; name more of them")
        self._domain = domain
        self._key = key
        self._seconds = seconds
        self._clock = clock
        self._nonce = 0
        self._http = Http(min(seconds, ANSWER_SECONDS))
        self._executor = ThreadPoolExecutor(min(32, 2 * len(self.urls) + 2), thread_name_prefix="ledger-client")
        self._replicas = Electorate(self.urls, faulty + 1, self._executor, rng or random.Random())

    def close(self) -> None:
        """Closes all connections."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Writing

    @property
    def domain(self) -> Domain:
        """What requests are signed for."""
        if self._domain is None:
            about = self.about()
            self._domain = Domain(about.chain_id, parse_address(about.committee))
        return self._domain

    def signed(self, bodies: Sequence[Body]) -> list[Request]:
        """Requests of our key with nonces of the present time. Raises Rejected when there is no key."""
        if self._key is None:
            raise Rejected("no key to sign with; give one")
        requests = []
        for body in bodies:
            self._nonce = max(self._nonce + 1, self._clock() // 1_000)
            requests.append(sign(self.domain, self._key, self._nonce, body))
        return requests

    def submit(self, bodies: Sequence[Body]) -> list[schema.ReceiptOut]:
        """Signs and submits; see `submit_signed`."""
        return self.submit_signed(self.signed(bodies))

    def submit_signed(self, requests: Sequence[Request]) -> list[schema.ReceiptOut]:
        """Has requests ordered, at most `MAX_MESSAGES`; receipts that f + 1 replicas confirm, in order.

        Tries one replica after the other: a request is executed once however many get it. Raises Rejected when f + 1
        refuse them, Retryable when there was no agreement in time; then they may have been executed all the same, and
        submitting the same requests again tells.
        """
        messages = schema.Messages(messages=["0x" + request.encode().hex() for request in requests])
        digests = ["0x" + request.digest(self.domain).hex() for request in requests]
        until, refusals = monotonic() + self._seconds, Ballot[Refusal](self._replicas.enough)
        while True:
            for url in self._replicas.shuffled():
                found = self._submit_at(url, messages, digests, refusals, until)
                if found is not None:
                    return found
                if monotonic() >= until:
                    raise refusals.lament(len(self.urls))
            if monotonic() + PAUSE_SECONDS >= until:
                raise refusals.lament(len(self.urls))

    def _submit_at(
        self, url: str, messages: schema.Messages, digests: list[str], refusals: Ballot[Refusal], until: float
    ) -> list[schema.ReceiptOut] | None:
        wait = max(0.1, min(ORDER_SECONDS, until - monotonic()))
        try:
            answer = self._http.post(schema.Receipts, f"{url}/messages", messages, wait=wait)
            if isinstance(answer, Refusal):
                if refusals.add(url, answer) is not None:
                    raise Rejected(answer.error)
                return None
        except Retryable as error:
            refusals.failed[url] = str(error)
            return None
        try:
            return self._confirmed(digests, until)
        except Retryable:
            refusals.failed[url] = f"{url}: took it, but too few replicas have executed it in time"
            return None

    def _confirmed(self, digests: list[str], until: float) -> list[schema.ReceiptOut]:
        """What f + 1 replicas say became of the requests."""
        query = schema.Digests(digests=digests)

        def ask(url: str) -> tuple[schema.ReceiptOut, ...]:
            answer = self._http.post(schema.Receipts, f"{url}/receipts", query, wait=CONFIRM_SECONDS)
            if isinstance(answer, Refusal):
                raise Retryable(f"{url}: {answer.error}")
            receipts = tuple(answer.receipts)
            if [receipt.digest for receipt in receipts] != digests or any(r.status == "pending" for r in receipts):
                raise Retryable(f"{url}: has not executed it yet")
            return receipts

        def ask_what(url: str) -> tuple[schema.ReceiptOut, ...]:
            """Without when: a replica that was started since knows only the repetition."""
            return tuple(r.model_copy(update=dict.fromkeys(("sequence", "time", "repeated"))) for r in ask(url))

        seconds, patience = max(CONFIRM_SECONDS, until - monotonic()), CONFIRM_SECONDS + HEDGE_SECONDS
        try:
            return list(self._replicas.agree(ask, seconds=seconds, rounds=2, patience=patience))
        except Retryable:
            return list(self._replicas.agree(ask_what, seconds=seconds, rounds=1, patience=patience))

    # Reading

    def about(self) -> schema.About:
        """What to sign for, and the members."""
        return self._read(schema.About, "/about")

    def orders(self, *, phase: str | None = None, client: str | None = None, limit: int = 100) -> list[schema.OrderOut]:
        """FetchOrders: the best paid per second of training first."""
        found: list[schema.OrderOut] = []
        after: str | None = None
        while len(found) < limit:
            size = str(min(limit - len(found), schema.MAX_PAGE))
            page = self._read(schema.Orders, "/orders", phase=phase, client=client, limit=size, after=after)
            check_all(self.domain, page.orders)
            found += page.orders
            after = page.next
            if after is None:
                break
        return found

    def cycles(self, oid: int, *, client: str | None = None) -> list[schema.CycleOut]:
        """Orders with a number, one for each client that has put it, with all that was said about them."""
        cycles = self._read(schema.Cycles, f"/orders/{oid}", client=client).cycles
        for cycle in cycles:
            check_all(self.domain, records_of(cycle))
        return cycles

    def validations(self, oid: int, *, client: str | None = None, mid: str | None = None) -> list[schema.ValidationOut]:
        """FetchValidations."""
        found = self._read(schema.Validations, f"/orders/{oid}/validations", client=client, mid=mid).validations
        check_all(self.domain, found)
        return found

    def models(self, mid: str) -> list[schema.ModelOut]:
        """Get: who has shown a model, and where it is."""
        found = self._read(schema.Models, f"/models/{mid}").models
        check_all(self.domain, found)
        return found

    def nodes(self, *, role: str | None = None, limit: int = 100) -> list[schema.NodeOut]:
        """What participants say of themselves."""
        found: list[schema.NodeOut] = []
        after: str | None = None
        while len(found) < limit:
            size = str(min(limit - len(found), schema.MAX_PAGE))
            page = self._read(schema.Nodes, "/nodes", role=role, limit=size, after=after)
            check_all(self.domain, page.nodes)
            found += page.nodes
            after = page.next
            if after is None:
                break
        return found

    def rewards(self) -> schema.Rewards:
        """The latest reward proposal."""
        found = self._read(schema.Rewards, "/rewards")
        check_all(self.domain, [found.proposal] if found.proposal else [])
        return found

    def proven(self, oid: int, client: str, record: schema.RecordOut) -> schema.ProofOut:
        """A proof from one replica that the record stands on the ledger, against a root that f + 1 replicas vouch for.

        The ledger moves on, so under load this may take some tries.
        """

        def ask(url: str) -> tuple[int, str]:
            state = self._one(url, schema.StateOut, "/state")
            return state.sequence, state.root

        until, last = monotonic() + self._seconds, Retryable("no replica answered")
        while monotonic() < until:
            url = self._replicas.shuffled()[0]
            try:
                proof = self._one(url, schema.ProofOut, f"/proofs/orders/{oid}/{client}", record=record.id)
                check_proof(proof, record)
                if self._replicas.agree(ask, seconds=CONFIRM_SECONDS) == (proof.sequence, proof.root):
                    return proof
                last = Retryable("the ledger moved on while the proof was checked; try again")
            except Rejected as error:
                last = Retryable(f"{url}: {error}")
            except Retryable as error:
                last = error
        raise last

    def survey(self) -> list[Replica]:
        """What each replica says of itself, believed or not, in the order of the URLs."""
        return list(self._executor.map(self._look, self.urls))

    def _look(self, url: str) -> Replica:
        try:
            status = self._one(url, schema.StatusOut, "/status")
            return Replica(url, status, self._one(url, schema.StateOut, "/state"), None)
        except AssayError as error:
            return Replica(url, None, None, str(error))

    def _read(self, kind: type[Out], path: str, **params: str | None) -> Out:
        """What f + 1 replicas answer. Raises Rejected when that is a refusal."""
        found = self._replicas.agree(lambda url: self._get(url, kind, path, params), seconds=self._seconds)
        if isinstance(found, Refusal):
            raise Rejected(found.error)
        return found

    def _one(self, url: str, kind: type[Out], path: str, **params: str | None) -> Out:
        """What one replica answers. Raises Rejected when that is a refusal."""
        found = self._get(url, kind, path, params)
        if isinstance(found, Refusal):
            raise Rejected(found.error)
        return found

    def _get(self, url: str, kind: type[Out], path: str, params: dict[str, str | None]) -> Out | Refusal:
        return self._http.get(kind, url + path, {name: value for name, value in params.items() if value is not None})
