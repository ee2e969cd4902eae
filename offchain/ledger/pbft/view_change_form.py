"""The form of view changes: how ours is made and signed, and what must hold of another's."""

from dataclasses import replace
from itertools import pairwise

from offchain.ledger.pbft.application import GroupConfig, Signer
from offchain.ledger.pbft.checkpoints import KEPT, Checkpoints
from offchain.ledger.pbft.codec import encode
from offchain.ledger.pbft.messages import Checkpoint, Entry, ViewChange
from offchain.ledger.pbft.state import PREPREPARED_EACH, State
from offchain.ledger.types import View


def make(state: State, checkpoints: Checkpoints, view: View) -> ViewChange:
    """Ours, signed: all that we prepared or accepted above the stable checkpoint."""
    preprepared = [
        Entry(sequence, latest, batch)
        for sequence, batches in sorted(state.preprepared.items())
        for batch, latest in sorted(batches.items())
    ]
    unsigned = ViewChange(
        view,
        state.me,
        state.stable,
        tuple(Checkpoint(sequence, own.digest) for sequence, own in sorted(checkpoints.own.items())),
        tuple(entry for _, entry in sorted(state.prepared.items())),
        tuple(preprepared),
    )
    return replace(unsigned, signature=state.signer.sign(encode(unsigned)))


def fault(change: ViewChange, config: GroupConfig, signer: Signer) -> str | None:
    """What no correct replica would have signed, or None."""
    if not 0 <= change.replica < config.replicas:
        return "a view change of no member"
    if not _are_checkpoints_proper(change, config):
        return "a view change with improper checkpoints"
    if not _is_p_proper(change, config) or not _is_q_proper(change, config):
        return "a view change with improper entries"
    if not signer.verify(change.replica, encode(replace(change, signature=b"")), change.signature):
        return "a view change with a wrong signature"
    return None


def _are_checkpoints_proper(change: ViewChange, config: GroupConfig) -> bool:
    numbers = [checkpoint.sequence for checkpoint in change.checkpoints]
    return (
        0 < len(numbers) <= KEPT
        and numbers[0] == change.stable
        and all(number % config.interval == 0 for number in numbers)
        and all(low < high for low, high in pairwise(numbers))
    )


def _is_in_range(entry: Entry, change: ViewChange, config: GroupConfig) -> bool:
    return change.stable < entry.sequence <= change.stable + config.window and entry.view < change.view


def _is_p_proper(change: ViewChange, config: GroupConfig) -> bool:
    return all(low.sequence < high.sequence for low, high in pairwise(change.prepared)) and all(
        _is_in_range(entry, change, config) for entry in change.prepared
    )


def _is_q_proper(change: ViewChange, config: GroupConfig) -> bool:
    entries = change.preprepared
    each: dict[int, int] = {}
    for entry in entries:
        each[entry.sequence] = each.get(entry.sequence, 0) + 1
    return (
        all((low.sequence, low.digest) < (high.sequence, high.digest) for low, high in pairwise(entries))
        and all(_is_in_range(entry, change, config) for entry in entries)
        and all(count <= PREPREPARED_EACH for count in each.values())
    )
