"""Spreading of requests: bundles that are held, those that wait, and how many each creator may leave with us."""

from collections import deque
from collections.abc import Iterable

from offchain.errors import Bug
from offchain.ledger.pbft.codec import message_digest
from offchain.ledger.pbft.effects import Broadcast
from offchain.ledger.pbft.messages import Batch, Bundle
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, ReplicaId

_OVERHEAD = 4
"""Bytes of a request's length in a bundle's encoding."""


class Bundles:
    """The bundles of one replica.

    Our own requests leave only as long as our peers have room for them: three quarters of what they grant a creator,
    since they may be a little behind us, and since what we pass on for others counts as ours there.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.held: dict[Digest, Bundle] = {}
        self.waiting: dict[Digest, ReplicaId | None] = {}
        """Not executed, in order of arrival, with the creator that answers for the memory."""
        self.unproposed: dict[Digest, None] = {}
        """Waiting and in no proposal of this view that we know."""
        self.durable: set[Digest] = set()
        """In the journal."""
        self._outbox: deque[Bundle] = deque()
        self._counts = [0] * state.config.replicas
        self._bytes = [0] * state.config.replicas

    @property
    def backlog(self) -> int:
        """Our own bundles that could not be spread yet."""
        return len(self._outbox)

    def submit(self, requests: tuple[bytes, ...]) -> None:
        """Our clients' requests, cut into bundles. Raises Bug if one is too long."""
        most, room = self._state.config.max_bundle_bytes, 0
        part: list[bytes] = []
        for request in requests:
            if not 0 < len(request) <= self._state.config.max_request_bytes:
                raise Bug(f"a request of {len(request)} bytes was submitted; check it where it comes in")
            if part and room + len(request) + _OVERHEAD > most:
                self._outbox.append(Bundle(tuple(part)))
                room, part = 0, []
            part.append(request)
            room += len(request) + _OVERHEAD
        if part:
            self._outbox.append(Bundle(tuple(part)))
        self._state.stirred = True

    def spread(self) -> None:
        """Sends what our share has room for."""
        config, me = self._state.config, self._state.me
        while self._outbox:
            full = self._counts[me] >= max(1, config.creator_bundles * 3 // 4)
            if full or self._bytes[me] + size_of(self._outbox[0]) > config.creator_bytes * 3 // 4:
                return
            bundle = self._outbox.popleft()
            identity = message_digest(bundle)
            if identity not in self.held:
                self._hold(identity, bundle, me)
                # The primary can propose it only when it has it; the others need it only then.
                self._state.out.append(Broadcast(bundle, self._state.primary))

    def receive(self, sender: ReplicaId, bundle: Bundle, wanted: Iterable[Digest]) -> Digest | None:
        """A peer's bundle; its digest if it is new, valid, and either wanted or within the peer's share."""
        identity = message_digest(bundle)
        if identity in self.held:
            return None
        is_wanted = identity in wanted
        if not is_wanted and not self._has_room(sender, size_of(bundle)):
            return None
        if not self._is_valid(bundle):
            self._state.accuse(sender, "a bundle with an invalid request")
            return None
        if not is_wanted and self._is_settled(bundle):
            return None
        self._hold(identity, bundle, None if is_wanted else sender)
        return identity

    def restore(self, bundle: Bundle) -> None:
        """One from the journal."""
        identity = message_digest(bundle)
        self.durable.add(identity)
        if identity not in self.held:
            self._hold(identity, bundle, None)

    def missing(self, batch: Batch) -> list[Digest]:
        """What we lack of a batch."""
        held = self.held
        return [identity for identity in batch.bundles if identity not in held]

    def make_durable(self, batch: Batch) -> None:
        """Into the journal, once."""
        for identity in batch.bundles:
            if identity not in self.durable:
                self.durable.add(identity)
                self._state.persist(self.held[identity])

    def set_proposed(self, batch: Batch) -> None:
        """They need no proposal of ours any more, unless the view ends."""
        for identity in batch.bundles:
            self.unproposed.pop(identity, None)

    def set_executed(self, batch: Batch) -> None:
        """They wait no more."""
        for identity in batch.bundles:
            self._leave(identity)

    def drop_settled(self) -> None:
        """The oldest, as far as other bundles, or batches that we never saw, made them superfluous: nobody else would
        order them for us."""
        while (oldest := next(iter(self.waiting), None)) is not None and self._is_settled(self.held[oldest]):
            self._leave(oldest)
            self._state.stirred = True

    def set_unproposed(self) -> None:
        """At the beginning of a view: all that waits."""
        self.unproposed = dict.fromkeys(self.waiting)

    def take(self) -> tuple[Digest, ...]:
        """What the primary proposes next."""
        config, size = self._state.config, 0
        taken: list[Digest] = []
        for identity in self.unproposed:
            size += size_of(self.held[identity])
            if taken and (len(taken) >= config.batch_bundles or size > config.creator_bytes):
                break
            taken.append(identity)
        return tuple(taken)

    def forget(self) -> None:
        """Drops what neither waits nor belongs to a batch that is remembered; these leave the journal as well."""
        kept = {identity for batch in self._state.batches.values() for identity in batch.bundles}
        kept |= {i for slot in self._state.slots.values() if slot.batch is not None for i in slot.batch.bundles}
        for identity in [i for i in self.held if i not in self.waiting and i not in kept]:
            del self.held[identity]
        self.durable &= self.held.keys()

    def _hold(self, identity: Digest, bundle: Bundle, creator: ReplicaId | None) -> None:
        self.held[identity] = bundle
        self.waiting[identity] = creator
        self.unproposed[identity] = None
        if creator is not None:
            self._counts[creator] += 1
            self._bytes[creator] += size_of(bundle)
        self._state.stirred = True

    def _leave(self, identity: Digest) -> None:
        self.unproposed.pop(identity, None)
        creator = self.waiting.pop(identity, None)
        if creator is not None:
            self._counts[creator] -= 1
            self._bytes[creator] -= size_of(self.held[identity])

    def _has_room(self, creator: ReplicaId, size: int) -> bool:
        config = self._state.config
        return self._counts[creator] < config.creator_bundles and self._bytes[creator] + size <= config.creator_bytes

    def _is_settled(self, bundle: Bundle) -> bool:
        return all(map(self._state.application.is_settled, bundle.requests))

    def _is_valid(self, bundle: Bundle) -> bool:
        config = self._state.config
        if not bundle.requests or size_of(bundle) > config.max_bundle_bytes + _OVERHEAD:
            return False
        longest = config.max_request_bytes
        is_valid = self._state.application.is_valid
        return all(0 < len(request) <= longest and is_valid(request) for request in bundle.requests)


def size_of(bundle: Bundle) -> int:
    """Bytes that count against a creator's share."""
    return sum(map(len, bundle.requests)) + _OVERHEAD * len(bundle.requests)
