"""What a challenger does: finds out whether a posting is wrong, where, and plays the game about it.

It compares what it has computed itself (`material.judge`) with what was posted. The order matters: the result follows
from the columns and what was selected, the measures follow from the result too, and the selection is read from the
measures. So wrong measures are challenged only under a right result, and a wrong selection only where both are right,
for then the challenger has the leader's own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from offchain.dispute.segments import segments
from offchain.errors import Bug
from offchain.federated.game.arithmetic import entries, int16_at, int64_at, score, weights_in, words_at
from offchain.federated.game.leader import tree_in_play
from offchain.federated.game.material import Material
from offchain.federated.game.moves import (
    Begin,
    Challenge,
    ChallengeCoordinate,
    ChallengeMeasure,
    ChallengerMove,
    Choose,
    DisputeNorm,
    Falsify,
    FalsifyWeight,
    Name,
    Pick,
    Product,
    ProveSelection,
    TurnToResult,
)
from offchain.federated.game.state import NOTHING, Game, Shown, Side, Stage, Subject
from offchain.federated.game.tree_walk import below
from offchain.federated.measures import Measures, read_row
from offchain.federated.results import Result
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, Mode
from offchain.federated.vector_tree import CHUNK, Opening, chunk_length

Solver = Callable[[Game, Posting, Shown, Material], ChallengerMove | None]


def objection(
    posting: Posting, own: Material, result: Result | None = None, measures: Measures | None = None
) -> Begin | ProveSelection | None:
    """How to challenge a posting; None if it is right.

    own: from `judge`. result, measures: the leader's files, if they can be had: then the game begins where they differ.
    Files that do not lead to the posted roots are of no use and ignored. In secure mode there is no objection unless
    the leader's file of measures shows that it summed the groups as `own` did: that they are the unmasked sums is what
    this game cannot decide, and whoever challenges what rests on others loses its stake.
    """
    if own.measures.shape.secure and not _same_groups(posting, own.measures, measures):
        return None
    if posting.result_root != own.result.root:
        if _clips(posting):
            column = _wrong_norm(posting, own.measures, measures)
            if column is not None:
                return ChallengeMeasure(1, column)
        if result is not None and result.root == posting.result_root and result.shape == own.result.shape:
            return ChallengeCoordinate(_first_coordinate(posting, own.result, result))
        return Challenge(Subject.MEASURES if _clips(posting) else Subject.RESULT)
    if posting.measures_root != own.measures.root:
        if measures is not None and measures.root == posting.measures_root:
            return ChallengeMeasure(*_first_entry(own.measures, measures))
        return Challenge(Subject.MEASURES)
    return _wrong_selection(posting, own.measures)


def next_move(game: Game, posting: Posting, shown: Shown, material: Material) -> ChallengerMove | None:
    """What the challenger does now; None if it is not its turn, or if it is in the wrong as far as it knows."""
    if game.on_turn is not Side.CHALLENGER:
        return None
    return _SOLVERS[game.stage](game, posting, shown, material)


def _pick(game: Game, posting: Posting, shown: Shown, material: Material) -> ChallengerMove | None:
    """The last that differs: in secure mode the columns' roots are the last row, on which all others rest.

    Under a wrong result of ClippedMean row 0 is of no use, for it follows from the leader's aggregate: if only that is
    another, the norms are right, and the game turns to the result.
    """
    height, first, count = below(game)
    own = tree_in_play(game, material).level(height)[first : first + count]
    wrong = [index for index, node in enumerate(shown.nodes) if own[index].tobytes() != node]
    if game.subject is Subject.MEASURES and posting.result_root != material.result.root and not any(wrong):
        return TurnToResult()
    return Pick.of(shown.nodes, wrong[-1]) if wrong else None


def _name(game: Game, posting: Posting, shown: Shown, material: Material) -> ChallengerMove | None:
    if game.subject is Subject.RESULT:
        own = material.result.tree.content(game.index)
        length = chunk_length(posting.dimension, game.index)
        for place in range(game.index * CHUNK, game.index * CHUNK + length):
            if words_at(posting, place, own) != words_at(posting, place, shown.leaf):
                return Name(b"", place)
        return None
    found = _first_difference(
        *(
            [int64_at(row, place) for place in range(entries(posting, game.index))]
            for row in _rows(game, shown, material)
        )
    )
    return None if found is None else Name(shown.leaf, found)


def _falsify(game: Game, posting: Posting, shown: Shown, material: Material) -> ChallengerMove | None:
    column, own = shown.column, material.column(posting, game.place)
    both = ([int16_at(values, 2 * index) for index in range(posting.columns)] for values in (column, own))
    found = _first_difference(*both)
    if found is not None:
        return Falsify(column, found, material.tree(found).open(game.index), _groups(posting, shown))
    found = _first_difference(weights_in(posting, own), weights_in(posting, column))
    if found is not None:
        return FalsifyWeight(column, found)
    if _clips(posting):
        norms = (shown.norms.content, material.measures.rows[1])
        found = _first_difference(*([int64_at(row, index) for index in range(posting.columns)] for row in norms))
        if found is not None:
            return DisputeNorm(found, shown.norms)
    return None


def _choose(game: Game, posting: Posting, shown: Shown, material: Material) -> ChallengerMove | None:
    own = [material.partial(posting, game.index, game.place, *pair) for pair in segments(game.low, game.high)]
    found = _first_difference(own, shown.sums)
    return None if found is None else Choose(shown.sums, found)


def _product(game: Game, posting: Posting, shown: Shown, material: Material) -> ChallengerMove | None:
    row, place, chunk = game.index, game.place, game.low
    if material.partial(posting, row, place, chunk, chunk + 1) == game.claimed:
        return None
    groups = _groups(posting, shown)
    if row == 0:
        left = NOTHING if place == posting.columns else material.tree(place).open(chunk)
        return Product(left, material.result.tree.open(chunk), groups)
    if _clips(posting):
        return Product(material.tree(place).open(chunk), NOTHING, groups)
    return Product(material.tree(row - 1).open(chunk), material.tree(place).open(chunk), groups)


_SOLVERS: dict[Stage, Solver] = {
    Stage.PICK: _pick,
    Stage.NAME: _name,
    Stage.FALSIFY: _falsify,
    Stage.CHOOSE: _choose,
    Stage.PRODUCT: _product,
}


def _groups(posting: Posting, shown: Shown) -> Opening:
    """The row of the columns' roots, if it is needed: in plain mode a leader may have shown anything in its place."""
    return shown.groups if posting.mode is Mode.SECURE else NOTHING


def _rows(game: Game, shown: Shown, material: Material) -> tuple[bytes, bytes]:
    return shown.leaf, material.measures.rows[game.index]


def _first_coordinate(posting: Posting, own: Result, other: Result) -> int:
    """Where two results of one shape and different roots differ first."""
    leaf_bytes = own.shape.leaf_bytes
    chunk = int(np.flatnonzero(own.file != other.file)[0]) // leaf_bytes
    leaves = own.tree.content(chunk), other.tree.content(chunk)
    places = range(chunk * CHUNK, chunk * CHUNK + chunk_length(posting.dimension, chunk))
    return next(at for at in places if words_at(posting, at, leaves[0]) != words_at(posting, at, leaves[1]))


def _first_entry(own: Measures, other: Measures) -> tuple[int, int]:
    """Row and place where two measures, whose columns' roots are the same, differ first."""
    pairs = zip(own.rows, other.rows, strict=True)
    row = next(row for row, pair in enumerate(pairs) if pair[0] != pair[1])
    found = _first_difference(read_row(own.rows[row]), read_row(other.rows[row]))
    if found is None:
        raise Bug("rows that differ in no entry")
    return row, found


def _wrong_selection(posting: Posting, measures: Measures) -> ProveSelection | None:
    """The worst of the selected and the best of the others, if they are in the wrong order."""
    if not posting.rule.selects:
        return None
    scores = {column: (score(posting, column, measures.rows[1 + column]), column) for column in range(posting.columns)}
    selected = [scores[column] for column in scores if posting.selection >> column & 1]
    left_out = [scores[column] for column in scores if not posting.selection >> column & 1]
    if not selected or not left_out or max(selected) < min(left_out):
        return None
    worst, best = max(selected)[1], min(left_out)[1]
    return ProveSelection(worst, best, measures.open(1 + worst), measures.open(1 + best))


def _same_groups(posting: Posting, own: Measures, other: Measures | None) -> bool:
    return other is not None and other.root == posting.measures_root and other.rows[-1] == own.rows[-1]


def _clips(posting: Posting) -> bool:
    return posting.rule.rule is AggregationRule.CLIPPED_MEAN


def _wrong_norm(posting: Posting, own: Measures, other: Measures | None) -> int | None:
    """The column whose norm is another in the leader's file, if that can be had and is what it posted."""
    if other is None or other.root != posting.measures_root:
        return None
    return _first_difference(read_row(own.rows[1]), read_row(other.rows[1]))


def _first_difference(own: Sequence[int], other: Sequence[int]) -> int | None:
    return next((index for index, pair in enumerate(zip(own, other, strict=False)) if pair[0] != pair[1]), None)
