"""The next move of a leader whose result is challenged: it shows what it has.

Nothing is remembered between moves, so a worker that restarts goes on where the game stands. A leader that is in the
wrong makes the move that its material gives: the court refuses it, or finds it wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from offchain.dispute.segments import segments
from offchain.federated.game.arithmetic import number_rows
from offchain.federated.game.material import Material
from offchain.federated.game.moves import AnswerColumn, Descend, LeaderMove, OpenLeaf, Segments
from offchain.federated.game.state import NOTHING, Game, Side, Stage, Subject
from offchain.federated.game.tree_walk import below
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, Mode
from offchain.federated.vector_tree import Opening
from offchain.model.merkle import MerkleTree

Solver = Callable[[Game, Posting, Material], LeaderMove]


def next_move(game: Game, posting: Posting, material: Material) -> LeaderMove | None:
    """What the leader does now; None if it is not its turn."""
    return _SOLVERS[game.stage](game, posting, material) if game.on_turn is Side.LEADER else None


def tree_in_play(game: Game, material: Material) -> MerkleTree:
    """The tree that a game descends in."""
    return material.result.tree.merkle if game.subject is Subject.RESULT else material.measures.tree


def _descend(game: Game, _: Posting, material: Material) -> LeaderMove:
    height, first, count = below(game)
    nodes = tree_in_play(game, material).level(height)[first : first + count]
    return Descend(tuple(node.tobytes() for node in nodes))


def _open_leaf(game: Game, posting: Posting, material: Material) -> LeaderMove:
    if game.subject is Subject.RESULT:
        return OpenLeaf(Opening(material.result.tree.content(game.index), ()))
    leaf = material.measures.open(game.index)
    return OpenLeaf(Opening(leaf.content, ()) if game.descended else leaf, material.groups(posting))


def _answer_column(game: Game, posting: Posting, material: Material) -> LeaderMove:
    new = material.result.tree.open(game.index)
    clips = posting.rule.rule is AggregationRule.CLIPPED_MEAN
    return AnswerColumn(
        Opening(new.content, ()) if game.descended else new,
        material.previous.tree.open(game.index),
        material.column(posting, game.place),
        material.measures.open(1) if clips else NOTHING,
        material.measures.open(number_rows(posting)) if posting.mode is Mode.SECURE else NOTHING,
    )


def _segments(game: Game, posting: Posting, material: Material) -> LeaderMove:
    bounds = segments(game.low, game.high)
    return Segments(tuple(material.partial(posting, game.index, game.place, *pair) for pair in bounds))


_SOLVERS: dict[Stage, Solver] = {
    Stage.DESCEND: _descend,
    Stage.LEAF: _open_leaf,
    Stage.COLUMN: _answer_column,
    Stage.SEGMENTS: _segments,
}
