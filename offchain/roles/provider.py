"""The service provider: chooses orders by reward per second, trains, claims its best model early, reveals it."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from offchain.chain.enums import Role
from offchain.chain.views import Claim
from offchain.errors import Bug, Rejected, Retryable
from offchain.model.evaluator import evaluate
from offchain.model.recording import Recorder
from offchain.model.scores import total_score
from offchain.model.search import Candidate, SearchSettings, hold_out, search
from offchain.protocol.commitments import claim_commitment
from offchain.protocol.lifecycle import ENDED, Phase
from offchain.protocol.selection import TrainingMeans, TrainingOffer, choose_training
from offchain.roles.answering import Answering
from offchain.roles.background import BackgroundWorker
from offchain.roles.context import RoleContext
from offchain.roles.jobs import Emit, Ended, ShouldStop
from offchain.roles.materials import Materials, fetch_materials
from offchain.roles.order_view import NO_COMMITMENT, OrderView, order_limits
from offchain.roles.package import Package, pack, unpack
from offchain.roles.provider_rules import (
    OpeningLost,
    ProviderAction,
    RevealModel,
    StopTraining,
    SubmitClaim,
    best_candidate,
    improves,
    provider_actions,
)
from offchain.roles.records import CandidateRecord
from offchain.types import OrderId, Salt, Seconds, Wei

NOTHING = Wei(0)


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What a provider can and wants. Amounts in wei, sizes in bytes, times in seconds.

    `skill`: how hard it searches. `slots`: orders it trains at once. `margin_seconds`: how long before the end of
    training it stops, so that its last claim arrives in time; at most a quarter of the training time.
    """

    skill: SearchSettings = field(default_factory=SearchSettings)
    slots: int = 2
    margin_seconds: int = 6
    least_seconds: int = 3
    least_reward_per_second: Wei = NOTHING
    max_model_bytes: int = 256 * 2**20
    max_train_bytes: int = 2**29
    poll_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A packed candidate, and its exact score (a sum over `samples`) and loss on the hold-out drawn with `seed`."""

    package: Package
    score: int
    samples: int
    seed: int
    epochs: int
    loss: float


class ProviderWorker(BackgroundWorker[Found]):
    """One service provider. See `provider_rules` for what it does when, `selection` for how it chooses orders."""

    role: ClassVar[str] = "provider"
    topic: ClassVar[str] = "train"

    def __init__(
        self, context: RoleContext, options: ProviderOptions | None = None, *, executor: Executor | None = None
    ) -> None:
        """`executor` runs the trainings; by default as many threads as `slots`, owned by the worker."""
        self._options = options or ProviderOptions()
        slots, poll_seconds = self._options.slots, self._options.poll_seconds
        super().__init__(context, slots=slots, executor=executor, poll_seconds=poll_seconds)
        self._trained: set[OrderId] = set()
        self._offers: dict[OrderId, tuple[TrainingOffer, OrderView]] = {}
        self._answering = Answering(context, self._hands, executor=executor)

    def close(self) -> None:
        """Ends what runs in the background."""
        super().close()
        self._answering.close()

    # The loop

    def _has_news(self) -> bool:
        return self._answering.has_news() or super()._has_news()

    def _obligations(self) -> frozenset[OrderId]:
        return frozenset(record.oid for record in self.context.journal.all(CandidateRecord))

    def _prepare(self) -> None:
        self._offers.clear()
        super()._prepare()
        self._attempt(None, "requests", self._answering.begin, obligation=True)

    def _job_ended(self, end: Ended[OrderId]) -> None:
        if not isinstance(end.error, Retryable):
            self._trained.add(end.key)
        self._say(end.key, "training-ended")

    def _is_over(self, view: OrderView) -> bool:
        if view.phase > Phase.REVEAL and view.oid in self._jobs:
            self._jobs.stop(view.oid)
        return view.phase in ENDED or (view.phase > Phase.REVEAL and not self._takes_part(view))

    def _takes_part(self, view: OrderView) -> bool:
        """Whether it has claimed a model, as far as it remembers or the chain does."""
        if self.context.journal.of_order(CandidateRecord, view.oid):
            return True
        return self.context.contracts.claim(view.oid, self.context.account).revealed

    def _advance(self, view: OrderView) -> None:
        if view.phase > Phase.REVEAL:
            self._attempt(view.oid, "answers", partial(self._answering.advance, view), obligation=True)
            self._seal_if_left(view)
            return
        claim = self.context.contracts.claim(view.oid, self.context.account)
        candidates = self.context.journal.of_order(CandidateRecord, view.oid)
        margin = self._margin(view)
        training = view.oid in self._jobs
        if view.phase == Phase.TRAINING and not training and view.oid not in self._trained:
            self._offers[view.oid] = (self._offer(view, claim), view)
        for action in provider_actions(view, claim, candidates, training=training, margin=margin // 2):
            act = partial(self._act, view, action)
            obligation = isinstance(action, RevealModel)
            self._attempt(view.oid, type(action).__name__, act, obligation=obligation)

    def _conclude(self) -> None:
        if not self._offers:
            return
        bond = self.context.contracts.bond(self.context.account, Role.PROVIDER)
        means = TrainingMeans(
            slots=self._options.slots - len(self._jobs),
            free_bond=bond.free,
            least_seconds=Seconds(self._options.least_seconds),
            least_reward_per_second=self._options.least_reward_per_second,
            max_model_bytes=self._options.max_model_bytes,
        )
        for oid in choose_training((offer for offer, _ in self._offers.values()), means, self._now):
            self._attempt(oid, self.topic, partial(self._begin, self._offers[oid][1]))

    def _act(self, view: OrderView, action: ProviderAction) -> None:
        contracts, oid = self.context.contracts, view.oid
        match action:
            case SubmitClaim(candidate):
                call = contracts.claim_model(oid, candidate.commitment)
                self._send(f"claim:{oid}:{candidate.commitment.hex()}", call)
            case RevealModel(candidate):
                key = f"reveal:{oid}"
                if not self.context.sender.knows(key):
                    self._prove(view, candidate)
                opening = (candidate.model_root, candidate.cid, candidate.salt)
                self._send(key, contracts.reveal_model(oid, *opening))
            case StopTraining():
                self._jobs.stop(oid)
            case OpeningLost():
                self._say_once(oid, "opening-lost")

    # Training

    def _margin(self, view: OrderView) -> int:
        return min(self._options.margin_seconds, view.order.terms.train_seconds // 4)

    def _offer(self, view: OrderView, claim: Claim) -> TrainingOffer:
        terms, windows = view.order.terms, view.order.windows
        return TrainingOffer(
            oid=view.oid,
            reward=terms.reward,
            train_seconds=Seconds(terms.train_seconds),
            train_until=Seconds(windows.train_end - self._margin(view)),
            claim_bond=view.order.claim_bond,
            max_model_bytes=terms.max_model_bytes,
            claims=view.facts.claims,
            max_claims=view.order.max_claims,
            claimed_by_me=claim.commitment != NO_COMMITMENT,
        )

    def _begin(self, view: OrderView) -> None:
        """Starts the training in the background; it ends when it has nothing more to try or time is up."""
        known = self.context.journal.of_order(CandidateRecord, view.oid)
        # After a restart the same hold-out must judge, or the scores could not be compared with those journalled.
        seed = known[0].seed if known else int.from_bytes(self.context.rng(4), "big")
        left = view.order.windows.train_end - self._margin(view) - view.now
        until = self.context.clock() + left
        self._say(view.oid, "training", seconds=left, seed=seed)
        self._jobs.start(view.oid, partial(self._train, view, seed, until))
        self._acted = True

    def _train(self, view: OrderView, seed: int, until: float, emit: Emit[Found], should_stop: ShouldStop) -> None:
        """The job: fetches what the order is about and hands out ever better candidates, packed."""
        materials = fetch_materials(self.context.store, view.order.terms, max_bytes=self._options.max_train_bytes)
        limits = order_limits(view)

        def over() -> bool:
            return should_stop() or self.context.clock() >= until

        recorder = Recorder()
        for candidate in self._candidates(materials, seed, over, recorder):
            score, samples = self._judge(candidate, materials, seed)
            account = recorder.account(candidate.settings, samples)
            package = pack(self.context.store, candidate.network, candidate.model, limits, account=account)
            emit(Found(package, score, samples, seed, candidate.epochs, candidate.integer.loss))

    def _candidates(
        self, materials: Materials, seed: int, should_stop: ShouldStop, recorder: Recorder
    ) -> Iterator[Candidate]:
        return search(
            materials.spec,
            materials.train,
            materials.manifest.score_function_id,
            seed=seed,
            should_stop=should_stop,
            settings=self._options.skill,
            progress=recorder,
        )

    def _judge(self, candidate: Candidate, materials: Materials, seed: int) -> tuple[int, int]:
        function = materials.manifest.score_function_id
        held = hold_out(materials.train, function, self._options.skill.holdout_fraction, seed).holdout
        return total_score(function, evaluate(candidate.network, held.inputs), held.labels), len(held)

    def _keep(self, oid: OrderId, found: Found) -> None:
        """Journals a candidate that is better than all before it; the rules will claim it."""
        known = best_candidate(self.context.journal.of_order(CandidateRecord, oid))
        self._say(oid, "candidate", score=found.score, samples=found.samples, epochs=found.epochs)
        if not improves(found.score, found.loss, known):
            return
        salt, package = Salt(self.context.rng(32)), found.package
        commitment = claim_commitment(oid, self.context.account, package.model_root, package.cid, salt)
        self.context.journal.write(
            CandidateRecord(
                oid=oid,
                commitment=commitment,
                model_root=package.model_root,
                cid=package.cid,
                salt=salt,
                score=found.score,
                samples=found.samples,
                seed=found.seed,
                loss=found.loss,
            )
        )

    def _prove(self, view: OrderView, candidate: CandidateRecord) -> None:
        """Evaluates what is about to be revealed once more, from the store: root and score must be those journalled.

        If the content has been lost the model is revealed all the same, for the bond is at stake, and that is said.
        """
        try:
            network = unpack(self.context.store, candidate.cid, candidate.model_root, order_limits(view))
            materials = fetch_materials(self.context.store, view.order.terms, max_bytes=self._options.max_train_bytes)
        except (Retryable, Rejected) as error:
            self._say(view.oid, "unproven", message=str(error))
            return
        function, fraction = materials.manifest.score_function_id, self._options.skill.holdout_fraction
        held = hold_out(materials.train, function, fraction, candidate.seed).holdout
        score = total_score(function, evaluate(network, held.inputs), held.labels)
        if (score, len(held)) != (candidate.score, candidate.samples):
            raise Bug(
                f"order {view.oid}: the model scores {score} of {len(held)} on the hold-out now, "
                f"{candidate.score} of {candidate.samples} when it was claimed"
            )
        self._say(view.oid, "proven", score=score, samples=len(held))
