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
from offchain.ledger.types import Digest, Sequence, View


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
    vouchers = _vouchers(view_changes)
    choices: list[Digest] = []
    for number in range(start + 1, max(prepared, default=start) + 1):
        remembering = sum(change.stable < number for change in view_changes)
        choice = _choice(prepared.get(Sequence(number), []), remembering, vouchers, config)
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


def _vouchers(view_changes: Collection[ViewChange]) -> dict[tuple[Sequence, Digest], list[View]]:
    """For each batch in any Q the latest views in which replicas accepted it, one for each."""
    found: dict[tuple[Sequence, Digest], list[View]] = {}
    for change in view_changes:
        latest: dict[tuple[Sequence, Digest], View] = {}
        for entry in change.preprepared:
            pair = (entry.sequence, entry.digest)
            latest[pair] = max(entry.view, latest.get(pair, entry.view))
        for pair, view in latest.items():
            found.setdefault(pair, []).append(view)
    return found


def _choice(
    candidates: list[Entry],
    remembering: int,
    vouchers: dict[tuple[Sequence, Digest], list[View]],
    config: GroupConfig,
) -> Digest | None:
    """A: a batch that may have committed and surely was proposed. B: null, if none can have committed.

    `remembering`: how many have not forgotten the number; all whose P has an entry for it are among them.
    """
    for candidate in sorted(set(candidates), key=lambda entry: (-entry.view, entry.digest)):
        against = sum(
            not (entry.view < candidate.view or (entry.view == candidate.view and entry.digest == candidate.digest))
            for entry in candidates
        )
        views = vouchers.get((candidate.sequence, candidate.digest), [])
        vouching = sum(view >= candidate.view for view in views)
        if remembering - against >= config.quorum and vouching >= config.weak:
            return candidate.digest
    return NULL_DIGEST if remembering - len(candidates) >= config.quorum else None
