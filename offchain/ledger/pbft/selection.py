"""With what a view begins, given a set of view changes: the decision procedure of TOCS 2002, figure 3.

Every replica computes it for itself, so it is a pure function of the set. It differs from the figure in that the
contents of a batch need not be known (condition A3): a batch that passes A2 was accepted by a correct replica, so
everybody can fetch it. Null batches at the end are left out; numbers above the last choice are the new primary's to
propose for.
"""

from collections.abc import Collection
from dataclasses import dataclass

from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.messages import Entry, ViewChange
from offchain.ledger.pbft.state import NULL_DIGEST
from offchain.ledger.types import Digest, Sequence


@dataclass(frozen=True, slots=True)
class Selection:
    """The view begins after checkpoint `start`, whose digest is `state`, with batches for start + 1, start + 2, …"""

    start: Sequence
    state: Digest
    choices: tuple[Digest, ...]


def select(view_changes: Collection[ViewChange], config: GroupConfig) -> Selection | None:
    """What follows from well-formed view changes of different replicas for one view; None: more of them are needed."""
    begin = _start(view_changes, config)
    if begin is None:
        return None
    start, state = begin
    prepared = _by_number(view_changes, start, config.window)
    choices: list[Digest] = []
    for number in range(start + 1, max(prepared, default=start) + 1):
        choice = _choice(Sequence(number), prepared.get(Sequence(number), []), view_changes, config)
        if choice is None:
            return None
        choices.append(choice)
    while choices and choices[-1] == NULL_DIGEST:
        choices.pop()
    return Selection(start, state, tuple(choices))


def _start(view_changes: Collection[ViewChange], config: GroupConfig) -> tuple[Sequence, Digest] | None:
    """The highest checkpoint that weak-many had and below which a quorum forgot nothing."""
    owners: dict[tuple[Sequence, Digest], int] = {}
    for change in view_changes:
        for pair in {(checkpoint.sequence, checkpoint.digest) for checkpoint in change.checkpoints}:
            owners[pair] = owners.get(pair, 0) + 1
    vouched = [
        pair
        for pair, count in owners.items()
        if count >= config.weak and sum(change.stable <= pair[0] for change in view_changes) >= config.quorum
    ]
    return max(vouched, default=None)


def _by_number(view_changes: Collection[ViewChange], start: Sequence, window: int) -> dict[Sequence, list[Entry]]:
    found: dict[Sequence, list[Entry]] = {}
    for change in view_changes:
        for entry in change.prepared:
            if start < entry.sequence <= start + window:
                found.setdefault(entry.sequence, []).append(entry)
    return found


def _choice(
    number: Sequence, candidates: list[Entry], view_changes: Collection[ViewChange], config: GroupConfig
) -> Digest | None:
    """A: a batch that may have committed and surely was proposed. B: null, if none can have committed."""
    remembering = sum(change.stable < number for change in view_changes)
    # Those whose P has an entry for the number all have stable < number, for entries lie above their sender's.
    for candidate in sorted(set(candidates), key=lambda entry: (-entry.view, entry.digest)):
        against = sum(
            not (entry.view < candidate.view or (entry.view == candidate.view and entry.digest == candidate.digest))
            for entry in candidates
        )
        if remembering - against >= config.quorum and _is_vouched(candidate, view_changes, config):
            return candidate.digest
    return NULL_DIGEST if remembering - len(candidates) >= config.quorum else None


def _is_vouched(candidate: Entry, view_changes: Collection[ViewChange], config: GroupConfig) -> bool:
    """A2: weak-many accepted a pre-prepare of it in that view or later."""
    vouching = sum(
        any(
            entry.sequence == candidate.sequence and entry.digest == candidate.digest and entry.view >= candidate.view
            for entry in change.preprepared
        )
        for change in view_changes
    )
    return vouching >= config.weak
