"""Homomorphic mode: what a member posts at each stage of its session, journalled before it leaves.

Its file of ciphertexts is made once: SEAL's randomness cannot be repeated, so the journal says which file it was. At
UNMASK a participant posts one thing. The first `READERS` of a group are adders for the group before it: the first of
them that is still there posts the sum of that group's ciphertexts; the next computes it too, and posts it if nobody has
posted the right one when a quarter of the time is over; and so on. Everybody else, and the adders that were not needed,
decrypt their own group's sum and sign it: the first in the order of the chain whose tag fits, so that all sign the
same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from itertools import chain
from typing import Final

import numpy as np

from offchain.chain.federated import Story
from offchain.errors import Rejected, Retryable
from offchain.federated.homomorphic.ckks import scheme_of
from offchain.federated.homomorphic.member import (
    box_key,
    decrypted,
    encrypted,
    group_key,
    group_secret,
    keys_message,
    shares_message,
)
from offchain.federated.homomorphic.messages import card_root, encode
from offchain.federated.homomorphic.sealing import Envelope, Reader, Sealed, add_all, seal
from offchain.federated.homomorphic.sums import Members, added_size, head, read_added, signed_file
from offchain.federated.homomorphic.tags import Tags
from offchain.federated.round_rules import TaskView
from offchain.federated.secure.participant import Secrets
from offchain.federated.secure.terms import Position, Session, Stage
from offchain.federated.vector_tree import LeafKind
from offchain.protocol.hashing import keccak
from offchain.roles.federated_files import RoundFiles
from offchain.roles.federated_homomorphic import Adder, HomomorphicSessions, Posted, parameters_of
from offchain.roles.federated_records import UpdateRecord
from offchain.roles.memo import Memo
from offchain.types import CidDigest

WAITS: Final = 4
"""An adder's turn comes this part of the window after the one before it."""

File = tuple[CidDigest, bytes]
"""Where a file is, and its keccak256."""


class Turn(Enum):
    """Instead of a file: not yet, or not by this account."""

    WAIT = auto()
    NOT_OURS = auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """A sum that an adder posted, decrypted; no file: it is wrong, or is none."""

    file: File | None


@dataclass(frozen=True, slots=True)
class Seat:
    """A member's place: its index in the task, its group's number, its session and what it must not lose."""

    index: int
    number: int
    session: Session
    secrets: Secrets

    @property
    def position(self) -> Position:
        """In the group."""
        return self.secrets.position


@dataclass(frozen=True, slots=True)
class Word:
    """What is to be posted: secrets to journal before, the file to publish, and the arguments of the call."""

    secrets: Secrets
    file: CidDigest
    arguments: tuple[bytes, ...]


class HomomorphicSpeaker:
    """Of one account in one task. Files are made in the background; `say` gives None while there is nothing to post."""

    def __init__(self, sessions: HomomorphicSessions, files: RoundFiles, memo: Memo[tuple[str, int, int]]) -> None:
        self._sessions = sessions
        self._files = files
        self._memo = memo

    def say(
        self, view: TaskView, story: Story, stage: Stage, seat: Seat, record: UpdateRecord | None, file_key: bytes
    ) -> Word | None:
        """What the stage asks for. `file_key`: 32 random bytes, should a file be sealed now.

        Raises Retryable while others' files cannot be had, Rejected when this member refuses.
        """
        self._sessions.neighbours(view, seat.number)
        match stage:
            case Stage.KEYS:
                return self._message(seat, encode(keys_message(seat.secrets), seat.session, seat.position))
            case Stage.SHARES:
                return self._deal(view, story, seat)
            case Stage.MASKED:
                return self._encrypt(view, story, seat, record, file_key)
            case Stage.UNMASK:
                return self._sum(view, story, seat)

    def _message(self, seat: Seat, data: bytes, *before: bytes) -> Word:
        cid = self._files.keep(data)
        return Word(seat.secrets, cid, (*before, keccak(data), cid))

    def _deal(self, view: TaskView, story: Story, seat: Seat) -> Word | None:
        keys = self._sessions.keys(view, story, seat.number)
        if keys is None:
            return None
        shares = shares_message(seat.secrets, seat.session, keys, scheme_of(parameters_of(seat.session)))
        # The chain wants a word beside the hash, which masking needs for its seeds; here it is the key's fingerprint.
        return self._message(seat, encode(shares, seat.session, seat.position), shares.fingerprint)

    # Ciphertexts

    def _encrypt(
        self, view: TaskView, story: Story, seat: Seat, record: UpdateRecord | None, file_key: bytes
    ) -> Word | None:
        if seat.secrets.masked is not None:
            return _masked(view, seat.secrets, seat.secrets.masked)
        if record is None:
            raise Rejected(f"round {view.state.round}: the update is not in the journal")
        dealt = self._sessions.dealt(view, story, seat.number)
        adders = self._sessions.adders(view, story, seat.number)
        if dealt is None or adders is None:
            return None
        envelope = Envelope(file_key, box_key(seat.secrets), tuple(adder.public for adder in adders))
        secret = group_secret(seat.secrets, seat.session, dealt.keys, dealt.shares)
        work = partial(_sealed_file, self._files, seat, record, envelope, secret)
        made = self._memo.get(("sealed", view.state.round, 0), work)
        if made is None:
            return None
        return _masked(view, seat.secrets, made[1] + made[0])

    # Sums

    def _sum(self, view: TaskView, story: Story, seat: Seat) -> Word | None:
        bound = seat.secrets.unmask
        if bound is None:
            made = self._to_add(view, story, seat)
            if made is Turn.NOT_OURS:
                made = self._to_sign(view, story, seat)
            if isinstance(made, Turn):
                return None
            bound = made[1] + made[0]
        return Word(replace(seat.secrets, unmask=bound), CidDigest(bound[32:]), (bound[:32], bound[32:]))

    def _to_add(self, view: TaskView, story: Story, seat: Seat) -> "File | Turn":
        """The sum of the ciphertexts of the group before, if this account is to post it now."""
        before, _ = self._sessions.neighbours(view, seat.number)
        adders = self._sessions.adders(view, story, before)
        if adders is None:
            return Turn.WAIT
        mine = next((adder for adder in adders if adder.index == seat.index), None)
        if mine is None:
            return Turn.NOT_OURS
        own = self._own_sum(view, story, seat, before, mine)
        if isinstance(own, Turn):
            return own
        if any(posted.hash == own[1] for posted in self._sessions.posted(view, story, _indices(adders))):
            return Turn.NOT_OURS
        turns = sum(adder.index in view.included for adder in adders[: mine.place])
        return own if turns == 0 or self._is_late(view, turns) else Turn.WAIT

    def _own_sum(self, view: TaskView, story: Story, seat: Seat, before: int, mine: Adder) -> "File | Turn":
        """As this adder computes it; not ours when too few files are in order, or cannot be had by half-time."""
        dealt, group = self._sessions.dealt(view, story, before), self._sessions.base.groups(view)[before]
        if dealt is None:
            return Turn.WAIT
        cids, session = story.update_cids(view.state.round), self._sessions.base.session(view, before)
        senders = [
            (position, group[position], cids[group[position]])
            for position in self._sessions.counted(view, before)
            if group[position] in cids and position in dealt.keys
        ]

        def work() -> File:
            sealed = {
                position: Sealed(
                    self._sessions.ciphertexts(view, index, cid).data, position, dealt.keys[position].public
                )
                for position, index, cid in senders
            }
            reader = Reader(mine.place, box_key(seat.secrets))

            def write(members: Members, blocks: Iterator[bytes]) -> File:
                return self._files.keep_pieces(chain([head(session, members)], blocks))

            return add_all(sealed, reader, session, parameters_of(session), write)

        try:
            return self._memo.get(("added", view.state.round, before | view.round.included << 8), work) or Turn.WAIT
        except Rejected:
            return Turn.NOT_OURS
        except Retryable:
            if self._is_late(view, WAITS // 2):
                return Turn.NOT_OURS
            raise

    def _to_sign(self, view: TaskView, story: Story, seat: Seat) -> "File | Turn":
        """The own group's sum: of what its adders posted the first that is right."""
        dealt, adders = self._sessions.dealt(view, story, seat.number), self._sessions.adders(view, story, seat.number)
        if dealt is None or adders is None:
            return Turn.WAIT
        secret = group_secret(seat.secrets, seat.session, dealt.keys, dealt.shares)
        for posted in self._sessions.posted(view, story, _indices(adders)):
            among = self._sessions.counted(view, seat.number)
            work = partial(_opened, self._files, seat.session, among, secret, posted)
            try:
                opened = self._memo.get(("opened", view.state.round, int.from_bytes(posted.hash)), work)
            except Retryable:
                if self._is_late(view, WAITS // 2):
                    continue
                raise
            if opened is None:
                return Turn.WAIT
            if opened.file is not None:
                return opened.file
        return Turn.WAIT

    def _is_late(self, view: TaskView, turns: int) -> bool:
        window = view.terms.windows.unmask
        return view.now >= view.round.unmask_ends - window + turns * window // WAITS


def _indices(adders: tuple[Adder, ...]) -> list[int]:
    return [adder.index for adder in adders]


def _masked(view: TaskView, secrets: Secrets, bound: bytes) -> Word:
    """Of a file of ciphertexts: its keccak256, then the digest of its CID."""
    digest, cid = bound[:32], CidDigest(bound[32:])
    return Word(replace(secrets, masked=bound), cid, (card_root(digest, view.terms.dimension), cid))


def _sealed_file(
    files: RoundFiles, seat: Seat, record: UpdateRecord, envelope: Envelope, secret: tuple[bytes, bytes]
) -> File:
    session, scheme = seat.session, scheme_of(parameters_of(seat.session))
    update = files.vector(record.cid, record.root, session.dimension, LeafKind.UPDATE).astype(np.int16, copy=False)
    key, tags = group_key(scheme, *secret), Tags(secret[0], session.digest)
    blocks = encrypted(scheme, key, tags, seat.position, update)
    return files.keep_pieces(seal(envelope, session, seat.position, blocks))


def _opened(files: RoundFiles, session: Session, among: Members, secret: tuple[bytes, bytes], posted: Posted) -> Opened:
    scheme = scheme_of(parameters_of(session))
    key, tags = group_key(scheme, *secret), Tags(secret[0], session.digest)
    try:
        content = files.large(posted.cid, posted.hash, added_size(scheme.parameters, session.dimension)).data
        members, blocks = read_added(content, session, among, scheme.parameters)
        total = decrypted(scheme, key, tags, session, members, blocks)
    except Rejected:
        return Opened(None)
    return Opened(files.keep_pieces([signed_file(session, members, total)]))
