"""Rounds to play games about: random columns and terms, what an honest leader posts, and what named liars do.

A liar is a posting with the material that its leader plays from. The worst have a world of their own in which all
agrees: columns with another value, other weights, other norms; only what others committed to tells against them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from offchain.federated.game.material import Column, Material, compute, right_selection
from offchain.federated.measures import Measures
from offchain.federated.results import Result, initial_result, next_result
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, Mode
from offchain.federated.vector_tree import CHUNK, FileTree, LeafKind, leaf_hash, rows_tree
from offchain.model.merkle import MerkleTree
from offchain.types import Seconds
from tests.contracts.federated.drawing import draw_posting
from tests.simulation.evm import account

LEADER, CHALLENGER = account(1), account(2)
START = 1_700_000_000
MOVE_SECONDS = 60
CHALLENGE_SECONDS = 500

Generator = np.random.Generator


@dataclass(frozen=True)
class World:
    """A round with its right posting: the honest leader's, from `material`."""

    posting: Posting
    material: Material
    column_roots: tuple[bytes, ...]


@dataclass(frozen=True)
class Lie:
    """A wrong posting, and what its leader plays from."""

    posting: Posting
    material: Material


def random_world(rng: Generator, rule: AggregationRule, *, secure: bool = False, dimension: int = 0) -> World:
    """7 to 20 columns of up to 3,000 coordinates; in secure mode they are groups' means."""
    columns = int(rng.integers(7, 21))
    dimension = dimension or int(rng.choice([1, 200, 256, 257, int(rng.integers(1, 3_000))]))
    posting = draw_posting(rule, rng, columns, dimension)
    if rule in (AggregationRule.KRUM, AggregationRule.MULTI_KRUM):
        few = dataclasses.replace(posting.rule, parameter=min(posting.rule.parameter, 150_000))
        if rule is AggregationRule.MULTI_KRUM:
            few = dataclasses.replace(few, selected=min(posting.rule.selected, 500_000))
        posting = dataclasses.replace(posting, rule=few)
    if rule is AggregationRule.CLIPPED_MEAN:
        limit = int(rng.integers(1, max(2, int(20_000 * dimension**0.5))))
        posting = dataclasses.replace(posting, rule=dataclasses.replace(posting.rule, parameter=limit))
    updates = [rng.integers(-32768, 32768, dimension).astype(np.int16) for _ in range(columns)]
    return make_world(rng, posting, updates, secure=secure)


def make_world(rng: Generator, posting: Posting, updates: Sequence[Column], *, secure: bool = False) -> World:
    """The world of these updates and the posting's terms."""
    weights = [int(weight) for weight in rng.integers(1, 1 << 20, len(updates))]
    optimizer = posting.optimizer.definition
    model = rng.integers(-(2**31), 2**31, posting.dimension, np.int32)
    start = initial_result(optimizer, model)
    previous = next_result(optimizer, start, rng.integers(-32768, 32768, posting.dimension).astype(np.int16))
    selection = right_selection(posting.rule, updates)
    made = compute(posting.rule, posting.optimizer, updates, weights, previous, selection=selection, secure=secure)
    posting = dataclasses.replace(
        posting,
        leader=LEADER,
        mode=Mode.SECURE if secure else Mode.PLAIN,
        challenge_ends=Seconds(START + CHALLENGE_SECONDS),
        move_seconds=Seconds(MOVE_SECONDS),
        previous_root=previous.root,
        selection=selection,
    )
    roots = tuple(made.tree(index).root for index in range(len(updates)))
    return World(posted(posting, made), made, () if secure else roots)


def posted(posting: Posting, material: Material) -> Posting:
    """The posting with the roots of this material."""
    return dataclasses.replace(posting, result_root=material.result.root, measures_root=material.measures.root)


def wrong_coordinate(world: World, rng: Generator) -> Lie | None:
    """One value of the aggregate is another; the words follow from the right one."""
    return _in_result(world, rng, 0)


def wrong_word(world: World, rng: Generator) -> Lie | None:
    """One word of the optimiser is another."""
    return _in_result(world, rng, int(rng.integers(1, 1 + world.posting.optimizer.definition.words)))


def own_step(world: World, rng: Generator) -> Lie | None:
    """Another aggregate at one coordinate, and everything that follows from it, measures too."""
    aggregate = world.material.aggregate.copy()
    place = int(rng.integers(0, len(aggregate)))
    aggregate[place] ^= 1 << int(rng.integers(0, 15))
    material = world.material
    result = next_result(world.posting.optimizer.definition, material.previous, aggregate)
    return _posted(world, dataclasses.replace(material, result=result, _trees={}))


def lying_column(world: World, rng: Generator) -> Lie | None:
    """Everything agrees with columns of which one is not what its author committed to."""
    columns = [column.copy() for column in world.material.columns]
    index, place = int(rng.integers(0, len(columns))), int(rng.integers(0, world.posting.dimension))
    columns[index][place] = -columns[index][place] - 1
    return _computed(world, columns, world.material.weights)


def wrong_weight(world: World, rng: Generator) -> Lie | None:
    """One participant counts for more."""
    if world.posting.rule.rule is not AggregationRule.MEAN:
        return None
    weights = list(world.material.weights)
    weights[int(rng.integers(0, len(weights)))] = 1 << 20
    return _computed(world, world.material.columns, weights)


def wrong_norm(world: World, rng: Generator) -> Lie | None:
    """A column is said to be shorter or longer than it is, and the result follows from that."""
    if world.posting.rule.rule is not AggregationRule.CLIPPED_MEAN:
        return None
    norms = np.frombuffer(world.material.measures.rows[1], ">i8").copy()
    index = int(rng.integers(0, len(norms)))
    norms[index] = 0 if rng.random() < 0.5 else int(norms[index]) * 9 + 1
    material = world.material
    limit, count = world.posting.rule.parameter, len(norms)
    lengths = np.ceil(np.sqrt(norms.astype(np.float64))).astype(np.int64)
    total = np.zeros(world.posting.dimension, np.int64)
    for column, length in zip(material.columns, lengths, strict=True):
        wide = column.astype(np.int64)
        total += wide if length <= limit else (wide * limit + length // 2) // length
    aggregate = np.clip((total + count // 2) // count, -32768, 32767).astype(np.int16)
    rows = (material.measures.rows[0], norms.tobytes(), *material.measures.rows[2:])
    result = next_result(world.posting.optimizer.definition, material.previous, aggregate)
    return _posted(world, dataclasses.replace(material, result=result, measures=_measures(material, rows)))


def wrong_product(world: World, rng: Generator) -> Lie | None:
    """A participant is said to have contributed something else."""
    return _in_measures(world, rng, 0)


def wrong_evidence(world: World, rng: Generator) -> Lie | None:
    """One norm, or one distance (so the matrix is not symmetric), is another; the result is right."""
    rows = len(world.material.measures.rows) - (world.posting.mode is Mode.SECURE)
    return None if rows == 1 else _in_measures(world, rng, int(rng.integers(1, rows)))


def wrong_selection(world: World, rng: Generator) -> Lie | None:
    """One of the selected is another, and the rest follows from that."""
    posting, material = world.posting, world.material
    inside = [i for i in range(posting.columns) if posting.selection >> i & 1]
    outside = [i for i in range(posting.columns) if not posting.selection >> i & 1]
    if not inside or not outside:
        return None
    selection = posting.selection ^ 1 << int(rng.choice(inside)) ^ 1 << int(rng.choice(outside))
    return _computed(world, material.columns, material.weights, selection)


def long_leaf(world: World, rng: Generator) -> Lie | None:
    """A leaf of the result is longer than it may be."""
    return _malformed(world, rng, b"\0\0")


def short_leaf(world: World, rng: Generator) -> Lie | None:
    """A leaf of the result is shorter than it must be."""
    return _malformed(world, rng, b"")


LIES: tuple[Callable[[World, Generator], Lie | None], ...] = (
    wrong_coordinate,
    wrong_word,
    own_step,
    lying_column,
    wrong_weight,
    wrong_norm,
    wrong_product,
    wrong_evidence,
    wrong_selection,
    long_leaf,
    short_leaf,
)


class _Malformed(FileTree):
    """A tree one leaf of which has another length."""

    def __init__(self, tree: FileTree, index: int, content: bytes) -> None:
        self._tree, self._index, self._other = tree, index, content
        hashes = [bytes(tree.merkle.leaf(at)) for at in range(len(tree))]
        hashes[index] = leaf_hash(LeafKind.RESULT, content)
        self.merkle = MerkleTree(np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32))

    def content(self, index: int) -> bytes:
        return self._other if index == self._index else self._tree.content(index)


def _malformed(world: World, rng: Generator, tail: bytes) -> Lie:
    tree = world.material.result.tree
    index = int(rng.integers(0, len(tree)))
    content = tree.content(index)
    result = Result(world.material.result.shape, world.material.result.file)
    result.__dict__["tree"] = _Malformed(tree, index, content + tail if tail else content[:-1])
    return _posted(world, dataclasses.replace(world.material, result=result))


def _in_result(world: World, rng: Generator, word: int) -> Lie:
    result, place = world.material.result, int(rng.integers(0, world.posting.dimension))
    length = min(CHUNK, world.posting.dimension - place // CHUNK * CHUNK)
    start = place // CHUNK * result.shape.leaf_bytes
    start += 2 * (place % CHUNK) if word == 0 else (4 * word - 2) * length + 4 * (place % CHUNK)
    file = result.file.copy()
    file[start] ^= 1 << int(rng.integers(0, 8))
    return _posted(world, dataclasses.replace(world.material, result=Result(result.shape, file)))


def _in_measures(world: World, rng: Generator, row: int) -> Lie:
    rows = [bytearray(line) for line in world.material.measures.rows]
    rows[row][8 * int(rng.integers(0, len(rows[row]) // 8)) + 7] ^= 1 << int(rng.integers(0, 8))
    measures = _measures(world.material, tuple(map(bytes, rows)))
    return _posted(world, dataclasses.replace(world.material, measures=measures))


def _measures(material: Material, rows: tuple[bytes, ...]) -> Measures:
    measures = Measures(material.measures.shape, rows)
    assert measures.root == rows_tree(LeafKind.MEASURES, rows).root
    return measures


def _computed(world: World, columns: Sequence[Column], weights: Sequence[int], selection: int | None = None) -> Lie:
    posting = world.posting
    chosen = posting.selection if selection is None else selection
    secure = posting.mode is Mode.SECURE
    made = compute(
        posting.rule, posting.optimizer, columns, weights, world.material.previous, selection=chosen, secure=secure
    )
    if secure:  # the columns' roots are what the unmask game decides; here they are right
        rows = (*made.measures.rows[:-1], world.material.measures.rows[-1])
        made = dataclasses.replace(made, measures=_measures(made, rows))
    return _posted(world, made, chosen)


def _posted(world: World, material: Material, selection: int | None = None) -> Lie:
    chosen = world.posting.selection if selection is None else selection
    return Lie(posted(dataclasses.replace(world.posting, selection=chosen), material), material)


def is_lie(world: World, lie: Lie) -> bool:
    """Whether it says anything else than the truth."""
    same = (lie.posting.result_root, lie.posting.measures_root, lie.posting.selection)
    return same != (world.posting.result_root, world.posting.measures_root, world.posting.selection)
