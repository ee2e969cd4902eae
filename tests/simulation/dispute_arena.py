"""Whole games: two players, a court that accepts or refuses their moves, and a clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from eth_typing import ChecksumAddress

from offchain.dispute import rules
from offchain.dispute.moves import (
    Compute,
    ComputePart,
    Move,
    PostChunk,
    PostHashes,
    PostParts,
    PostSums,
    PostTrace,
    call_of,
)
from offchain.dispute.operands import MOST_CALLDATA
from offchain.dispute.proofs import Refused
from offchain.dispute.state import Dispute, Posted, Side, Stage, Verdict
from offchain.model.graph import Op
from offchain.types import OrderId, Wei
from tests.simulation.dispute_players import Player
from tests.simulation.dispute_worlds import World
from tests.simulation.evm import account

DEFENDANT, CHALLENGER = account(1), account(2)
MOVE_SECONDS = 60
STAKE = 50


class Court(Protocol):
    """Where a game is played."""

    @property
    def dispute(self) -> Dispute:
        """The dispute as it stands."""

    @property
    def posted(self) -> Posted:
        """What the defendant posted last."""

    def send(self, player: ChecksumAddress, move: Move, now: int) -> None:
        """Makes a move. Raises Refused, and then nothing has changed."""

    def time_out(self, now: int) -> None:
        """Ends the dispute for the player who is late. Raises Refused."""

    def check_money(self) -> None:
        """Asserts that the closed dispute has paid whom it should."""

    def again(self, now: int) -> "Court":
        """A further dispute about the same validation, opened by somebody else."""

    @property
    def start(self) -> int:
        """When the dispute was opened."""


class Referee:
    """The pure rules."""

    def __init__(self, world: World, claimed: int, start: int) -> None:
        self.world, self.claimed, self.start = world, claimed, start
        self.setting = world.work.setting
        self.posted = Posted()
        self.dispute = rules.open_dispute(
            self.setting,
            oid=OrderId(1),
            model_index=0,
            defendant=DEFENDANT,
            challenger=CHALLENGER,
            score=claimed,
            stake=Wei(STAKE),
            move_seconds=MOVE_SECONDS,
            now=start,
        )

    def send(self, player: ChecksumAddress, move: Move, now: int, *, live: bool = True) -> None:
        self.dispute = rules.apply_move(self.dispute, move, player, now, self.setting, live=live)
        self.posted = after(self.posted, move)

    def time_out(self, now: int, *, live: bool = True) -> None:
        self.dispute = rules.time_out(self.dispute, now, live=live)

    def check_money(self) -> None:
        """There is none in the pure game."""

    def again(self, now: int) -> "Referee":
        return Referee(self.world, self.claimed, now)

    def dismiss(self, *, live: bool) -> None:
        """Ends a dispute about what no longer counts. Raises Refused."""
        self.dispute = rules.dismiss(self.dispute, live=live)


def after(posted: Posted, move: Move) -> Posted:
    """What is known after a move, by the event that the court emits for it."""
    match move:
        case PostSums():
            return posted.after("SumsPosted", {"sums": move.sums})
        case PostTrace():
            shown = move.posting
            arguments = {"inputRoot": shown.sample.input_root, "roots": shown.roots, "output": shown.output}
            return posted.after("TracePosted", arguments)
        case PostHashes():
            return posted.after("HashesPosted", {"hashes": move.hashes})
        case PostChunk():
            return posted.after("ChunkPosted", {"chunk": move.chunk})
        case PostParts():
            return posted.after("PartsPosted", {"parts": move.parts})
        case _:
            return posted.after("Moved", {})


@dataclass
class Record:
    """What happened in a game."""

    verdict: Verdict = Verdict.NONE
    timed_out: bool = False
    moves: list[Move] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    computed: Op | None = None
    part: bool = False
    depth: int = 0


def play(
    court: Court, defendant: Player, challenger: Player, start: int, size_of: Callable[[Move], int] | None = None
) -> Record:
    """A game to its end. Asserts that no honest move is refused or too large, and that nobody ends it early.

    size_of: bytes of a move's calldata, where honest moves are to be measured.
    """
    record, now = Record(), start
    players = {Side.DEFENDANT: defendant, Side.CHALLENGER: challenger}
    while (side := court.dispute.on_turn) is not None:
        player, other = players[side], players[side.other]
        for move in other.heckle(court.dispute, court.posted):
            _expect_refusal(court, court.dispute.player(side.other), move, now, record)
        made, now = _turn(court, player, now, record)
        if made is None:
            _run_out(court, record)
        elif player.honest and size_of is not None:
            size = size_of(made)
            assert size <= MOST_CALLDATA, f"{made.function} takes {size} bytes"
    record.verdict = court.dispute.verdict
    return record


def _turn(court: Court, player: Player, now: int, record: Record) -> tuple[Move | None, int]:
    """The move that was accepted, and when; None if none was."""
    before = court.dispute
    for attempt in player.attempts(before, court.posted):
        try:
            court.send(before.player(player.side), attempt.move, now + attempt.delay)
        except Refused as refusal:
            if player.honest:
                raise AssertionError(f"an honest {attempt.move.function} was refused") from refusal
            record.refused.append(refusal.name)
        else:
            record.moves.append(attempt.move)
            _note(record, before, attempt.move)
            return attempt.move, now + attempt.delay
        assert court.dispute == before
    return None, now


def _note(record: Record, before: Dispute, move: Move) -> None:
    if isinstance(move, Compute | ComputePart):
        record.computed = Op(before.op)
        record.part = isinstance(move, ComputePart)
    if isinstance(move, PostParts):
        record.depth += 1


def _run_out(court: Court, record: Record) -> None:
    """The player on turn has nothing more to say: the clock runs out, and not a second earlier."""
    deadline = court.dispute.deadline
    _refused(lambda: court.time_out(deadline - 1), record)
    court.time_out(deadline)
    record.timed_out = True
    assert court.dispute.stage is Stage.CLOSED


def _expect_refusal(court: Court, player: ChecksumAddress, move: Move, now: int, record: Record) -> None:
    before = court.dispute
    _refused(lambda: court.send(player, move, now), record)
    assert court.dispute == before


def _refused(act: Callable[[], None], record: Record) -> None:
    try:
        act()
    except Refused as refusal:
        record.refused.append(refusal.name)
        return
    raise AssertionError("nothing was refused")


def arguments_of(move: Move, dispute_id: int) -> tuple[object, ...]:
    """The arguments of the court's function."""
    return (dispute_id, *call_of(move)[1])
