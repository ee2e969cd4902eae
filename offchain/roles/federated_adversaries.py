"""Participants of federated tasks that misbehave in ways which the protocol notices, or which its rules withstand.

For the demonstration and the tests only. Real code paths through real transactions: each is an honest worker with one
deed changed.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from offchain.chain.event_decoder import Event
from offchain.chain.federated import Story
from offchain.data.dataset import Dataset
from offchain.errors import Rejected, Retryable
from offchain.federated.attacks.base import Attack, Knowledge, View
from offchain.federated.fixed_point import dequantise, quantise_update
from offchain.federated.game.material import Material
from offchain.federated.local_training import LocalUpdate
from offchain.federated.measures import Measures, compute_measures, row_bytes
from offchain.federated.results import Result, next_result
from offchain.federated.round_actions import (
    Action,
    Answer,
    Post,
    Reveal,
    Speak,
)
from offchain.federated.round_rules import TaskView
from offchain.federated.secure.terms import Stage
from offchain.proofs.field import Element
from offchain.proofs.statement import Statement
from offchain.proofs.system import Proof
from offchain.roles.federated_deeds import Deeds
from offchain.roles.federated_files import Update
from offchain.roles.federated_participant import FederatedWorker
from offchain.roles.federated_prover import Ground, Prover
from offchain.roles.federated_records import ModelRecord
from offchain.storage.cid import Cid
from offchain.types import CidDigest

ZERO = Element(0)


class LyingDeeds(Deeds):
    """Posts an aggregate with one coordinate changed, with measures that fit it, and defends it."""

    def _to_post(self, view: TaskView, honest: Material) -> Material:
        forged = honest.aggregate.copy()
        place = view.state.round % len(forged)
        forged[place] += 1 if forged[place] < np.iinfo(np.int16).max else -1
        terms = view.terms
        result = next_result(terms.optimizer.definition, honest.previous, forged)
        measures = compute_measures(honest.columns, forged, terms.rule.evidence)
        return Material(honest.columns, honest.weights, honest.previous, result, measures)


class GreedyDeeds(Deeds):
    """Posts the right aggregate, but measures in which its own contribution is larger than it was."""

    def _to_post(self, view: TaskView, honest: Material) -> Material:
        place = view.place_of(self.context.account)
        column = 0 if place is None else sum(index < place for index in view.included)
        row = np.array(honest.measures.entries(0), dtype=np.int64)
        row[column] = row[-1] + 1
        forged = Measures(honest.measures.shape, (row_bytes(row), *honest.measures.rows[1:]))
        return replace(honest, measures=forged)


class SilentDeeds(Deeds):
    """Never posts when it is its turn to lead."""

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        """See Deeds."""
        if not isinstance(action, Post):
            super().act(view, story, action)


class WithholdingDeeds(Deeds):
    """Reveals, and publishes nothing: nobody can aggregate what it has revealed."""

    def _publish(self, cid: CidDigest) -> None:
        self._hands.say_once(self.task, "withheld", cid=str(Cid(cid)))

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        """See Deeds."""
        if not isinstance(action, Answer):
            super().act(view, story, action)


class SecretiveDeeds(Deeds):
    """Commits and never reveals."""

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        """See Deeds."""
        if not isinstance(action, Reveal):
            super().act(view, story, action)


class MuteDeeds(Deeds):
    """Secure mode: deals its shares, and posts no masked vector."""

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        """See Deeds."""
        if action != Speak(Stage.MASKED):
            super().act(view, story, action)


class OverclaimingProver(Prover):
    """Says that one more sample is right than it can prove."""

    def _proof(
        self, view: TaskView, story: Story, ground: Ground, record: ModelRecord, draw: int, chunk: int
    ) -> Proof | None:
        proof = super()._proof(view, story, ground, record, draw, chunk)
        if proof is None:
            return None
        return replace(proof, statement=replace(proof.statement, correct=proof.statement.correct + 1))


class CopyingProver(Prover):
    """Commits to what another has committed to, and sends that one's proofs as its own."""

    def _committed(self, story: Story, number: int, record: ModelRecord) -> int:
        others = [
            e for e in story.named("LocalModelCommitted", number) if e.arguments["modelHash"] != record.model_hash
        ]
        if not others:
            raise Retryable(f"round {number}: nobody has committed to a model that could be copied")
        return int(others[0].arguments["modelHash"])

    def _proof(
        self, view: TaskView, _story: Story, ground: Ground, _record: ModelRecord, draw: int, _chunk: int
    ) -> Proof | None:
        if view.proofs is None:
            return None
        head = self._context.client.head()
        for event in self._federation.rounds.events("ChunkProven", view.proofs.round, head):
            if event.arguments["draw"] == draw:
                return self._copied(event, ground)
        return None

    def _copied(self, event: Event, ground: Ground) -> Proof | None:
        sent = self._context.client.request("eth_getTransactionByHash", "0x" + event.tx_hash.hex())
        if sent is None:
            return None
        _, said = self._federation.rounds.contract.decode_function_input(sent["input"])
        # only the count and the chunk are sent; who it is for the contract knows by itself
        statement = Statement(ZERO, Element(said["chunkHash"]), said["correct"], ZERO)
        return Proof(ground.system.name, ground.circuit.circuit_hash, statement, bytes(said["proof"]))


class OverclaimingDeeds(Deeds):
    """See OverclaimingProver."""

    proving: ClassVar[type[Prover]] = OverclaimingProver


class CopyingDeeds(Deeds):
    """See CopyingProver."""

    proving: ClassVar[type[Prover]] = CopyingProver


class PoisonedDeeds(Deeds):
    """Trains and reveals like everybody, but sends what an attack makes of its data or its update.

    It acts alone and remembers nothing: of the attacks those that know the attacker's own data only.
    """

    attack: ClassVar[Attack]

    def dataset(self, view: TaskView) -> Dataset:
        """What it trains on."""
        return self.attack.poison(super().dataset(view), self._generator(view))

    def _update(self, view: TaskView, _start: Result, made: LocalUpdate) -> Update:
        if self.attack.knowledge is not Knowledge.OWN:
            raise Rejected(
                f"attack {type(self.attack).__name__} goes by {self.attack.knowledge.value}: it is no single's"
            )
        bits, place = view.terms.scale_bits, view.place_of(self.context.account) or 0
        own = dequantise(made.values, bits).astype(np.float64)[np.newaxis]
        seen = View(len(view.participants), np.array([place], dtype=np.intp), own, past=())
        return quantise_update(self.attack.craft(seen, self._generator(view))[0], bits).values

    def _generator(self, view: TaskView) -> np.random.Generator:
        return np.random.default_rng([view.task, view.state.round, int(self.context.account, 16) % 2**32])


class LyingLeader(FederatedWorker):
    """See LyingDeeds."""

    conduct: ClassVar[type[Deeds]] = LyingDeeds


class WrongMeasures(FederatedWorker):
    """See GreedyDeeds."""

    conduct: ClassVar[type[Deeds]] = GreedyDeeds


class SilentLeader(FederatedWorker):
    """See SilentDeeds."""

    conduct: ClassVar[type[Deeds]] = SilentDeeds


class Withholder(FederatedWorker):
    """See WithholdingDeeds."""

    conduct: ClassVar[type[Deeds]] = WithholdingDeeds


class NoReveal(FederatedWorker):
    """See SecretiveDeeds."""

    conduct: ClassVar[type[Deeds]] = SecretiveDeeds


class Mute(FederatedWorker):
    """See MuteDeeds."""

    conduct: ClassVar[type[Deeds]] = MuteDeeds


class Overclaimer(FederatedWorker):
    """See OverclaimingProver."""

    conduct: ClassVar[type[Deeds]] = OverclaimingDeeds


class ProofCopier(FederatedWorker):
    """See CopyingProver."""

    conduct: ClassVar[type[Deeds]] = CopyingDeeds


def poisoner(attack: Attack) -> type[FederatedWorker]:
    """A participant with that attack."""

    class Poison(PoisonedDeeds):
        pass

    class Poisoner(FederatedWorker):
        conduct: ClassVar[type[Deeds]] = Poison

    Poison.attack = attack
    return Poisoner
