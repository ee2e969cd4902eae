"""The availability court as workers see it: what is asked for, and answers as calls.

Requests are read at the latest block: their clocks run, and an answer to one that the chain then forgets reverts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from eth_utils.crypto import keccak
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.history import History
from offchain.chain.views import decode, encode
from offchain.dispute.answers import Answer
from offchain.dispute.locating import Shown
from offchain.dispute.requests import Request, Target, is_of_test
from offchain.types import OrderId, Seconds

NAME = "AvailabilityCourt"
BATCH = 200
"""Requests read in one round trip."""
BUNCH = 300
"""Seconds between deadlines that count as about the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its number."""

    id: int
    request: Request

    @property
    def is_open(self) -> bool:
        """Whether nothing has ended it yet; its time may be up."""
        return self.request.is_open

    @property
    def key(self) -> str:
        """Tells this request from another with the same number, which a reorganisation may put there."""
        asked = self.request
        words = [asked.target.oid, asked.target.item, asked.target.model_index, asked.target.node]
        numbers = [*words, asked.target.unit, asked.target.chunk, int(asked.asker, 16), asked.deadline]
        return f"{self.id}:{keccak(b''.join(number.to_bytes(32, 'big') for number in numbers))[:8].hex()}"


class Availability:
    """The requests of one deployment. Keeps those that are over, and forgets them when the chain does."""

    def __init__(self, contracts: AssayContracts) -> None:
        self._client = contracts.client
        address, abi = contracts.addresses.of(NAME), load_artifact(NAME).abi
        self.contract = self._client.web3.eth.contract(address=address, abi=abi)
        self.decoder = EventDecoder({address: (NAME, abi)})
        self._history = History(self._client, self.decoder, first=contracts.addresses.block)
        self._shown: dict[str, Shown] = {}
        self._head: BlockRef | None = None
        self._over: dict[int, Asked] = {}
        self._all: tuple[Asked, ...] = ()

    # What is asked for

    def look(self, head: BlockRef | None = None) -> tuple[Asked, ...]:
        """All requests, by number, at `head`, the latest block. Raises Retryable."""
        head = head or self._client.head()
        former = self._head
        if former is None or head.hash != former.hash:
            if former is not None and not self._descends(head, former):
                self._over.clear()
            self._all = self._read(head)
            self._over = {asked.id: asked for asked in self._all if not asked.is_open}
            self._head = head
        return self._all

    def request_of(self, number: int) -> Request:
        """One request. Raises ContractRejected (UnknownRequest)."""
        return decode(Request, self._client.call(self.contract.functions.requestOf(number), contract=NAME))

    def asked_as(self, target: Target) -> int:
        """The number of the request for this very leaf, whatever became of it; 0 when there was none."""
        return int(self._client.call(self.contract.functions.askedAs(encode(target)), contract=NAME))

    def shown(self, asked: Asked) -> Shown | None:
        """What an answer to the request has shown; None if there is none, or the node has not indexed it yet.

        Raises Retryable when the node is down.
        """
        if asked.key not in self._shown:
            topics = (None, asked.id.to_bytes(32, "big"))
            for event in self._history.backwards(topics, last=self._client.head().number):
                if event.name == "Answered":
                    self._shown[asked.key] = Shown(asked.request.target, bytes(event.arguments["payload"]))
                if event.name in ("Answered", "Requested"):
                    break
        return self._shown.get(asked.key)

    def _descends(self, head: BlockRef, former: BlockRef) -> bool:
        if head.parent == former.hash:
            return True
        return head.number > former.number and self._client.block(former.number).hash == former.hash

    def _read(self, head: BlockRef) -> tuple[Asked, ...]:
        functions, block = self.contract.functions, head.number
        count = int(self._client.call(functions.requestCount(), block=block, contract=NAME))
        known = dict(self._over)
        wanted = [number for number in range(1, count + 1) if number not in known]
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            calls = [functions.requestOf(number) for number in some]
            found = self._client.call_many(calls, block=block, contract=NAME)
            known |= {number: Asked(number, decode(Request, row)) for number, row in zip(some, found, strict=True)}
        return tuple(known[number] for number in range(1, count + 1))

    # Calls

    def request(self, target: Target) -> ContractFunction:
        """The call that asks for a leaf."""
        return self.contract.functions.request(encode(target))

    def answer(self, number: int, answer: Answer) -> ContractFunction:
        """The call that answers a request."""
        call: ContractFunction = getattr(self.contract.functions, answer.function)(number, *answer.arguments)
        return call

    def expire(self, number: int) -> ContractFunction:
        """The call that voids what nobody could show in time."""
        return self.contract.functions.expire(number)

    def dismiss(self, number: int) -> ContractFunction:
        """The call that ends a request about what is void already."""
        return self.contract.functions.dismiss(number)


def of_order(asked: Iterable[Asked], oid: OrderId) -> tuple[Asked, ...]:
    """The requests about one order's data."""
    return tuple(one for one in asked if one.request.target.oid == oid)


def answerable(asked: Iterable[Asked], now: Seconds) -> tuple[Asked, ...]:
    """Those that an answer still saves, the most urgent first; of about the same time, one model after the other.

    A tree is made once for all that is answered from it: else who asks about two models in turn has it made each time.
    """
    found = [one for one in asked if one.is_open and now < one.request.deadline]

    def urgency(one: Asked) -> tuple[int, bool, int, int]:
        target = one.request.target
        return one.request.deadline // BUNCH, is_of_test(target), target.model_index, one.id

    return tuple(sorted(found, key=urgency))


def due(asked: Iterable[Asked], now: Seconds) -> tuple[Asked, ...]:
    """Those that nobody has answered in time, in order."""
    return tuple(one for one in asked if one.is_open and now >= one.request.deadline)
