"""What a player has: columns, the result before, and what it says result and measures are; trees are made when needed.

An honest player's result and measures are computed (`compute`): they are determined by the columns. A leader that
posted something else would put that in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.federated.aggregation.rule import Rule, RuleId, aggregate
from offchain.federated.game.arithmetic import entries, number_rows, shape_of
from offchain.federated.measures import Measures, compute_measures
from offchain.federated.results import Result, next_result
from offchain.federated.task_state import Posting, bitmap_of, indices
from offchain.federated.terms import AggregationRule, Mode, OptimizerTerms, RuleTerms
from offchain.federated.vector_tree import CHUNK, FileTree, Opening, update_tree

Column = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Material:
    """columns: int16 (d,) each, what the rule combines. weights: one each (samples, or survivors of a group)."""

    columns: Sequence[Column]
    weights: tuple[int, ...]
    previous: Result
    result: Result
    measures: Measures
    _trees: dict[int, FileTree] = field(default_factory=dict, compare=False, repr=False)

    def tree(self, column: int) -> FileTree:
        """The tree of a column, kind 5."""
        if column not in self._trees:
            self._trees[column] = update_tree(self.columns[column])
        return self._trees[column]

    @cached_property
    def aggregate(self) -> Column:
        """What this player says the aggregate is, int16 (d,), read-only."""
        found = self.result.aggregate
        found.flags.writeable = False
        return found

    @property
    def dimension(self) -> int:
        """d."""
        return self.result.shape.dimension

    def column(self, posting: Posting, coordinate: int) -> bytes:
        """The columns' values at a coordinate, int16 little-endian; for Mean then their weights, uint32 LE."""
        values = np.array([column[coordinate] for column in self.columns], dtype="<i2").tobytes()
        weighs = posting.rule.rule is AggregationRule.MEAN
        return values + (np.array(self.weights, dtype="<u4").tobytes() if weighs else b"")

    def groups(self, posting: Posting) -> Opening:
        """The row of the columns' roots; empty in plain mode."""
        if posting.mode is not Mode.SECURE:
            return Opening(b"", ())
        return self.measures.open(number_rows(posting))

    def sides(self, posting: Posting, row: int, place: int) -> tuple[Column, Column, bool]:
        """The two vectors of an entry of the measures, and whether it is a squared distance and not a product."""
        if not (row < number_rows(posting) and place < entries(posting, row)):
            raise Bug(f"entry {place} of row {row}")
        if row == 0:
            return (self.aggregate if place == posting.columns else self.columns[place]), self.aggregate, False
        if posting.rule.rule is AggregationRule.CLIPPED_MEAN:
            return self.columns[place], self.columns[place], False
        return self.columns[row - 1], self.columns[place], True

    def partial(self, posting: Posting, row: int, place: int, low: int, high: int) -> int:
        """The part of an entry that the chunks [low, high) make."""
        left, right, squared = self.sides(posting, row, place)
        span = slice(low * CHUNK, high * CHUNK)
        x, y = left[span].astype(np.int64), right[span].astype(np.int64)
        return int(np.dot(x - y, x - y) if squared else np.dot(x, y))


def right_selection(rule: RuleTerms, columns: Sequence[Column]) -> int:
    """The bitmap that a leader has to post: 0 for rules that select nothing."""
    if not rule.selects:
        return 0
    return bitmap_of(aggregate(rule.definition, columns).chosen)


def compute(
    rule: RuleTerms,
    optimizer: OptimizerTerms,
    columns: Sequence[Column],
    weights: Sequence[int],
    previous: Result,
    *,
    selection: int = 0,
    secure: bool = False,
) -> Material:
    """What follows from columns int16 (d,) each: result and measures.

    selection: the bitmap of what Krum or Multi-Krum selected as the leader posted it, right or wrong: the result
    follows from it. Raises Rejected when the rule does not fit the columns.
    """
    if rule.selects:
        chosen = [columns[index] for index in indices(selection)]
        combined = aggregate(Rule(RuleId.MEAN), chosen, [1] * len(chosen)).aggregate
    else:
        combined = aggregate(rule.definition, columns, weights).aggregate
    trees = {index: update_tree(column) for index, column in enumerate(columns)} if secure else {}
    roots = [tree.root for tree in trees.values()]
    return Material(
        columns,
        tuple(weights),
        previous,
        next_result(optimizer.definition, previous, combined),
        compute_measures(columns, combined, rule.evidence, roots),
        trees,
    )


def judge(posting: Posting, columns: Sequence[Column], weights: Sequence[int], previous: Result) -> Material:
    """What a posting ought to be, given what its leader says was selected."""
    secure = shape_of(posting).secure
    return compute(
        posting.rule, posting.optimizer, columns, weights, previous, selection=posting.selection, secure=secure
    )
