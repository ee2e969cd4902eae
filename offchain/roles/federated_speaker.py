"""Secure mode: what a member posts at each stage of its group's session, journalled before it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from offchain.chain.federated import Federation, Story
from offchain.chain.sender import Call
from offchain.errors import Bug, Rejected
from offchain.federated.round_rules import TaskView
from offchain.federated.secure.messages import Masked, Message, Shares, digest_of, encode
from offchain.federated.secure.participant import Secrets, draw_secrets
from offchain.federated.secure.session import next_message
from offchain.federated.secure.terms import Session, Stage
from offchain.federated.secure.transcript import Transcript
from offchain.federated.vector_tree import LeafKind, masked_tree
from offchain.roles.context import RoleContext
from offchain.roles.federated_files import RoundFiles
from offchain.roles.federated_homomorphic_speaker import Seat
from offchain.roles.federated_records import UpdateRecord
from offchain.roles.federated_table import Table
from offchain.types import CidDigest, Commitment, OrderId, TaskId

_CALLS = {
    Stage.KEYS: "postKeys",
    Stage.SHARES: "postShares",
    Stage.MASKED: "postMasked",
    Stage.UNMASK: "postUnmask",
}


@dataclass(frozen=True, slots=True, repr=False)
class SecretsRecord:
    """A member's secrets of one session, and what it has bound itself to. `oid` is the task."""

    kind: ClassVar[str] = "session"

    oid: OrderId
    secrets: Secrets

    @property
    def commitment(self) -> Commitment:
        """The session's digest: one set of secrets for each."""
        return Commitment(self.secrets.session)

    def to_json(self) -> dict[str, Any]:
        """See Record."""
        return {"oid": self.oid, "secrets": self.secrets.to_json()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """See Record."""
        return cls(OrderId(fields["oid"]), Secrets.from_json(fields["secrets"]))


class Speaker:
    """Of one account in one task."""

    def __init__(
        self,
        context: RoleContext,
        task: TaskId,
        federation: Federation,
        files: RoundFiles,
        table: Table,
        send: Callable[[str, Call], None],
    ) -> None:
        self._context = context
        self._task = task
        self._federation = federation
        self._files = files
        self._table = table
        self._send = send

    def speak(self, view: TaskView, story: Story, stage: Stage, record: UpdateRecord | None) -> None:
        """Posts what the stage asks for; `record`: of this account's update, for MASKED.

        Raises Retryable while others' messages cannot be had, Rejected when this member refuses.
        """
        place = view.place_of(self._context.account)
        if place is None:
            raise Bug("no member of the task speaks in it")
        number, position = self._table.sessions.place_of(view, place)
        session = self._table.sessions.session(view, number)
        secrets = self._secrets(session, position)
        if self._table.is_homomorphic(view):
            self._speak_homomorphic(view, story, stage, Seat(place, number, session, secrets), record)
            return
        transcript: Transcript | None = Transcript(session)
        if stage is not Stage.KEYS:
            transcript = self._table.sessions.transcript(view, story, number, None)
        if transcript is None:
            return
        update = None
        if stage is Stage.MASKED:
            if record is None:
                raise Rejected(f"round {view.state.round}: the update is not in the journal")
            update = self._files.vector(record.cid, record.root, view.terms.dimension, LeafKind.UPDATE)
        step = next_message(secrets, transcript, stage, update)
        if step is None:
            return
        self._bind(secrets, step.secrets)
        data = encode(step.message, session, secrets.position)
        cid = self._files.keep(data)
        self._files.publish(cid)
        self._send(f"{stage.name.lower()}:{view.state.round}", self._call(step.message, stage, data, cid))

    def _speak_homomorphic(
        self, view: TaskView, story: Story, stage: Stage, seat: Seat, record: UpdateRecord | None
    ) -> None:
        word = self._table.speaker.say(view, story, stage, seat, record, self._context.rng(32))
        if word is None:
            return
        self._bind(seat.secrets, word.secrets)
        self._files.publish(word.file)
        call: Call = getattr(self._federation.contract.functions, _CALLS[stage])(self._task, *word.arguments)
        self._send(f"{stage.name.lower()}:{view.state.round}", call)

    def _bind(self, before: Secrets, after: Secrets) -> None:
        """Journals what a member has bound itself to, before it leaves."""
        if after != before:
            self._context.journal.write(SecretsRecord(OrderId(self._task), after))

    def _call(self, message: Message, stage: Stage, data: bytes, cid: CidDigest) -> Call:
        functions = self._federation.contract.functions
        if isinstance(message, Masked) and message.vector is not None:
            return functions.postMasked(self._task, masked_tree(message.vector).root, cid)
        if isinstance(message, Shares):
            return functions.postShares(self._task, message.seeds_root, digest_of(data), cid)
        call: Call = getattr(functions, _CALLS[stage])(self._task, digest_of(data), cid)
        return call

    def _secrets(self, session: Session, position: Any) -> Secrets:
        """The secrets of this session, drawn and journalled when it begins."""
        found = self._context.journal.find(SecretsRecord, Commitment(session.digest))
        if found is not None:
            return found.secrets
        drawn = draw_secrets(session, position, self._context.rng)
        self._context.journal.write(SecretsRecord(OrderId(self._task), drawn))
        return drawn
