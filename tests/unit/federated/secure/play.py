"""A group that plays a session, with members that drop out and members that cheat."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from offchain.federated.secure.masking import AddStream, add_stream
from offchain.federated.secure.messages import Message, encode
from offchain.federated.secure.participant import Secrets, draw_secrets
from offchain.federated.secure.session import next_message, posted_at
from offchain.federated.secure.terms import Position, Session, Stage, threshold_for
from offchain.federated.secure.transcript import Transcript, read, with_posted

Tamper = Callable[[Message], Message | None]
NAMES = ("keys", "shares", "masked", "unmask")


def session_of(
    size: int, dimension: int, *, weights: tuple[int, ...] = (), threshold: int = 0, group: int = 0
) -> Session:
    members = tuple(bytes((place,)) * 20 for place in range(size))
    weights, threshold = weights or (1,) * size, threshold or threshold_for(size)
    return Session(31337, b"\xaa" * 20, 7, 3, 0, group, members, weights, threshold, dimension)


class Play:
    """One session. Stages are played in order; who isn't present at one never comes back."""

    def __init__(
        self,
        session: Session,
        updates: npt.NDArray[np.int16],
        *,
        seed: int = 0,
        streams: Mapping[int, AddStream] | None = None,
    ) -> None:
        self.session, self.updates = session, updates
        rng = np.random.default_rng(seed)
        self.secrets = {
            Position(place): draw_secrets(session, Position(place), rng.bytes) for place in session.positions
        }
        self.transcript = Transcript(session)
        self._streams = streams or {}

    def stage(self, stage: Stage, present: Iterable[int], tampered: Mapping[int, Tamper] | None = None) -> None:
        posted = {}
        for place in map(Position, present):
            message = self.post(place, stage)
            if message is not None:
                change = (tampered or {}).get(place)
                posted[place] = change(message) if change else self._travelled(message, place, stage)
        self.transcript = with_posted(self.transcript, stage, posted)

    def post(self, place: Position, stage: Stage) -> Message | None:
        add = self._streams.get(place, add_stream)
        step = next_message(self.secrets[place], self.transcript, stage, self.updates[place], add)
        if step is None:
            return None
        self.secrets[place] = Secrets.from_json(step.secrets.to_json())
        return step.message

    def all_stages(
        self, present: Mapping[Stage, Iterable[int]] | None = None, **tampered: Mapping[int, Tamper]
    ) -> Transcript:
        for stage in Stage:
            self.stage(stage, (present or {}).get(stage, self.session.positions), tampered.get(NAMES[stage]))
        return self.transcript

    def plain_sum(self, members: Iterable[int]) -> npt.NDArray[np.int64]:
        total = np.zeros(self.session.dimension, dtype=np.int64)
        for place in members:
            total += self.session.weights[place] * self.updates[place].astype(np.int64)
        return total

    def files(self) -> list[bytes]:
        """All that anybody outside sees."""
        return [
            encode(message, self.session, place)
            for stage in Stage
            for place, message in posted_at(self.transcript, stage).items()
            if message is not None
        ]

    def _travelled(self, message: Message, place: Position, stage: Stage) -> Message | None:
        return read(encode(message, self.session, place), self.session, place, stage)


def random_updates(session: Session, seed: int = 0) -> npt.NDArray[np.int16]:
    """Of the whole range, its ends included."""
    shape = (session.size, session.dimension)
    updates = np.random.default_rng(seed).integers(-(2**15), 2**15, shape).astype(np.int16)
    updates[:, 0] = -(2**15)
    updates[:, -1] = 2**15 - 1
    return updates
