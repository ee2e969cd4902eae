"""The court of federated results as workers see it: which games there are, what was shown in them, moves as calls.

Games are read as of a final block, like disputes (`court.py`): a move that answers one which the chain then forgets
could be a wrong one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.history import History
from offchain.chain.views import decode
from offchain.dispute.proofs import root_of_all
from offchain.errors import Retryable
from offchain.federated.game.moves import Begin, Move, ProveSelection, call_of
from offchain.federated.game.state import Game, Shown, Stage
from offchain.types import TaskId

NAME = "FederatedCourt"
BATCH = 200
"""Games read in one round trip."""


@dataclass(frozen=True, slots=True)
class Contest:
    """A game and its number."""

    id: int
    game: Game

    @property
    def is_open(self) -> bool:
        """Whether it can still be played."""
        return self.game.stage is not Stage.CLOSED

    @property
    def in_play(self) -> str:
        """Names what is to be answered: stages repeat, so it is made of all that tells one visit from another."""
        g = self.game
        numbers = (g.posting, g.stage, g.height, g.index, g.place, g.low, g.high, g.claimed)
        words = b"".join(number.to_bytes(32, "big", signed=True) for number in numbers)
        return bytes(keccak(words + g.word))[:8].hex()


class FederatedCourt:
    """The games of one deployment. Keeps those that are over, and forgets them when the chain does."""

    def __init__(self, contracts: AssayContracts) -> None:
        self._client = contracts.client
        self._first = contracts.addresses.block
        self.contract = contracts.federated_court
        decoder = EventDecoder({self.contract.address: (NAME, load_artifact(NAME).abi)})
        self._history = History(self._client, decoder, first=self._first)
        self._block: BlockRef | None = None
        self._closed: dict[int, Contest] = {}
        self._events: dict[int, tuple[int, tuple[Event, ...]]] = {}
        self._all: tuple[Contest, ...] = ()

    def look(self, head: BlockRef) -> tuple[Contest, ...]:
        """All games, by number, as of the newest block that is final when `head` is the latest. Raises Retryable."""
        number = self._client.final_block(head.number)
        block = head if number >= head.number else self._client.block(max(number, 0))
        former = self._block
        if former is None or block.hash != former.hash:
            if former is not None and not self._descends(block, former):
                self._closed.clear()
                self._events.clear()
            self._all = self._read(block.number)
            self._block = block
        return self._all

    def shown(self, contest: Contest) -> Shown:
        """What the leader has shown in a game of the last `look`.

        Raises Retryable when the node is down, or its logs are behind its state.
        """
        shown = Shown()
        for event in self.events(contest.id):
            shown = shown.after(event.name, event.arguments)
        if not _tells(shown, contest.game):
            self._events.pop(contest.id, None)
            raise Retryable(f"{self._client.endpoint}: the logs of game {contest.id} are not there yet")
        return shown

    def events(self, number: int) -> tuple[Event, ...]:
        """Everything that happened in a game up to the last `look`, in order. Raises Retryable."""
        last = self._block.number if self._block is not None else self._client.head().number
        read, known = self._events.get(number, (None, ()))
        found: list[Event] = []
        topics = (None, number.to_bytes(32, "big"))
        for event in self._history.backwards(topics, last=last, since=None if read is None else read + 1):
            if event.name == "SelectionWrong":
                continue  # its first topic is a task
            found.append(event)
            if event.name == "Challenged":
                break
        events = (*known, *reversed(found))
        self._events[number] = (last, events)
        return events

    def _descends(self, block: BlockRef, former: BlockRef) -> bool:
        return block.number > former.number and self._client.block(former.number).hash == former.hash

    def _read(self, block: int) -> tuple[Contest, ...]:
        functions = self.contract.functions
        if block < self._first:
            return ()
        count = int(self._client.call(functions.gameCount(), block=block, contract=NAME))
        wanted = [number for number in range(1, count + 1) if number not in self._closed]
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            found = self._client.call_many([functions.gameOf(number) for number in some], block=block, contract=NAME)
            for number, values in zip(some, found, strict=True):
                self._closed[number] = Contest(number, decode(Game, values))
        contests = tuple(self._closed[number] for number in range(1, count + 1))
        self._closed = {contest.id: contest for contest in contests if not contest.is_open}
        return contests

    # Calls

    def begin(self, task: TaskId, move: Begin | ProveSelection) -> ContractFunction:
        """The call that challenges what is posted."""
        name, arguments = call_of(move)
        call: ContractFunction = getattr(self.contract.functions, name)(task, *arguments)
        return call

    def move(self, number: int, move: Move) -> ContractFunction:
        """The call that makes a move."""
        name, arguments = call_of(move)
        call: ContractFunction = getattr(self.contract.functions, name)(number, *arguments)
        return call

    def time_out(self, number: int) -> ContractFunction:
        """The call that ends a game whose player on turn is late."""
        return self.contract.functions.timeout(number)

    def close(self, number: int) -> ContractFunction:
        """The call that ends a game about what is no longer in force."""
        return self.contract.functions.close(number)


def of_task(contests: Iterable[Contest], task: TaskId) -> tuple[Contest, ...]:
    """The games about one task's results."""
    return tuple(contest for contest in contests if contest.game.task == task)


def _tells(shown: Shown, game: Game) -> bool:
    """Whether the events tell what the state says was shown."""
    match game.stage:
        case Stage.PICK:
            return root_of_all(shown.nodes) == game.word
        case Stage.NAME:
            return bool(shown.leaf)
        case Stage.FALSIFY:
            return bytes(keccak(shown.column)) == game.word
        case Stage.CHOOSE:
            return bytes(keccak(encode(["int64[]"], [list(shown.sums)]))) == game.word
        case _:
            return True
