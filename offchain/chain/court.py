"""The dispute court as workers see it: what is in dispute, what was posted, and moves as calls.

Games are read as of a final block. A move that answers one which the chain then forgets could be a wrong one: sums of
one segment may add up to what another segment claims, and a transaction that is on its way cannot be called back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from web3.contract.contract import ContractFunction
from web3.exceptions import Web3Exception

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.history import History
from offchain.chain.views import Seat, decode
from offchain.dispute.moves import Move, call_of
from offchain.dispute.state import Dispute, Posted, Stage
from offchain.errors import Retryable
from offchain.model.graph import Shape
from offchain.protocol.scores import ABSTAIN
from offchain.types import OrderId

NAME = "DisputeCourt"
BATCH = 200
"""Disputes read in one round trip."""


@dataclass(frozen=True, slots=True)
class Case:
    """A dispute and its number."""

    id: int
    dispute: Dispute

    @property
    def is_open(self) -> bool:
        """Whether it can still be played."""
        return self.dispute.stage is not Stage.CLOSED


class Court:
    """The disputes of one deployment. Keeps what cannot change, and forgets it when the chain does."""

    def __init__(self, contracts: AssayContracts) -> None:
        self._contracts = contracts
        self.client = contracts.client
        self.contract = contracts.court
        decoder = EventDecoder({self.contract.address: (NAME, load_artifact(NAME).abi)})
        self._history = History(self.client, decoder, first=contracts.addresses.block)
        self._block: BlockRef | None = None
        self._closed: dict[int, Case] = {}
        self._events: dict[int, tuple[int, tuple[Event, ...]]] = {}
        self._cases: tuple[Case, ...] = ()

    # What is in dispute

    def look(self, head: BlockRef) -> tuple[Case, ...]:
        """All disputes, by number, as of the newest block that is final when `head` is the latest. Raises Retryable."""
        number = self.client.final_block(head.number)
        block = head if number >= head.number else self.client.block(max(number, 0))
        former = self._block
        if former is None or block.hash != former.hash:
            if former is not None and not self._descends(block, former):
                self._closed.clear()
                self._events.clear()
            self._cases = self._read(block.number)
            self._block = block
        return self._cases

    def _descends(self, block: BlockRef, former: BlockRef) -> bool:
        return block.number > former.number and self.client.block(former.number).hash == former.hash

    def _read(self, block: int) -> tuple[Case, ...]:
        functions = self.contract.functions
        if block < self._contracts.addresses.block:
            return ()
        count = int(self.client.call(functions.disputeCount(), block=block, contract=NAME))
        wanted = [number for number in range(1, count + 1) if number not in self._closed]
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            calls = [functions.disputeOf(number) for number in some]
            found = self.client.call_many(calls, block=block, contract=NAME)
            for number, values in zip(some, found, strict=True):
                self._closed[number] = Case(number, decode(Dispute, values))
        cases = tuple(self._closed[number] for number in range(1, count + 1))
        self._closed = {case.id: case for case in cases if not case.is_open}
        return cases

    def posted(self, case: Case) -> Posted:
        """What the defendant has posted in a dispute of the last `look`.

        Raises Retryable when the node is down, or its logs are behind its state.
        """
        posted = Posted()
        for event in self.events(case.id):
            posted = posted.after(event.name, event.arguments)
        if not _shows(posted, case.dispute):
            self._events.pop(case.id, None)
            raise Retryable(f"{self.client.endpoint}: the logs of dispute {case.id} are not there yet")
        return posted

    def events(self, number: int) -> tuple[Event, ...]:
        """Everything that happened in dispute `number` up to the last `look`, in order. Raises Retryable."""
        last = self._block.number if self._block is not None else self.client.head().number
        read, known = self._events.get(number, (None, ()))
        found: list[Event] = []
        topics = (None, number.to_bytes(32, "big"))
        for event in self._history.backwards(topics, last=last, since=None if read is None else read + 1):
            found.append(event)
            if event.name == "Opened":
                break
        events = (*known, *reversed(found))
        self._events[number] = (last, events)
        return events

    def shape_picked(self, event: Event) -> Shape | None:
        """The shape of the output of the node that a TensorPicked picks, from the transaction's own call.

        None when the call went through another contract. Raises Retryable.
        """
        sent = self.client.request("eth_getTransactionByHash", "0x" + event.tx_hash.hex())
        if sent is None:
            return None
        try:
            function, arguments = self.contract.decode_function_input(sent["input"])
        except (ValueError, Web3Exception):
            return None
        if function.fn_name != "pickTensor":
            return None
        rank, *sides = arguments["opening"]["node"]["shape"]
        return tuple(sides[:rank])

    def are_live(self, cases: Iterable[Case]) -> list[bool]:
        """Whether each dispute is still about what stands in the place that was challenged. Raises Retryable."""
        disputes = [case.dispute for case in cases]
        seat_of = self._contracts.proof.functions.seatOf
        seats = self._contracts.read_many([seat_of(item.oid, item.seat, item.model_index) for item in disputes])
        found = [decode(Seat, values) for values in seats]
        return [seat.live and seat.version == item.version for seat, item in zip(found, disputes, strict=True)]

    # Calls

    def open(self, oid: OrderId, validator: ChecksumAddress, index: int) -> ContractFunction:
        """The call that challenges the validation in the validator's place."""
        return self.contract.functions.open(oid, validator, index)

    def challenge(self, oid: OrderId, validator: ChecksumAddress, index: int, counter: int) -> ContractFunction:
        """Like `open`; `counter` takes the place if it is proven false, unless it is an abstention."""
        if counter == ABSTAIN:
            return self.open(oid, validator, index)
        return self.contract.functions.counter(oid, validator, index, counter)

    def fill(self, oid: OrderId, validator: ChecksumAddress, index: int, score: int) -> ContractFunction:
        """The call that puts a score in a place which a challenge has emptied."""
        return self.contract.functions.fill(oid, validator, index, score)

    def move(self, number: int, move: Move) -> ContractFunction:
        """The call that makes a move."""
        name, arguments = call_of(move)
        call: ContractFunction = getattr(self.contract.functions, name)(number, *arguments)
        return call

    def time_out(self, number: int) -> ContractFunction:
        """The call that ends a dispute whose player on turn is late."""
        return self.contract.functions.timeOut(number)

    def dismiss(self, number: int) -> ContractFunction:
        """The call that ends a dispute about what does not count any more."""
        return self.contract.functions.dismiss(number)


def in_play(dispute: Dispute) -> str:
    """Names what is to be answered, the same after a restart or a reorganisation that changes nothing but times.

    Stages repeat, so it is made of everything that tells one visit from another.
    """
    d = dispute
    numbers = (d.stage, d.low, d.high, d.value, d.node, d.base, d.count, d.size, d.element, d.from_, d.to)
    words = b"".join(number.to_bytes(32, "big", signed=True) for number in numbers)
    return keccak(words + d.posted + d.trace_root + d.blob)[:8].hex()


def of_order(cases: Iterable[Case], oid: OrderId) -> tuple[Case, ...]:
    """The disputes about validations of one order."""
    return tuple(case for case in cases if case.dispute.oid == oid)


_LISTS = {Stage.PICK_SUM: "int64[]", Stage.PICK_HASH: "bytes32[]", Stage.PICK_PART: "int64[]"}


def _shows(posted: Posted, dispute: Dispute) -> bool:
    """Whether the events tell what the state says was posted."""
    given: dict[Stage, Sequence[Any]] = {
        Stage.PICK_SUM: posted.sums,
        Stage.PICK_HASH: posted.hashes,
        Stage.PICK_PART: posted.parts,
    }
    kind = _LISTS.get(dispute.stage)
    if kind is not None and keccak(encode([kind], [list(given[dispute.stage])])) != dispute.posted:
        return False
    if dispute.stage is Stage.PICK_ELEMENT and keccak(posted.chunk) != dispute.blob:
        return False
    return bool(posted.roots) or dispute.stage in (Stage.SUMS, Stage.PICK_SUM, Stage.TRACE)
