"""Which columns a round has, in both modes, from what the chain keeps of it."""

from __future__ import annotations

from offchain.federated.groups import Group, assign, columns
from offchain.federated.measures import MeasuresShape
from offchain.federated.task_state import RoundRecord, RoundState, indices
from offchain.federated.terms import FederatedTerms


def survivors(terms: FederatedTerms, seed: bytes, number: int, on: RoundState | RoundRecord) -> tuple[Group, ...]:
    """For each column whose updates it is made of: one each, or in secure mode the groups that can be unmasked."""
    included = tuple(indices(on.included))
    if not terms.is_secure:
        return tuple((index,) for index in included)
    groups = assign(seed, number, tuple(indices(on.roster)), terms.group_size)
    return columns(groups, included, tuple(indices(on.answered)))


def measures_shape(terms: FederatedTerms, record: RoundRecord, number: int) -> MeasuresShape:
    """How the measures of a final round lie in their file."""
    return MeasuresShape(
        len(survivors(terms, record.seed, number, record)), terms.rule.evidence, secure=terms.is_secure
    )
