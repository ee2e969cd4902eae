"""A member's part in a session: what to post now. Pure; `roles` and tests drive it alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.federated.secure.masking import AddStream, add_stream
from offchain.federated.secure.messages import Message
from offchain.federated.secure.participant import (
    Secrets,
    keys_message,
    masked_message,
    shares_message,
    unmask_message,
)
from offchain.federated.secure.terms import Position, Stage
from offchain.federated.secure.transcript import Sets, Transcript, sets_of


@dataclass(frozen=True, slots=True)
class Step:
    """What to post. Store `secrets` in the journal, and only then let `message` leave."""

    secrets: Secrets
    message: Message


def next_message(
    secrets: Secrets,
    transcript: Transcript,
    stage: Stage,
    update: npt.NDArray[np.int16] | None = None,
    add: AddStream = add_stream,
) -> Step | None:
    """What this member posts at `stage`, the one that is open; the stages before it are closed.

    The same whenever it is asked for, also after a crash between journal and post. None: it has posted, or has dropped
    out at a stage before. `update`, int16 (d,), is needed at MASKED. Raises Rejected when it refuses: too few members
    are left, or it has bound itself to another vector or other survivors.
    """
    if secrets.position in posted_at(transcript, stage):
        return None
    if stage is Stage.KEYS:
        return Step(secrets, keys_message(secrets, transcript.session))
    if secrets.position not in admitted_to(sets_of(transcript), stage):
        return None
    if stage is Stage.SHARES:
        return Step(secrets, shares_message(secrets, transcript))
    if stage is Stage.UNMASK:
        return Step(*unmask_message(secrets, transcript))
    if update is None:
        raise Bug("no update to mask")
    return Step(*masked_message(secrets, transcript, update, add))


def posted_at(transcript: Transcript, stage: Stage) -> Mapping[Position, Message | None]:
    """What was posted at a stage, by author."""
    return (transcript.keys, transcript.shares, transcript.masked, transcript.unmask)[stage]


def admitted_to(sets: Sets, stage: Stage) -> tuple[Position, ...]:
    """Whose message of a stage after KEYS counts."""
    return {Stage.SHARES: sets.keyed, Stage.MASKED: sets.shared, Stage.UNMASK: sets.masked}[stage]
