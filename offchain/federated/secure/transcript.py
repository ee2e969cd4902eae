"""All public messages of a session, and who takes part at each stage. Pure, and the same for everybody who reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from offchain.errors import Bug, Rejected
from offchain.federated.secure.faults import Charge, Fault
from offchain.federated.secure.masking import LOW_ORDER_KEYS, NO_COMMITMENT, Words
from offchain.federated.secure.messages import Answer, Keys, Masked, Message, Shares, Unmask, decode
from offchain.federated.secure.terms import Position, Session, Stage
from offchain.protocol.hashing import keccak

M = TypeVar("M")
Posted = Mapping[Position, M | None]
"""By author. None: what the author posted is no message of the stage."""


@dataclass(frozen=True, slots=True, eq=False)
class Transcript:
    """What was posted, up to now. A stage is read only once it is closed.

    The caller vouches for the authors (the chain takes a message from its author's account only) and for having all
    files: one that is known by its hash but cannot be had must be waited for, and never be taken for one not posted.
    """

    session: Session
    keys: Posted[Keys] = field(default_factory=dict)
    shares: Posted[Shares] = field(default_factory=dict)
    masked: Posted[Masked] = field(default_factory=dict)
    unmask: Posted[Unmask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sets:
    """Positions, ascending. Each set lies in the one before: U1 to U4 of the paper. `faults`: of form."""

    keyed: tuple[Position, ...]
    shared: tuple[Position, ...]
    masked: tuple[Position, ...]
    answered: tuple[Position, ...]
    faults: tuple[Fault, ...]

    @property
    def dropped(self) -> tuple[Position, ...]:
        """Whose masks others hold, and who did not post a vector."""
        return tuple(position for position in self.shared if position not in self.masked)


def with_posted(transcript: Transcript, stage: Stage, posted: Posted[Message]) -> Transcript:
    """The transcript with what was posted at a stage. Bug when that are messages of another stage."""
    match stage:
        case Stage.KEYS:
            return replace(transcript, keys=_all_of(posted, Keys))
        case Stage.SHARES:
            return replace(transcript, shares=_all_of(posted, Shares))
        case Stage.MASKED:
            return replace(transcript, masked=_all_of(posted, Masked))
        case Stage.UNMASK:
            return replace(transcript, unmask=_all_of(posted, Unmask))


def read(data: bytes, session: Session, sender: Position, stage: Stage) -> Message | None:
    """A file as it belongs into a transcript: None when it is no message of the stage."""
    try:
        return decode(data, session, sender, stage)
    except Rejected:
        return None


def sets_of(transcript: Transcript) -> Sets:
    """Who takes part. A message that is malformed on its face counts as not posted, and its author is named."""
    session, faults = transcript.session, list[Fault]()
    everybody = tuple(Position(position) for position in session.positions)
    keyed = _admit(transcript.keys, Stage.KEYS, everybody, faults, lambda own, sent: _wrong_keys(own, sent))
    shared = _admit(
        transcript.shares, Stage.SHARES, keyed, faults, lambda own, sent: _wrong_shares(transcript, keyed, own, sent)
    )
    masked = _admit(transcript.masked, Stage.MASKED, shared, faults, lambda _, sent: _wrong_vector(session, sent))
    answered = _admit(
        transcript.unmask, Stage.UNMASK, masked, faults, lambda own, sent: _wrong_answer(shared, masked, own, sent)
    )
    return Sets(keyed, shared, masked, answered, tuple(faults))


def keys_of(transcript: Transcript, position: Position) -> Keys:
    """The keys of somebody in `Sets.keyed`."""
    return _present(transcript.keys, position)


def shares_of(transcript: Transcript, position: Position) -> Shares:
    """What somebody in `Sets.shared` dealt."""
    return _present(transcript.shares, position)


def vector_of(transcript: Transcript, position: Position) -> Words:
    """Of somebody in `Sets.masked`. Bug when it was not fetched."""
    vector = _present(transcript.masked, position).vector
    if vector is None:
        raise Bug(f"the vector of member {position} was not fetched")
    return vector


def answers_of(transcript: Transcript, position: Position) -> Unmask:
    """Of somebody in `Sets.answered`."""
    return _present(transcript.unmask, position)


def unmask_request(session: Session, sets: Sets) -> bytes:
    """32 bytes that stand for who posted a vector and who dropped out: what members are asked to unmask."""
    return keccak(b"unmask" + session.digest + bytes((len(sets.shared), *sets.shared, *sets.masked)))


def _all_of(posted: Posted[Message], kind: type[M]) -> dict[Position, M | None]:
    checked = dict[Position, M | None]()
    for position, message in posted.items():
        if message is not None and not isinstance(message, kind):
            raise Bug(f"a message of {type(message).__name__} among those of {kind.__name__}")
        checked[position] = message
    return checked


def _present(posted: Posted[M], position: Position) -> M:
    message = posted[position]
    assert message is not None
    return message


def _admit(
    posted: Posted[M],
    stage: Stage,
    among: tuple[Position, ...],
    faults: list[Fault],
    wrong: Callable[[Position, M], Charge | None],
) -> tuple[Position, ...]:
    admitted = []
    for position in among:
        if position not in posted:
            continue
        message = posted[position]
        charge = Charge.NO_SUCH_MESSAGE if message is None else wrong(position, message)
        if charge is None:
            admitted.append(position)
        else:
            faults.append(Fault(stage, position, charge, position))
    return tuple(admitted)


def _wrong_keys(own: Position, sent: Keys) -> Charge | None:
    used = (sent.mask_key, *sent.share_keys[:own], *sent.share_keys[own + 1 :])
    return None if LOW_ORDER_KEYS.isdisjoint(used) else Charge.BAD_KEY


def _wrong_shares(transcript: Transcript, keyed: tuple[Position, ...], own: Position, sent: Shares) -> Charge | None:
    complete = tuple(place for place, seed in enumerate(sent.seeds) if seed != NO_COMMITMENT) == keyed
    unchanged = sent.seeds[own] == keys_of(transcript, own).commitment
    return None if complete and unchanged else Charge.BAD_COMMITMENTS


def _wrong_vector(session: Session, sent: Masked) -> Charge | None:
    if sent.vector is None:
        return None
    fits = sent.vector.dtype == np.uint32 and sent.vector.shape == (session.dimension,)
    return None if fits else Charge.NO_SUCH_MESSAGE


def _wrong_answer(
    shared: tuple[Position, ...], masked: tuple[Position, ...], own: Position, sent: Unmask
) -> Charge | None:
    for place, entry in enumerate(sent.entries):
        asked = asked_about(Position(place), shared, masked)
        complains = entry.answer is Answer.COMPLAINT and asked is not Answer.NOTHING and place != own
        if entry.answer is not asked and not complains:
            return Charge.INCOMPLETE_ANSWER
    return None


def asked_about(dealer: Position, shared: tuple[Position, ...], masked: tuple[Position, ...]) -> Answer:
    """Which share of a dealer is to be shown: of its self-mask if it posted a vector, of its mask key if it dropped."""
    if dealer not in shared:
        return Answer.NOTHING
    return Answer.SELF_SEED if dealer in masked else Answer.MASK_KEY
