"""Homomorphic mode: what the groups of a round have posted, who adds for whom, and the means that were signed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from offchain.chain.federated import Story
from offchain.errors import Rejected, Retryable
from offchain.federated.groups import mean_of
from offchain.federated.homomorphic.messages import Keys, Shares, read, size_of
from offchain.federated.homomorphic.parameters import Parameters, choose
from offchain.federated.homomorphic.sealing import READERS, sealed_size
from offchain.federated.homomorphic.sums import read_signed, signed_size
from offchain.federated.round_rules import TaskView
from offchain.federated.secure.terms import Position, Session, Stage
from offchain.federated.settlement import survivors
from offchain.model.keccak import Bytes
from offchain.roles.federated_files import RoundFiles, Vector
from offchain.roles.federated_sessions import Codec, Combine, Sessions
from offchain.roles.memo import Memo
from offchain.types import CidDigest, Root

_CODEC = Codec(size_of, read)

Mean = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Posted:
    """A sum as a participant posted it: the file's keccak256 and the digest of its CID. `index`: whose posting."""

    index: int
    hash: bytes
    cid: CidDigest


@dataclass(frozen=True, slots=True)
class Dealt:
    """What a group's members have agreed on: those with keys, and of them those who dealt."""

    keys: dict[Position, Keys]
    shares: dict[Position, Shares]


@dataclass(frozen=True, slots=True)
class Adder:
    """Who reads a group's ciphertexts: a participant of the next group, its place among them and its X25519 key."""

    index: int
    place: int
    public: bytes


def parameters_of(session: Session) -> Parameters:
    """Those of a group's sum: they follow from its size."""
    return choose(session.size)


class HomomorphicSessions:
    """Of one task. Messages are fetched in the background; raises Retryable while one cannot be had."""

    def __init__(self, sessions: Sessions, files: RoundFiles, memo: Memo[tuple[str, int, int]]) -> None:
        self.base = sessions
        self._files = files
        self._memo = memo

    def neighbours(self, view: TaskView, number: int) -> tuple[int, int]:
        """The group that `number` adds for, and the one that adds for it. Rejected when there is one group only."""
        count = len(self.base.groups(view))
        if count < 2:
            raise Rejected(
                f"round {view.state.round}: one group only; who adds must not hold the key, so there are two"
            )
        return (number - 1) % count, (number + 1) % count

    def dealt(self, view: TaskView, story: Story, number: int) -> Dealt | None:
        """Who in a group posted keys and dealt; None while files are being fetched."""
        keys = self.keys(view, story, number)
        shares = self.base.messages(view, story, Stage.SHARES, number, _CODEC)
        if keys is None or shares is None:
            return None
        return Dealt(keys, {place: said for place, said in shares.items() if said is not None and place in keys})

    def keys(self, view: TaskView, story: Story, number: int) -> dict[Position, Keys] | None:
        """The keys of a group's members; None while files are being fetched."""
        found = self.base.messages(view, story, Stage.KEYS, number, _CODEC)
        return None if found is None else {place: said for place, said in found.items() if said is not None}

    def adders(self, view: TaskView, story: Story, number: int) -> tuple[Adder, ...] | None:
        """Who adds for a group: the first of the next one that dealt."""
        _, following = self.neighbours(view, number)
        dealt, group = self.dealt(view, story, following), self.base.groups(view)[following]
        if dealt is None:
            return None
        chosen = enumerate(sorted(dealt.shares)[:READERS])
        return tuple(Adder(group[position], place, dealt.keys[position].public) for place, position in chosen)

    # Ciphertexts

    def wanted(self, view: TaskView, story: Story, place: int | None) -> frozenset[int]:
        """Whose ciphertexts an account fetches: its own, and those that it is to add."""
        if place is None or not view.round.roster >> place & 1:
            return frozenset()
        number, _ = self.base.place_of(view, place)
        before, _ = self.neighbours(view, number)
        adders = self.adders(view, story, before)
        adds = adders is not None and any(adder.index == place for adder in adders)
        theirs = [index for index in self.base.groups(view)[before] if adds and index in view.included]
        return frozenset([*theirs, *([place] if place in view.included else [])])

    def ciphertexts(self, view: TaskView, index: int, cid: CidDigest) -> Bytes:
        """A participant's sealed file, verified against the chain."""
        return self._sealed(view, index, cid)[0]

    def card(self, view: TaskView, index: int, cid: CidDigest) -> Vector:
        """What stands for it on chain."""
        return self._sealed(view, index, cid)[1]

    def _sealed(self, view: TaskView, index: int, cid: CidDigest) -> tuple[Bytes, Vector]:
        number, _ = self.base.place_of(view, index)
        dimension = view.terms.dimension
        size = sealed_size(parameters_of(self.base.session(view, number)), dimension)
        return self._files.sealed(cid, Root(view.participants[index].word), dimension, size)

    # Sums

    def counted(self, view: TaskView, number: int) -> tuple[Position, ...]:
        """The positions of a group whose updates count in the round, as the chain has it."""
        group = self.base.groups(view)[number]
        return tuple(Position(place) for place, index in enumerate(group) if index in view.included)

    def posted(self, view: TaskView, story: Story, among: Iterable[int]) -> list[Posted]:
        """What these participants have posted at UNMASK, in the order of the chain."""
        wanted = frozenset(among)
        said = [event.arguments for event in story.named("UnmaskPosted", view.state.round)]
        return [
            Posted(one["index"], bytes(one["hash"]), CidDigest(one["cid"])) for one in said if one["index"] in wanted
        ]

    def combine(self, view: TaskView, story: Story) -> Combine | None:
        """How the means of all groups that the chain counts are made; None while files are being fetched."""
        columns = survivors(view.terms, view.state.seed, view.state.round, view.round)
        means = []
        for column in columns:
            number = next(at for at, group in enumerate(self.base.groups(view)) if column[0] in group)
            key = ("mean", view.state.round, number | view.round.answered << 8)
            means.append(self._memo.get(key, self._signed_mean(view, story, number)))
        done = [mean for mean in means if mean is not None]
        if len(done) < len(means):
            return None
        return lambda: (done, [len(column) for column in columns])

    def _signed_mean(self, view: TaskView, story: Story, number: int) -> "partial[Mean]":
        posted = self.posted(view, story, self.base.groups(view)[number])
        return partial(signed_mean, self._files, self.base.session(view, number), self.counted(view, number), posted)


def signed_mean(files: RoundFiles, session: Session, among: tuple[Position, ...], posted: list[Posted]) -> Mean:
    """The mean int16 (d,) of the sum that most have signed, of as many the first; zeros when none is a sum.

    Raises Retryable while a file cannot be had that would come before.
    """
    signed: dict[bytes, list[CidDigest]] = defaultdict(list)
    for one in posted:
        signed[one.hash].append(one.cid)
    for digest, cids in sorted(signed.items(), key=lambda item: -len(item[1])):
        content = _first(files, digest, dict.fromkeys(cids), signed_size(session.dimension))
        if content is None:
            continue
        try:
            members, total = read_signed(content, session, among)
        except Rejected:
            continue
        return mean_of(total, len(members))
    return np.zeros(session.dimension, dtype=np.int16)


def _first(files: RoundFiles, digest: bytes, cids: Iterable[CidDigest], size: int) -> memoryview | None:
    """The file from the first place where it is; None when it is nowhere what was said. Raises Retryable."""
    waiting: Retryable | None = None
    for cid in cids:
        try:
            return files.large(cid, digest, size).data
        except Retryable as error:
            waiting = error
        except Rejected:
            continue
    if waiting is not None:
        raise waiting
    return None
