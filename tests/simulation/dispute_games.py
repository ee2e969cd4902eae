"""One seed, one game: a random world, a scenario, and what must come of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from offchain.dispute.moves import Move
from offchain.dispute.state import Dispute, Posted, Side, Verdict
from offchain.model.graph import Op
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_arena import Court, Record, Referee, arguments_of, play
from tests.simulation.dispute_lies import FalseEvidence, random_lie
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
    """The games of a seed, three or four in one world, and what they came to. Asserts that whoever is honest wins."""
    rng = np.random.default_rng(seed)
    make_world = wide_world if rng.integers(10) == 0 else random_world
    world = make_world(rng, function or FUNCTIONS[seed % len(FUNCTIONS)])
    tally = Tally()
    stage = Stage(rng, world, make_court, random_lie(rng, world), tally)
    if rng.integers(2):
        stage.history.extend(warm_up(rng, world, stage.lie))
    for scenario in (false_claim, true_claim, collusion):
        scenario(stage)
    return tally


@dataclass
class Stage:
    """A world, a lie about it, and the moves that were made in it so far, for those who replay them."""

    rng: Generator
    world: World
    make_court: CourtMaker
    lie: FalseEvidence
    tally: Tally
    history: list[Move] = field(default_factory=list)

    @property
    def claimed(self) -> int:
        """The false score."""
        return self.lie.total(0, len(self.world.scores))

    def liar(self) -> Liar:
        """Who claims it, with some habit."""
        return Liar(Side.DEFENDANT, self.rng, self.world, self.lie, _habit(self.rng), tuple(self.history))

    def accuser(self) -> Accuser:
        """A challenger of anything, by the lie, by whim, or both."""
        evidence = self.lie if self.rng.integers(3) else self.world.truth()
        whim = float(self.rng.choice([0.0, 0.2, 1.0]))
        history = tuple(self.history)
        return Accuser(Side.CHALLENGER, self.rng, self.world, evidence, _habit(self.rng), history, whim=whim)

    def honest(self, side: Side) -> Player:
        """Who knows the truth; now and then one that starts anew before each of its moves."""
        if self.rng.integers(10) == 0:
            return Forgetful(side, self.rng, self.world.truth(), self.world)
        return Honest(side, self.rng, self.world.truth())

    def play(self, court: Court, defendant: Player, challenger: Player) -> Verdict:
        """A game to its end, with its money checked."""
        size_of = calldata_size if defendant.honest or challenger.honest else None
        record = play(court, defendant, challenger, court.start, size_of)
        court.check_money()
        self.tally.add(self.world, record)
        self.history = record.moves
        return record.verdict


def warm_up(rng: Generator, world: World, lie: FalseEvidence) -> list[Move]:
    """The moves of another game about this world."""
    liar = Liar(Side.DEFENDANT, rng, world, lie, Habit.PLAIN, ())
    court = Referee(world, lie.total(0, len(world.scores)), START)
    return play(court, liar, Honest(Side.CHALLENGER, rng, world.truth()), START).moves


def false_claim(stage: Stage) -> None:
    """A liar against an honest challenger, who wins."""
    court = stage.make_court(stage.world, stage.claimed, START)
    assert stage.play(court, stage.liar(), stage.honest(Side.CHALLENGER)) is Verdict.FALSE


def true_claim(stage: Stage) -> None:
    """An honest defendant against a challenger of a true score, who loses."""
    court = stage.make_court(stage.world, stage.world.score, START)
    assert stage.play(court, stage.honest(Side.DEFENDANT), stage.accuser()) is Verdict.STANDS


def collusion(stage: Stage) -> None:
    """A liar whose accomplice challenges first; an honest challenger follows, and wins."""
    court = stage.make_court(stage.world, stage.claimed, START)
    liar = stage.liar()
    if stage.play(court, liar, stage.accuser()) is Verdict.FALSE:
        return  # the accomplice was clumsy
    again = court.again(court.dispute.deadline)
    assert stage.play(again, liar, stage.honest(Side.CHALLENGER)) is Verdict.FALSE


def calldata_size(move: Move) -> int:
    """Bytes of calldata of the court's function."""
    from eth_abi.abi import encode

    return 4 + len(encode(_court_abi().functions[move.function].inputs, arguments_of(move, 1)))


@cache
def _court_abi() -> Abi:
    return Abi(artifact("DisputeCourt")["abi"])


def _habit(rng: Generator) -> Habit:
    return Habit(int(rng.choice(len(Habit), p=[0.36, 0.08, 0.06, 0.06, 0.24, 0.14, 0.06])))
