"""Secure mode: the sessions of a round's groups, read from chain and store: who said what, and the groups' means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from eth_typing import ChecksumAddress

from offchain.chain.federated import Story
from offchain.errors import Rejected, Retryable
from offchain.federated.groups import Group, assign, mean_of
from offchain.federated.round_rules import TaskView
from offchain.federated.secure.messages import Masked, size_of
from offchain.federated.secure.terms import Position, Session, Stage, threshold_for
from offchain.federated.secure.transcript import Transcript, read
from offchain.federated.secure.unmask import recover, sum_of, why_lost
from offchain.federated.settlement import survivors
from offchain.federated.task_state import TaskPhase, indices
from offchain.roles.federated_files import RoundFiles, Vector
from offchain.roles.memo import Memo
from offchain.types import CidDigest

Means = tuple[Sequence[npt.NDArray[np.int16]], Sequence[int]]
"""The columns and their weights."""

Combine = Callable[[], Means]


def group_mean(transcript: Transcript, survivors: int, whole: bool) -> npt.NDArray[np.int16]:
    """The mean int16 (d,) of a group that the chain counts; zeros when its sum is lost, so that the round goes on.

    `whole`: whether all answers are at hand. Raises Retryable when more of them might give a sum.
    """
    recovered = recover(transcript)
    if recovered.complete:
        return mean_of(sum_of(transcript, recovered), survivors)
    if not whole:
        raise Retryable(f"the sum of group {transcript.session.group}: {why_lost(transcript, recovered)}")
    return np.zeros(transcript.session.dimension, dtype=np.int16)


@dataclass(frozen=True, slots=True)
class Codec:
    """How a method's messages lie in files: the one length of a stage's, and what is in one (None: no message)."""

    size_of: Callable[[Session, Stage], int]
    read: Callable[[bytes, Session, Position, Stage], Any]


MASKING = Codec(size_of, read)

EVENTS = {Stage.KEYS: "KeysPosted", Stage.SHARES: "SharesPosted", Stage.UNMASK: "UnmaskPosted"}


class Sessions:
    """Of one task. Messages are fetched in the background; raises Retryable while one cannot be had."""

    def __init__(
        self, chain: int, contract: ChecksumAddress, files: RoundFiles, memo: Memo[tuple[str, int, int]]
    ) -> None:
        self._chain = chain
        self._contract = bytes.fromhex(contract[2:])
        self._files = files
        self._memo = memo

    def groups(self, view: TaskView) -> tuple[Group, ...]:
        """The groups of the round that is on."""
        return assign(view.state.seed, view.state.round, tuple(indices(view.round.roster)), view.terms.group_size)

    def session(self, view: TaskView, number: int) -> Session:
        """The terms of group `number`, the same for all its members: each counts once."""
        members = self.groups(view)[number]
        return Session(
            chain_id=self._chain,
            contract=self._contract,
            task=view.task,
            round=view.state.round,
            attempt=0,
            group=number,
            members=tuple(bytes.fromhex(view.participants[index].account[2:]) for index in members),
            weights=(1,) * len(members),
            threshold=threshold_for(len(members)),
            dimension=view.terms.dimension,
        )

    def place_of(self, view: TaskView, index: int) -> tuple[int, Position]:
        """The group of a participant of the roster, and its position there."""
        for number, group in enumerate(self.groups(view)):
            if index in group:
                return number, Position(group.index(index))
        raise Rejected(f"participant {index} is in no group of round {view.state.round}")

    def transcript(
        self, view: TaskView, story: Story, number: int, vectors: dict[int, Vector] | None
    ) -> Transcript | None:
        """What a group's members have posted; None while files are being fetched.

        `vectors`: the masked ones at hand; None for members, who need to know who posted one, not what.

        Raises Retryable when one cannot be had: it must not be taken for one that was not posted.
        """
        group, session = self.groups(view)[number], self.session(view, number)
        found: dict[Stage, dict[Position, Any]] = {}
        for stage in EVENTS:
            read_all = self.messages(view, story, stage, number)
            if read_all is None:
                return None
            found[stage] = read_all
        masked = {}
        posted = view.round.included if view.phase > TaskPhase.COMMIT else 0
        for position, index in enumerate(group):
            if posted >> index & 1:
                if vectors is not None and index not in vectors:
                    raise Retryable(f"the masked vector of participant {index} cannot be had yet")
                masked[Position(position)] = Masked(None if vectors is None else vectors[index].astype(np.uint32))
        return Transcript(session, found[Stage.KEYS], found[Stage.SHARES], masked, found[Stage.UNMASK])

    def combine(self, view: TaskView, story: Story, vectors: dict[int, Vector]) -> Combine | None:
        """How the means of all groups that can be unmasked are made."""
        columns = survivors(view.terms, view.state.seed, view.state.round, view.round)
        parts: list[tuple[Transcript, int, bool]] = []
        for column in columns:
            number = next(at for at, group in enumerate(self.groups(view)) if column[0] in group)
            transcript = self.transcript(view, story, number, vectors)
            if transcript is None:
                return None
            answered = sum(view.round.answered >> index & 1 for index in self.groups(view)[number])
            parts.append((transcript, len(column), len(transcript.unmask) == answered))
        return lambda: ([group_mean(*part) for part in parts], [count for _, count, _ in parts])

    def messages(
        self, view: TaskView, story: Story, stage: Stage, number: int, codec: Codec = MASKING
    ) -> dict[Position, Any] | None:
        """What the members of group `number` posted at a stage, by position; None while files are being fetched.

        Raises Retryable, Rejected when one cannot be had; of UNMASK it is left out then.
        """
        group, session, found = self.groups(view)[number], self.session(view, number), dict[Position, Any]()
        waiting = False
        for event in story.named(EVENTS[stage], view.state.round):
            index = event.arguments["index"]
            if index not in group:
                continue
            cid, said = CidDigest(event.arguments["cid"]), bytes(event.arguments["hash"])
            work = partial(self._files.message, cid, said, codec.size_of(session, stage))
            try:
                content = self._memo.get((stage.name, view.state.round, index), work)
            except (Rejected, Retryable):
                if stage is not Stage.UNMASK:
                    raise
                continue  # any answers give the same seeds, if they are enough
            if content is None:
                waiting = True
            else:
                position = Position(group.index(index))
                found[position] = codec.read(content, session, position, stage)
        return None if waiting else found
