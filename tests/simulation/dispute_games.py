"""One seed, one game: a random world, a scenario, and what must come of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from offchain.dispute.moves import Move
from offchain.dispute.state import Dispute, Posted, Side, Verdict
from offchain.model.graph import Op
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_arena import Court, Record, Referee, arguments_of, play
from tests.simulation.dispute_lies import random_lie
from tests.simulation.dispute_players import Accuser, Attempt, Habit, Honest, Liar, Player
from tests.simulation.dispute_worlds import FUNCTIONS, Generator, World, random_world, wide_world
from tests.simulation.evm import Abi, artifact

START = 1_700_000_000
CourtMaker = Callable[[World, int, int], Court]
"""A court in which a dispute about this world is open: about this claimed score, from this time on."""


@dataclass
class Tally:
    """What many games came to."""

    games: int = 0
    moves: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    in_parts: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    timed_out: int = 0
    deepest: int = 0

    def add(self, world: World, record: Record) -> None:
        """Counts a game."""
        self.games += 1
        self.moves += len(record.moves)
        self.refused.update(record.refused)
        self.verdicts[record.verdict.name] += 1
        self.timed_out += record.timed_out
        self.deepest = max(self.deepest, record.depth)
        if record.computed is not None:
            self.operations[record.computed.name] += 1
            self.functions[world.work.function.name] += 1
            self.in_parts[record.computed.name] += record.part

    def merge(self, other: "Tally") -> None:
        """Counts all games of another tally."""
        self.games += other.games
        self.moves += other.moves
        self.timed_out += other.timed_out
        self.deepest = max(self.deepest, other.deepest)
        for name in ("refused", "verdicts", "operations", "in_parts", "functions"):
            getattr(self, name).update(getattr(other, name))

    def check_coverage(self) -> None:
        """That every operation and every score function was behind a step that was computed."""
        assert set(self.operations) == {op.name for op in Op}, self.operations
        assert set(self.functions) == {function.name for function in FUNCTIONS}, self.functions


@dataclass
class Forgetful(Honest):
    """An honest player that starts anew before each of its moves, as a worker that crashed."""

    world: World

    def attempts(self, dispute: Dispute, posted: Posted) -> Iterator[Attempt]:
        self.evidence = self.world.truth()
        return super().attempts(dispute, posted)


def play_seed(seed: int, make_court: CourtMaker = Referee, function: ScoreFunction | None = None) -> Tally:
    """The game of a seed, and what it came to. Asserts that whoever is honest wins."""
    rng = np.random.default_rng(seed)
    make_world = wide_world if rng.integers(10) == 0 else random_world
    world = make_world(rng, function or FUNCTIONS[seed // 8 % len(FUNCTIONS)])
    return play_world(rng, world, seed % 8, make_court)


def play_world(rng: Generator, world: World, scenario: int, make_court: CourtMaker = Referee) -> Tally:
    """A scenario (0 to 7) in this world."""
    tally = Tally()
    history: list[Move] = []
    if rng.integers(3) == 0:
        history = warm_up(rng, world)
    if scenario < 4:
        false_claim(rng, world, make_court, history, tally)
    elif scenario < 7:
        true_claim(rng, world, make_court, history, tally)
    else:
        collusion(rng, world, make_court, history, tally)
    return tally


def warm_up(rng: Generator, world: World) -> list[Move]:
    """The moves of another game about this world, for those who replay them."""
    lie = random_lie(rng, world)
    liar = Liar(Side.DEFENDANT, rng, world, lie, Habit.PLAIN, ())
    court = Referee(world, lie.total(0, len(world.scores)), START)
    return play(court, liar, Honest(Side.CHALLENGER, rng, world.truth()), START).moves


def false_claim(rng: Generator, world: World, make_court: CourtMaker, history: Sequence[Move], tally: Tally) -> None:
    """A liar against an honest challenger, who wins."""
    lie = random_lie(rng, world)
    liar = Liar(Side.DEFENDANT, rng, world, lie, _habit(rng), history)
    court = make_court(world, lie.total(0, len(world.scores)), START)
    record = play(court, liar, _honest(rng, world, Side.CHALLENGER), START, calldata_size)
    assert record.verdict is Verdict.FALSE, record
    court.check_money()
    tally.add(world, record)


def true_claim(rng: Generator, world: World, make_court: CourtMaker, history: Sequence[Move], tally: Tally) -> None:
    """An honest defendant against a challenger of a true score, who loses."""
    accuser = _accuser(rng, world, history)
    court = make_court(world, world.score, START)
    record = play(court, _honest(rng, world, Side.DEFENDANT), accuser, START, calldata_size)
    assert record.verdict is Verdict.STANDS, record
    court.check_money()
    tally.add(world, record)


def collusion(rng: Generator, world: World, make_court: CourtMaker, history: Sequence[Move], tally: Tally) -> None:
    """A liar whose accomplice challenges first; an honest challenger follows, and wins."""
    lie = random_lie(rng, world)
    liar = Liar(Side.DEFENDANT, rng, world, lie, _habit(rng), history)
    court = make_court(world, lie.total(0, len(world.scores)), START)
    first = play(court, liar, _accuser(rng, world, history), START)
    court.check_money()
    tally.add(world, first)
    if first.verdict is Verdict.FALSE:
        return  # the accomplice was clumsy
    court = court.again(court.dispute.deadline)
    record = play(court, liar, _honest(rng, world, Side.CHALLENGER), court.start, calldata_size)
    assert record.verdict is Verdict.FALSE, record
    court.check_money()
    tally.add(world, record)


def calldata_size(move: Move) -> int:
    """Bytes of calldata of the court's function."""
    from eth_abi.abi import encode

    return 4 + len(encode(_court_abi().functions[move.function].inputs, arguments_of(move, 1)))


@cache
def _court_abi() -> Abi:
    return Abi(artifact("DisputeCourt")["abi"])


def _honest(rng: Generator, world: World, side: Side) -> Player:
    if rng.integers(10) == 0:
        return Forgetful(side, rng, world.truth(), world)
    return Honest(side, rng, world.truth())


def _accuser(rng: Generator, world: World, history: Sequence[Move]) -> Accuser:
    evidence = random_lie(rng, world) if rng.integers(3) else world.truth()
    whim = float(rng.choice([0.0, 0.2, 1.0]))
    return Accuser(Side.CHALLENGER, rng, world, evidence, _habit(rng), history, whim=whim)


def _habit(rng: Generator) -> Habit:
    return Habit(int(rng.choice(len(Habit), p=[0.36, 0.08, 0.06, 0.06, 0.24, 0.14, 0.06])))
