"""What a round's posting must say: everything follows from the updates, the last result and the terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.federated.aggregation.rule import aggregate
from offchain.federated.measures import Column, Measures, compute_measures
from offchain.federated.results import Result, next_result
from offchain.federated.round_rules import Expected
from offchain.federated.terms import FederatedTerms


@dataclass(frozen=True, slots=True)
class Computed:
    """A round's columns (int16 (d,) each), what the rule and the optimiser make of them, and the selection posted."""

    columns: tuple[Column, ...]
    weights: tuple[int, ...]
    previous: Result
    result: Result
    measures: Measures
    selection: int

    @property
    def expected(self) -> Expected:
        """What the chain must hold."""
        return Expected(self.result.root, self.measures.root, self.selection)


def compute_round(
    terms: FederatedTerms,
    previous: Result,
    columns: Sequence[Column],
    weights: Sequence[int],
    group_roots: Sequence[bytes] = (),
    *,
    threads: int = 1,
) -> Computed:
    """The round's result and measures; `group_roots` in secure mode. Raises Rejected when the rule takes no so few."""
    outcome = aggregate(terms.rule.definition, columns, weights, threads=threads)
    result = next_result(terms.optimizer.definition, previous, outcome.aggregate)
    measures = compute_measures(columns, outcome.aggregate, terms.rule.evidence, group_roots)
    selection = sum(1 << place for place in outcome.chosen) if terms.rule.selects else 0
    return Computed(tuple(columns), tuple(weights), previous, result, measures, selection)
