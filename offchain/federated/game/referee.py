"""What the court makes of a move: the twin of `contracts/federated/FederatedCourt.sol`, without stakes.

A worker checks a move here before it pays for it; simulations play whole games here. A refused move changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.dispute.proofs import Refused, root_of, root_of_all
from offchain.dispute.segments import segment, segment_count
from offchain.federated.game import arithmetic
from offchain.federated.game.moves import (
    AnswerColumn,
    Begin,
    Challenge,
    ChallengeCoordinate,
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
    ProveSelection,
    Segments,
    TurnToResult,
)
from offchain.federated.game.state import ZERO, Game, Side, Stage, Subject, Verdict
from offchain.federated.game.tree_walk import below, height_of
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, Mode
from offchain.federated.vector_tree import CHUNK, LeafKind, Opening, chunk_count, chunk_length, leaf_hash
from offchain.types import Seconds, TaskId, Wei

_STAGES: dict[type[Any], Stage] = {
    Descend: Stage.DESCEND,
    Pick: Stage.PICK,
    TurnToResult: Stage.PICK,
    OpenLeaf: Stage.LEAF,
    Name: Stage.NAME,
    AnswerColumn: Stage.COLUMN,
    Falsify: Stage.FALSIFY,
    FalsifyWeight: Stage.FALSIFY,
    DisputeNorm: Stage.FALSIFY,
    Segments: Stage.SEGMENTS,
    Choose: Stage.CHOOSE,
    Product: Stage.PRODUCT,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the court reads elsewhere: the posting, and in plain mode the roots of its columns' updates.

    weights: of the columns: samples, or survivors of groups.
    """

    posting: Posting
    column_roots: tuple[bytes, ...]
    weights: tuple[int, ...]


def begin(
    facts: Facts, move: Begin, challenger: ChecksumAddress, now: int, *, stake: Wei, share_ppm: int, task: TaskId
) -> Game:
    """A new game. Raises Refused."""
    posting = facts.posting
    game = Game(
        challenger=challenger,
        deadline=Seconds(now + posting.move_seconds),
        move_seconds=posting.move_seconds,
        stage=Stage.COLUMN,
        subject=Subject.RESULT,
        verdict=Verdict.NONE,
        height=0,
        leader=posting.leader,
        task=task,
        posting=posting.posting,
        stake=stake,
        share_ppm=share_ppm,
        index=0,
        place=0,
        low=0,
        high=0,
        dimension=posting.dimension,
        leaves=0,
        words=posting.optimizer.definition.words,
        claimed=0,
        word=ZERO,
    )
    if isinstance(move, Challenge):
        if move.subject is Subject.NONE:
            raise Refused("SubjectRequired")
        _require_open(posting, challenger, now)
        if move.subject is Subject.RESULT:
            return _entered(game, posting.result_root, chunk_count(posting.dimension))
        measures = dataclasses.replace(game, subject=Subject.MEASURES)
        return _entered(measures, posting.measures_root, arithmetic.shape_of(posting).rows)
    _require_place_of(posting, move)
    _require_open(posting, challenger, now)
    if isinstance(move, ChallengeCoordinate):
        return dataclasses.replace(game, index=move.coordinate // CHUNK, place=move.coordinate)
    return dataclasses.replace(game, stage=Stage.LEAF, subject=Subject.MEASURES, index=move.row, place=move.column)


def apply_move(game: Game, move: Move, player: ChecksumAddress, now: int, facts: Facts, *, live: bool = True) -> Game:
    """The game after a move; closed, with its verdict, if the move decides it. Raises Refused.

    live: whether the posting is still in force.
    """
    expected = _STAGES[type(move)]
    if game.stage is not expected:
        raise Refused("WrongStage", expected, game.stage)
    on_turn = game.player(game.on_turn or Side.LEADER)
    if player != on_turn:
        raise Refused("NotYourTurn", on_turn, player)
    if now >= game.deadline:
        raise Refused("TooLate", game.deadline)
    if not live:
        raise Refused("NotLive")
    after = _HANDLERS[type(move)](game, move, facts)
    if after.stage is Stage.CLOSED:
        return after
    return dataclasses.replace(after, deadline=Seconds(now + game.move_seconds))


def time_out(game: Game, now: int, *, live: bool = True) -> Game:
    """The game that the player on turn has let pass: lost, or moot if the posting is gone. Raises Refused."""
    if game.stage is Stage.CLOSED:
        raise Refused("AlreadyClosed")
    if now < game.deadline:
        raise Refused("NotLate", game.deadline)
    if not live:
        return _closed(game, Verdict.MOOT)
    return _closed(game, Verdict.LEADER_WRONG if game.on_turn is Side.LEADER else Verdict.LEADER_RIGHT)


def close(game: Game, *, live: bool) -> Game:
    """The game about a posting that is gone: moot. Raises Refused."""
    if game.stage is Stage.CLOSED:
        raise Refused("AlreadyClosed")
    if live:
        raise Refused("StillLive")
    return _closed(game, Verdict.MOOT)


def check_selection(facts: Facts, move: ProveSelection) -> None:
    """Whether the selection is proven wrong; if not, raises Refused."""
    posting = facts.posting
    if not posting.rule.selects:
        raise Refused("WrongRule", posting.rule.rule)
    for column in (move.selected, move.left_out):
        _require_place(posting.columns, column)
    if not posting.selection >> move.selected & 1 or posting.selection >> move.left_out & 1:
        raise Refused("NotSelected")
    ranks = []
    for column, row in ((move.selected, move.selected_row), (move.left_out, move.left_out_row)):
        _require_row(posting, 1 + column, row)
        ranks.append((arithmetic.score(posting, column, row.content), column))
    if ranks[0] < ranks[1]:
        raise Refused("NothingWrong")


def _descend(game: Game, move: Descend, _: Facts) -> Game:
    _require("WrongCount", below(game)[2], len(move.nodes))
    _require("WrongRoot", game.word, root_of_all(move.nodes))
    return dataclasses.replace(game, stage=Stage.PICK)


def _pick(game: Game, move: Pick, _: Facts) -> Game:
    height, first, count = below(game)
    _require("WrongRoot", game.word, root_of(move.node, move.index, count, move.proof))
    stage = Stage.DESCEND if height else Stage.LEAF
    return dataclasses.replace(game, stage=stage, height=height, index=first + move.index, word=move.node)


def _turn_to_result(game: Game, _: TurnToResult, facts: Facts) -> Game:
    if game.subject is not Subject.MEASURES:
        raise Refused("SubjectRequired")
    turned = dataclasses.replace(game, subject=Subject.RESULT, index=0)
    return _entered(turned, facts.posting.result_root, chunk_count(game.dimension))


def _open_leaf(game: Game, move: OpenLeaf, facts: Facts) -> Game:
    posting = facts.posting
    if game.subject is Subject.RESULT:
        _require_result_leaf(game, posting, move.leaf)
        return dataclasses.replace(game, stage=Stage.NAME)
    shape = arithmetic.shape_of(posting)
    if posting.mode is Mode.SECURE:
        _require_row(posting, shape.rows - 1, move.groups)
    if not game.descended:
        _require_row(posting, game.index, move.leaf)
        return _divided(game, arithmetic.int64_at(move.leaf.content, game.place))
    _require("WrongLength", shape.row_bytes[game.index], len(move.leaf.content))
    _require("WrongWord", game.word, leaf_hash(LeafKind.MEASURES, move.leaf.content))
    return dataclasses.replace(game, stage=Stage.NAME)


def _name(game: Game, move: Name, facts: Facts) -> Game:
    posting, place = facts.posting, move.place
    if game.subject is Subject.RESULT:
        _require_place(posting.dimension, place)
        _require("NoSuchPlace", game.index, place // CHUNK)
        return dataclasses.replace(game, stage=Stage.COLUMN, place=place)
    _require_place(arithmetic.number_rows(posting), game.index)
    _require_place(arithmetic.entries(posting, game.index), place)
    _require("WrongWord", game.word, leaf_hash(LeafKind.MEASURES, move.content))
    return _divided(dataclasses.replace(game, place=place), arithmetic.int64_at(move.content, place))


def _answer_column(game: Game, move: AnswerColumn, facts: Facts) -> Game:
    posting = facts.posting
    _require_result_leaf(game, posting, move.new_leaf)
    _require_under(posting.previous_root, posting, LeafKind.RESULT, game.index, move.old_leaf)
    _require("WrongLength", arithmetic.column_bytes(posting), len(move.column))
    if posting.mode is Mode.SECURE:
        _require_row(posting, arithmetic.number_rows(posting), move.groups)
    clips = posting.rule.rule is AggregationRule.CLIPPED_MEAN
    if clips:
        _require_row(posting, 1, move.norms)
    leaves, norms = (move.new_leaf.content, move.old_leaf.content), move.norms.content if clips else b""
    claimed, computed = arithmetic.coordinate(posting, game.place, leaves, move.column, norms)
    answered = dataclasses.replace(game, stage=Stage.FALSIFY, word=keccak(move.column))
    return answered if claimed == computed else _closed(answered, Verdict.LEADER_WRONG)


def _falsify(game: Game, move: Falsify, facts: Facts) -> Game:
    _require("WrongWord", game.word, keccak(move.column))
    _require_place(facts.posting.columns, move.index)
    _require_column_leaf(facts, move.index, game.index, move.chunk, move.groups)
    claimed = arithmetic.int16_at(move.column, 2 * move.index)
    if arithmetic.int16_at(move.chunk.content, 2 * (game.place % CHUNK)) == claimed:
        raise Refused("NothingWrong", claimed)
    return _closed(game, Verdict.LEADER_WRONG)


def _falsify_weight(game: Game, move: FalsifyWeight, facts: Facts) -> Game:
    _require("WrongWord", game.word, keccak(move.column))
    if facts.posting.rule.rule is not AggregationRule.MEAN:
        raise Refused("WrongRule", facts.posting.rule.rule)
    _require_place(facts.posting.columns, move.index)
    claimed = arithmetic.weights_in(facts.posting, move.column)[move.index]
    if facts.weights[move.index] == claimed:
        raise Refused("NothingWrong", claimed)
    return _closed(game, Verdict.LEADER_WRONG)


def _dispute_norm(game: Game, move: DisputeNorm, facts: Facts) -> Game:
    posting = facts.posting
    if posting.rule.rule is not AggregationRule.CLIPPED_MEAN:
        raise Refused("WrongRule", posting.rule.rule)
    _require_place(posting.columns, move.index)
    _require_row(posting, 1, move.norms)
    moved = dataclasses.replace(game, subject=Subject.MEASURES, index=1, place=move.index)
    return _divided(moved, arithmetic.int64_at(move.norms.content, move.index))


def _segments(game: Game, move: Segments, _: Facts) -> Game:
    _require("WrongCount", segment_count(game.low, game.high), len(move.sums))
    _require("WrongSum", game.claimed, sum(move.sums))
    return dataclasses.replace(game, stage=Stage.CHOOSE, word=_hash_numbers(move.sums))


def _choose(game: Game, move: Choose, _: Facts) -> Game:
    _require("WrongWord", game.word, _hash_numbers(move.sums))
    _require_place(len(move.sums), move.index)
    low, high = segment(game.low, game.high, move.index)
    stage = Stage.PRODUCT if high - low == 1 else Stage.SEGMENTS
    return dataclasses.replace(game, stage=stage, low=low, high=high, claimed=move.sums[move.index])


def _product(game: Game, move: Product, facts: Facts) -> Game:
    computed = _sum(game, move, facts)
    if computed == game.claimed:
        raise Refused("NothingWrong", computed)
    return _closed(game, Verdict.LEADER_WRONG)


def _sum(game: Game, move: Product, facts: Facts) -> int:
    posting, row, place, chunk = facts.posting, game.index, game.place, game.low
    length = chunk_length(posting.dimension, chunk)
    left, right = move.left.content, move.right.content
    if row == 0:
        _require_under(posting.result_root, posting, LeafKind.RESULT, chunk, move.right)
        if place == posting.columns:
            return arithmetic.dot(right, right, length)
        _require_column_leaf(facts, place, chunk, move.left, move.groups)
        return arithmetic.dot(left, right, length)
    if posting.rule.rule is AggregationRule.CLIPPED_MEAN:
        _require_column_leaf(facts, place, chunk, move.left, move.groups)
        return arithmetic.dot(left, left, length)
    _require_column_leaf(facts, row - 1, chunk, move.left, move.groups)
    _require_column_leaf(facts, place, chunk, move.right, move.groups)
    return arithmetic.distance(left, right, length)


_HANDLERS: dict[type[Any], Callable[[Game, Any, Facts], Game]] = {
    Descend: _descend,
    Pick: _pick,
    TurnToResult: _turn_to_result,
    OpenLeaf: _open_leaf,
    Name: _name,
    AnswerColumn: _answer_column,
    Falsify: _falsify,
    FalsifyWeight: _falsify_weight,
    DisputeNorm: _dispute_norm,
    Segments: _segments,
    Choose: _choose,
    Product: _product,
}


def _entered(game: Game, root: bytes, leaves: int) -> Game:
    height = height_of(leaves)
    stage = Stage.DESCEND if height else Stage.LEAF
    return dataclasses.replace(game, stage=stage, word=root, height=height, leaves=leaves)


def _divided(game: Game, claimed: int) -> Game:
    chunks = chunk_count(game.dimension)
    stage = Stage.PRODUCT if chunks == 1 else Stage.SEGMENTS
    return dataclasses.replace(game, stage=stage, low=0, high=chunks, claimed=claimed)


def _closed(game: Game, verdict: Verdict) -> Game:
    return dataclasses.replace(game, stage=Stage.CLOSED, verdict=verdict)


def _require_open(posting: Posting, challenger: ChecksumAddress, now: int) -> None:
    if now >= posting.challenge_ends:
        raise Refused("WindowClosed", posting.challenge_ends)
    if challenger == posting.leader:
        raise Refused("OwnPosting", challenger)


def _require_place_of(posting: Posting, move: Begin) -> None:
    if isinstance(move, ChallengeCoordinate):
        _require_place(posting.dimension, move.coordinate)
    elif not isinstance(move, Challenge):
        _require_place(arithmetic.number_rows(posting), move.row)
        _require_place(arithmetic.entries(posting, move.row), move.column)


def _require_result_leaf(game: Game, posting: Posting, leaf: Opening) -> None:
    each = 2 + 4 * posting.optimizer.definition.words
    _require("WrongLength", chunk_length(posting.dimension, game.index) * each, len(leaf.content))
    if game.descended:
        _require("WrongWord", game.word, leaf_hash(LeafKind.RESULT, leaf.content))
    else:
        _require_under(posting.result_root, posting, LeafKind.RESULT, game.index, leaf)


def _require_column_leaf(facts: Facts, column: int, index: int, leaf: Opening, groups: Opening) -> None:
    posting = facts.posting
    if posting.mode is Mode.SECURE:
        _require_row(posting, arithmetic.number_rows(posting), groups)
        root = groups.content[32 * column : 32 * column + 32]
    else:
        root = facts.column_roots[column]
    _require_under(root, posting, LeafKind.UPDATE, index, leaf)


def _require_under(root: bytes, posting: Posting, kind: LeafKind, index: int, leaf: Opening) -> None:
    found = root_of(leaf_hash(kind, leaf.content), index, chunk_count(posting.dimension), leaf.proof)
    _require("WrongRoot", root, found)


def _require_row(posting: Posting, row: int, opening: Opening) -> None:
    shape = arithmetic.shape_of(posting)
    _require("WrongLength", shape.row_bytes[row], len(opening.content))
    found = root_of(leaf_hash(LeafKind.MEASURES, opening.content), row, shape.rows, opening.proof)
    _require("WrongRoot", posting.measures_root, found)


def _require_place(count: int, index: int) -> None:
    if index >= count:
        raise Refused("NoSuchPlace", count, index)


def _require(name: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise Refused(name, expected, actual)


def _hash_numbers(numbers: Sequence[int]) -> bytes:
    return bytes(keccak(encode(["int64[]"], [list(numbers)])))
