"""Players of games about an aggregate: honest ones, and such as try everything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from offchain.dispute.proofs import Refused
from offchain.federated.game import challenger, leader
from offchain.federated.game.arithmetic import entries, number_rows
from offchain.federated.game.material import Material
from offchain.federated.game.moves import (
    AnswerColumn,
    Choose,
    Descend,
    DisputeNorm,
    Falsify,
    FalsifyWeight,
    Move,
    Name,
    OpenLeaf,
    Pick,
    Product,
    Segments,
)
from offchain.federated.game.state import NOTHING, Game, Shown, Side, Stage, Subject, Verdict
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, Mode
from offchain.federated.vector_tree import Opening
from tests.simulation.federated_court import Court
from tests.simulation.federated_worlds import START

Generator = np.random.Generator

BLOAT = 16_384
"""Bytes that a liar adds where it can; no honest move is so large."""


@dataclass
class Player:
    """Makes the moves that its material gives; honest if that is the truth."""

    posting: Posting
    material: Material
    honest: bool = True

    def attempts(self, game: Game, shown: Shown) -> Iterator[Move]:
        """Moves to try, in order, until one is accepted."""
        if game.on_turn is Side.LEADER:
            move: Move | None = leader.next_move(game, self.posting, self.material)
        else:
            move = challenger.next_move(game, self.posting, shown, self.material)
        if move is not None:
            yield move


@dataclass
class LyingLeader(Player):
    """Tries malformed moves and what it made before, then what its material gives; its sums always add up."""

    rng: Generator = field(default_factory=lambda: np.random.default_rng(0))
    honest: bool = False
    made: list[Move] = field(default_factory=list)

    def attempts(self, game: Game, shown: Shown) -> Iterator[Move]:
        yield from self.made[-2:]
        for made in super().attempts(game, shown):
            move = _bloated(made, self.posting)
            for attempt in (*_mangled(move, self.rng), *_adjusted(move, game, self.rng)):
                self.made.append(attempt)
                yield attempt


@dataclass
class Silent(Player):
    """Makes no move at all."""

    honest: bool = False

    def attempts(self, game: Game, shown: Shown) -> Iterator[Move]:
        return iter(())


@dataclass
class Troll(Player):
    """A challenger of what is right: its moves are well-formed, and go anywhere."""

    rng: Generator = field(default_factory=lambda: np.random.default_rng(0))
    honest: bool = False

    def attempts(self, game: Game, shown: Shown) -> Iterator[Move]:
        rng, posting, material = self.rng, self.posting, self.material
        column = int(rng.integers(0, posting.columns))
        match game.stage:
            case Stage.PICK:
                yield Pick(0, rng.bytes(32), Pick.of(shown.nodes, 0).proof)
                yield dataclasses.replace(Pick.of(shown.nodes, 0), index=len(shown.nodes))
                yield Pick(0, game.word, ())
                yield Pick.of(shown.nodes, int(rng.integers(0, len(shown.nodes))))
            case Stage.NAME if game.subject is Subject.RESULT:
                yield Name(b"", posting.dimension)
                chunk = range(posting.dimension)[game.index * 256 : game.index * 256 + 256]
                yield Name(b"", int(rng.choice(chunk)))
            case Stage.NAME:
                yield Name(shown.leaf[:-1] + b"\1", 0)
                if game.index < number_rows(posting):
                    yield Name(shown.leaf, entries(posting, game.index))
                    yield Name(shown.leaf, int(rng.integers(0, entries(posting, game.index))))
            case Stage.FALSIFY:
                chunk_of = material.tree(column).open(game.index)
                yield Falsify(shown.column, column, chunk_of, shown.groups)
                yield Falsify(shown.column, posting.columns, chunk_of, shown.groups)
                yield Falsify(shown.column, column, Opening(chunk_of.content[:-2], chunk_of.proof), shown.groups)
                other = material.tree((column + 1) % posting.columns).open(game.index)
                yield Falsify(shown.column, column, other, shown.groups)
                yield FalsifyWeight(shown.column, column)
                yield DisputeNorm(column, shown.norms)
            case Stage.CHOOSE:
                yield Choose((*shown.sums[:-1], shown.sums[-1] + 1), len(shown.sums) - 1)
                yield Choose(shown.sums, int(rng.integers(0, len(shown.sums))))
            case Stage.PRODUCT:
                yield _product(self, game, shown)
                yield Product(NOTHING, NOTHING, shown.groups)


def play(court: Court, leads: Player, challenges: Player, now: int = START) -> Verdict:
    """A game to its end: who has no move that is accepted lets the clock run out. Honest moves are never refused."""
    while (side := court.game.on_turn) is not None:
        player = leads if side is Side.LEADER else challenges
        if not _turn(court, player, side, now):
            deadline = court.game.deadline
            _refused(partial(court.time_out, deadline - 1))
            court.time_out(deadline)
        now += 1
    return court.game.verdict


def _turn(court: Court, player: Player, side: Side, now: int) -> bool:
    game = court.game
    for move in player.attempts(game, court.shown):
        other = game.player(Side.CHALLENGER if side is Side.LEADER else Side.LEADER)
        _refused(partial(court.send, other, move, now))
        try:
            court.send(game.player(side), move, now)
        except Refused as refusal:
            if player.honest:
                raise AssertionError(f"an honest {move.function} was refused") from refusal
        else:
            assert not player.honest or _size(move) < BLOAT, f"an honest {move.function} is as large as a liar wants it"
            return True
        assert court.game == game
    return False


def _size(value: object) -> int:
    """Bytes of content and proofs in a move."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(map(_size, value))
    if dataclasses.is_dataclass(value):
        return sum(_size(getattr(value, field.name)) for field in dataclasses.fields(value))
    return 32


def _refused(act: Callable[[], None]) -> None:
    try:
        act()
    except Refused:
        return
    raise AssertionError("nothing was refused")


def _product(player: Player, game: Game, shown: Shown) -> Product:
    """The right openings of a sum that is right."""
    material, row, place, chunk = player.material, game.index, game.place, game.low
    if row == 0:
        left = NOTHING if place == player.posting.columns else material.tree(place).open(chunk)
        return Product(left, material.result.tree.open(chunk), shown.groups)
    if not player.posting.rule.selects:
        return Product(material.tree(place).open(chunk), NOTHING, shown.groups)
    return Product(material.tree(row - 1).open(chunk), material.tree(place).open(chunk), shown.groups)


def _mangled(move: Move, rng: Generator) -> Iterator[Move]:
    """The move with something missing or too much."""
    match move:
        case Descend():
            yield Descend(move.nodes[:-1])
            yield Descend((*move.nodes, rng.bytes(32)))
            yield Descend(tuple(rng.bytes(32) for _ in move.nodes))
        case OpenLeaf():
            yield OpenLeaf(Opening(move.leaf.content + b"\0", move.leaf.proof), move.groups)
            yield OpenLeaf(Opening(b"", move.leaf.proof), move.groups)
        case AnswerColumn():
            yield dataclasses.replace(move, column=move.column + b"\0\0")
            yield dataclasses.replace(move, column=b"")
            yield dataclasses.replace(move, old_leaf=move.new_leaf)
            yield dataclasses.replace(move, old_leaf=Opening(move.old_leaf.content[:-1], move.old_leaf.proof))
        case Segments():
            yield Segments(move.sums[:-1])
            yield Segments((*move.sums, 0))


def _bloated(move: Move, posting: Posting) -> Move:
    """The move with much where nothing is needed, so that the other side may have to repeat it."""
    junk = Opening(bytes(BLOAT), (bytes(32),) * 100)
    if isinstance(move, OpenLeaf | AnswerColumn) and posting.mode is Mode.PLAIN:
        move = dataclasses.replace(move, groups=junk)
    if isinstance(move, AnswerColumn) and posting.rule.rule is not AggregationRule.CLIPPED_MEAN:
        move = dataclasses.replace(move, norms=junk)
    return move


def _adjusted(move: Move, game: Game, rng: Generator) -> Iterator[Move]:
    """The move; of sums that do not add up, one is changed first so that they do."""
    if isinstance(move, Segments) and sum(move.sums) != game.claimed:
        sums = list(move.sums)
        sums[int(rng.integers(0, len(sums)))] += game.claimed - sum(sums)
        yield Segments(tuple(sums))
    yield move
