"""Pre-prepares in short, as blocks are shortened in BIP 152: who holds the bundles needs only the beginnings of their
digests, and the primary's link, over which every proposal goes n-1 times, is the narrowest place of the group.

A proposal says the whole batch's digest. So what comes out is what the primary meant, or nothing: then, and when
bundles stay away, the batch is fetched by that digest. Votes never refer to anything short.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.codec import digest
from offchain.ledger.pbft.fetching import Fetching
from offchain.ledger.pbft.messages import SHORT_BYTES, Batch, PrePrepare, Proposal
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, ReplicaId

FEWEST = 4
"""A batch of fewer bundles is sent whole: that is hardly longer."""


@dataclass(slots=True)
class _Pending:
    sender: ReplicaId
    message: Proposal
    missing: set[bytes]


class Proposals:
    """Those that wait for bundles: at most two pipelines of each peer."""

    def __init__(self, state: State, bundles: Bundles, fetching: Fetching) -> None:
        self._state = state
        self._bundles = bundles
        self._fetching = fetching
        self._pending: list[_Pending] = []

    def on_proposal(self, sender: ReplicaId, message: Proposal) -> PrePrepare | None:
        """The pre-prepare that it stands for, if we can tell already."""
        state = self._state
        if not 0 < len(message.bundles) <= state.config.batch_bundles:
            state.accuse(sender, f"a proposal of {len(message.bundles)} bundles")
            return None
        if sender != state.primary_of(message.view):
            state.accuse(sender, "a proposal for another's view")
            return None
        if not self._matters(message):
            return None
        known = self._known()
        pending = _Pending(sender, message, {short for short in message.bundles if short not in known})
        found = None if pending.missing else self._whole(message, known)
        if found is None:
            self._keep(pending)
        return found

    def on_bundle(self, identity: Digest) -> list[tuple[ReplicaId, PrePrepare]]:
        """Pre-prepares that this bundle was the last to be missing of."""
        short, found = identity[:SHORT_BYTES], list[tuple[ReplicaId, PrePrepare]]()
        for pending in [each for each in self._pending if short in each.missing]:
            pending.missing.discard(short)
            if pending.missing:
                continue
            whole = self._whole(pending.message, self._known())
            if whole is None:
                self._fetching.arrived(pending.message.digest)
                self._fetching.ask_now(pending.message.digest)
            else:
                self._pending.remove(pending)
                found.append((pending.sender, whole))
        return found

    def on_batch(self, identity: Digest, batch: Batch) -> list[tuple[ReplicaId, PrePrepare]]:
        """Pre-prepares of a batch that was fetched."""
        found = [each for each in self._pending if each.message.digest == identity]
        self._pending = [each for each in self._pending if each.message.digest != identity]
        return [(e.sender, PrePrepare(e.message.view, e.message.sequence, batch)) for e in found]

    def lacking(self) -> Iterable[Digest]:
        """Batches to fetch, those of low numbers first."""
        self._pending = [pending for pending in self._pending if self._matters(pending.message)]
        messages = sorted((pending.message for pending in self._pending), key=lambda message: message.sequence)
        return [
            message.digest
            for message in messages
            if message.view == self._state.view and message.digest not in self._state.batches
        ]

    def _keep(self, pending: _Pending) -> None:
        kept = [each for each in self._pending if each.sender == pending.sender]
        if len(kept) >= 2 * self._state.config.pipeline:
            self._pending.remove(kept[0])
        self._pending.append(pending)
        if pending.missing:
            self._fetching.expect([pending.message.digest])
        else:
            # Two bundles begin alike, or the primary lies: no bundle that comes will help.
            self._fetching.ask_now(pending.message.digest)

    def _matters(self, message: Proposal) -> bool:
        state = self._state
        return message.view >= state.view and state.executed < message.sequence <= state.stable + state.config.window

    def _known(self) -> dict[bytes, Digest]:
        return {identity[:SHORT_BYTES]: identity for identity in self._bundles.waiting}

    def _whole(self, message: Proposal, known: dict[bytes, Digest]) -> PrePrepare | None:
        """None also if one was executed since we saw that none is missing: it waits no more."""
        found = [known.get(short) for short in message.bundles]
        batch = Batch(message.time, tuple(identity for identity in found if identity is not None))
        return PrePrepare(message.view, message.sequence, batch) if digest(batch) == message.digest else None


def shorten(message: PrePrepare, identity: Digest) -> PrePrepare | Proposal:
    """What to send for a pre-prepare of the batch with this digest."""
    batch = message.batch
    if len(batch.bundles) < FEWEST:
        return message
    short = tuple(bundle[:SHORT_BYTES] for bundle in batch.bundles)
    return Proposal(message.view, message.sequence, batch.time, identity, short)
