"""Fetches a snapshot that weak-many vouch for, piece by piece from one peer, then from the next."""

from offchain.errors import Rejected
from offchain.ledger.pbft.checkpoints import Checkpoints, Own
from offchain.ledger.pbft.journal_records import Adopted, encode_snapshot
from offchain.ledger.pbft.messages import Checkpoint, FetchState, StateChunk
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, ReplicaId, Sequence

_MOST_CHUNKS = 512
"""256 MiB with the usual chunks: so much may one peer make us hold before it is found out."""
_AT_ONCE = 4
_PATIENCE = 2
"""Ticks without a new piece after which another peer is asked."""


class Transfer:
    """At most one at a time."""

    def __init__(self, state: State, checkpoints: Checkpoints) -> None:
        self._state = state
        self._checkpoints = checkpoints
        self._target: tuple[Sequence, Digest] | None = None
        self._source = ReplicaId(0)
        self._turn = state.me
        self._chunks = 0
        self._parts: dict[int, bytes] = {}
        self._asked: set[int] = set()
        self._idle = 0

    def on_tick(self, is_stuck: bool) -> None:
        """Begins, asks again, or turns to another peer."""
        if self._target is not None and self._target[0] <= self._state.executed:
            self._target = None
        if self._target is None:
            if is_stuck:
                self._begin()
            return
        self._idle += 1
        if self._idle > _PATIENCE:
            self._begin()
        else:
            self._ask(list(self._asked))

    def hurry(self) -> None:
        """Begins unless one is under way: decisions will not get us there."""
        if self._target is None:
            self._begin()

    def on_chunk(self, sender: ReplicaId, message: StateChunk) -> bool:
        """A piece; whether it completed the state, which then is ours."""
        if not self._is_expected(sender, message):
            return False
        self._asked.discard(message.chunk)
        self._parts[message.chunk] = message.data
        self._chunks = message.chunks
        self._idle = 0
        if len(self._parts) == self._chunks:
            return self._finish()
        ahead = [c for c in range(self._chunks) if c not in self._parts and c not in self._asked]
        self._ask(ahead[: _AT_ONCE - len(self._asked)])
        return False

    def serve(self, message: FetchState) -> StateChunk | None:
        """The piece that a peer asks for."""
        snapshot = self._checkpoints.serve(message.sequence)
        size = self._state.config.chunk_bytes
        if snapshot is None or message.chunk * size >= len(snapshot):
            return None
        chunks = -(-len(snapshot) // size)
        data = snapshot[message.chunk * size : (message.chunk + 1) * size]
        return StateChunk(message.sequence, message.chunk, chunks, data)

    def _begin(self) -> None:
        self._target = self._checkpoints.vouched(self._state.executed)
        if self._target is None:
            return
        peers = self._checkpoints.claimants(*self._target)
        self._source = next((peer for peer in peers if peer > self._turn), peers[0])
        self._turn = self._source
        self._parts, self._asked, self._chunks, self._idle = {}, set(), 0, 0
        self._ask([0])

    def _ask(self, chunks: list[int]) -> None:
        if self._target is not None:
            for chunk in chunks:
                self._asked.add(chunk)
                self._state.send(self._source, FetchState(self._target[0], chunk))

    def _is_expected(self, sender: ReplicaId, message: StateChunk) -> bool:
        return (
            self._target is not None
            and sender == self._source
            and message.sequence == self._target[0]
            and message.chunk in self._asked
            and message.chunk < message.chunks <= _MOST_CHUNKS
            and (not self._chunks or message.chunks == self._chunks)
            and 0 < len(message.data) <= self._state.config.chunk_bytes
        )

    def _finish(self) -> bool:
        """The state becomes ours if it is the one vouched for; else nothing has changed."""
        state, target = self._state, self._target
        if target is None or target[0] <= state.executed:
            self._target = None
            return False
        snapshot = b"".join(self._parts[chunk] for chunk in range(self._chunks))
        before, time = state.application.snapshot(), state.time
        if not self._load(snapshot, target[1]):
            state.application.restore(before)
            state.time = time
            state.accuse(self._source, f"a snapshot that is not the state after {target[0]}")
            self._begin()
            return False
        # It becomes stable only when a quorum has it: weak-many may be one correct replica, and a view change that
        # must not look below a checkpoint needs more owners of it than that.
        state.executed = state.logged = target[0]
        self._checkpoints.add(target[0], Own(target[1], snapshot))
        state.persist_record(encode_snapshot(Adopted(target[0], snapshot)))
        state.broadcast(Checkpoint(*target))
        self._target = None
        return True

    def _load(self, snapshot: bytes, wanted: Digest) -> bool:
        try:
            self._checkpoints.load(snapshot)
        except Rejected:
            return False
        return self._checkpoints.digest_now() == wanted
