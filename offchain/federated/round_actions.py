"""What an account can do about a federated task; `round_rules` decides which of it, a worker's deeds do it."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.federated.secure.terms import Stage
from offchain.types import Wei


@dataclass(frozen=True, slots=True)
class Join:
    """Lock the stake and take a place."""

    stake: Wei


@dataclass(frozen=True, slots=True)
class Start:
    """The first round can begin."""


@dataclass(frozen=True, slots=True)
class Train:
    """An update has to be made before it can be committed to."""


@dataclass(frozen=True, slots=True)
class CommitModel:
    """Commit to the journalled local model, whose accuracy is to be proven."""


@dataclass(frozen=True, slots=True)
class DrawChunks:
    """Go on with the draw of the test chunks that all prove."""

    attempt: int
    drawn: bool


@dataclass(frozen=True, slots=True)
class Prove:
    """Prove what is still owed of the committed model's accuracy: draws and their chunks."""

    owed: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CountProofs:
    """No proof can come any more: count them."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Commit to the journalled update."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """Open the commitment and publish the update."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Secure mode: post what a stage of the session asks for."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Ask:
    """Say on chain that an update cannot be had: ask for one of its chunks."""

    index: int
    chunk: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Post the chunk that was asked for."""

    index: int
    chunk: int


@dataclass(frozen=True, slots=True)
class Expire:
    """Nobody has answered in time: the update is dropped."""

    index: int


@dataclass(frozen=True, slots=True)
class Compute:
    """Fetch the updates and compute what the round's posting must say."""


@dataclass(frozen=True, slots=True)
class Post:
    """Lead: post result and measures."""


@dataclass(frozen=True, slots=True)
class ReplaceLeader:
    """The leader is late."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is posted is not what was computed."""


@dataclass(frozen=True, slots=True)
class Object:
    """Secure mode: what is posted is not what the masked vectors add up to, and no contract computes that yet."""


@dataclass(frozen=True, slots=True)
class Finalize:
    """Nobody has proven the posting wrong."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The round cannot be played to an end."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Take the reward of a round."""

    round: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Take the stake out."""


Action = (
    Join
    | Start
    | Train
    | CommitModel
    | Commit
    | DrawChunks
    | Prove
    | CountProofs
    | Reveal
    | Speak
    | Ask
    | Answer
    | Expire
    | Compute
    | Post
    | ReplaceLeader
    | Challenge
    | Object
    | Finalize
    | Fail
    | Claim
    | Leave
)

OBLIGATIONS = (CommitModel, Commit, Prove, Reveal, Speak, Answer, Post, Challenge, Object, Claim, Leave)
"""What costs stake or reward if it is not done: tried again and again."""
