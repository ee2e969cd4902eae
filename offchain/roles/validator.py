"""The validator: scores revealed models exactly, commits and reveals its scores, reports faults of others."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.chain.views import Claim, ScoreSheet
from offchain.dispute.evidence import Evidence
from offchain.dispute.moves import Move
from offchain.dispute.solver import next_move
from offchain.dispute.state import Dispute, Posted, Side
from offchain.protocol.commitments import scores_commitment
from offchain.protocol.lifecycle import ENDED, Phase
from offchain.protocol.selection import Scoring, ScoringMeans, ScoringOffer, choose_scoring
from offchain.roles.background import BackgroundWorker
from offchain.roles.context import RoleContext
from offchain.roles.courtroom import Courtroom
from offchain.roles.jobs import Emit, ShouldStop
from offchain.roles.order_view import NO_COMMITMENT, OrderView, order_limits
from offchain.roles.records import ScoresRecord
from offchain.roles.scoring import ScoringTask, Verdict, score_models, scores_of
from offchain.roles.validator_rules import (
    CommitScores,
    OpeningLost,
    RevealScores,
    SlashClaim,
    SlashScores,
    ValidatorAction,
    claims_can_be_slashed,
    scores_can_be_slashed,
    scoring_actions,
    slash_actions,
)
from offchain.types import OrderId, Salt, Seconds, Wei

NOTHING = Wei(0)
ANYTHING = Wei(1)

RETRY_SECONDS = 1.0
"""Pause before content that was missing is asked for again."""


@dataclass(frozen=True, slots=True)
class ValidatorOptions:
    """What a validator can and wants. Amounts in wei, sizes in bytes, times in seconds of the chain's clock.

    `vstake`: what it likes to put behind each validation, at least the order's minimum. `slots`: orders it scores at
    once. `margin_seconds`: how long before the end of the commit window it stops waiting for models, at most a quarter
    of that window. `slash_least`: reporter's share for which it reports a fault of others; None: it never does.
    `stagger`: seconds between one validator's turn to report and the next.
    """

    vstake: Wei = NOTHING
    slots: int = 2
    margin_seconds: int = 15
    max_model_bytes: int = 256 * 2**20
    max_test_bytes: int = 2**29
    slash_least: Wei | None = ANYTHING
    stagger: int = 3
    poll_seconds: float | None = None


class ValidatorWorker(BackgroundWorker[tuple[Verdict, ...]]):
    """One validator. See `validator_rules` for what it does when, `selection` for how it chooses orders."""

    role: ClassVar[str] = "validator"
    topic: ClassVar[str] = "score"

    def __init__(
        self, context: RoleContext, options: ValidatorOptions | None = None, *, executor: Executor | None = None
    ) -> None:
        """`executor` runs the evaluations; by default as many threads as `slots`, owned by the worker."""
        self._options = options or ValidatorOptions()
        slots, poll_seconds = self._options.slots, self._options.poll_seconds
        super().__init__(context, slots=slots, executor=executor, poll_seconds=poll_seconds)
        self._courtroom = Courtroom(
            context,
            self._hands,
            executor=executor,
            max_test_bytes=self._options.max_test_bytes,
            strategy=self._strategy,
        )
        self._offers: dict[OrderId, tuple[ScoringOffer, OrderView]] = {}
        self._clean: dict[OrderId, Phase] = {}

    def standing(self) -> dict[str, float]:
        """See Loop."""
        return {**super().standing(), **self._courtroom.standing()}

    def close(self) -> None:
        """Ends what runs in the background."""
        super().close()
        self._courtroom.close()

    # The loop

    def _has_news(self) -> bool:
        return self._courtroom.has_news() or super()._has_news()

    def _obligations(self) -> frozenset[OrderId]:
        scored = frozenset(record.oid for record in self.context.journal.all(ScoresRecord))
        return scored | self._courtroom.orders()

    def _prepare(self) -> None:
        self._offers.clear()
        super()._prepare()
        self._courtroom.collect()
        self._courtroom.begin(self._board.head)

    def _is_over(self, view: OrderView) -> bool:
        over = view.phase in ENDED and view.oid not in self._courtroom.orders()
        if over:
            self._courtroom.forget(view.oid)
            if view.oid in self._jobs:
                self._jobs.stop(view.oid)
        return over

    def _advance(self, view: OrderView) -> None:
        if view.phase in (Phase.SCORE_COMMIT, Phase.SCORE_REVEAL):
            sheet = self.context.contracts.sheet(view.oid, self.context.account)
            records = self.context.journal.of_order(ScoresRecord, view.oid)
            if view.phase == Phase.SCORE_COMMIT and sheet.commitment == NO_COMMITMENT:
                self._consider(view, records)
            for action in scoring_actions(view, sheet, records, margin=1):
                reveal = isinstance(action, RevealScores)
                self._attempt(view.oid, type(action).__name__, partial(self._act, view, action), obligation=reveal)
        self._courtroom.advance(view)
        if self.context.journal.of_order(ScoresRecord, view.oid):
            self._seal_if_left(view)
        if self._options.slash_least is not None:
            self._report_faults(view, self._options.slash_least)

    def _conclude(self) -> None:
        if not self._offers:
            return
        for scoring in choose_scoring((offer for offer, _ in self._offers.values()), self._means(), self._now):
            view = self._offers[scoring.oid][1]
            self._attempt(scoring.oid, self.topic, partial(self._begin, view, scoring))

    def _act(self, view: OrderView, action: ValidatorAction) -> None:
        functions, oid = self.context.contracts.proof.functions, view.oid
        match action:
            case CommitScores(record):
                self._send(commit_key(record), functions.commitScores(oid, record.commitment, record.vstake))
            case RevealScores(record):
                self._send(f"reveal-scores:{oid}", functions.revealScores(oid, list(record.scores), record.salt))
            case OpeningLost():
                self._say_once(oid, "opening-lost")
            case SlashClaim(provider):
                self._send(f"slash-claim:{oid}:{provider}", functions.slashUnrevealedClaim(oid, provider))
            case SlashScores(validator):
                self._send(f"slash-scores:{oid}:{validator}", functions.slashUnrevealedScores(oid, validator))

    # Scoring

    def _consider(self, view: OrderView, records: tuple[ScoresRecord, ...]) -> None:
        """Offers the order to the choice unless its scoring or its commitment is under way."""
        under_way = bool(records) and self.context.sender.knows(commit_key(records[-1]))
        displaced = under_way and self._transactions.is_done(commit_key(records[-1]))
        if view.oid not in self._jobs and (not under_way or displaced):
            self._offers[view.oid] = (self._offer(view, scored=bool(records)), view)

    def _offer(self, view: OrderView, *, scored: bool) -> ScoringOffer:
        contracts, order = self.context.contracts, view.order
        full = view.facts.score_commits >= order.max_validators
        seated = contracts.validators(view.oid) if full else ()
        stakes = [contracts.sheet(view.oid, validator).v_stake for validator in seated]
        return ScoringOffer(
            oid=view.oid,
            reward=order.terms.reward,
            validator_share_ppm=order.validator_share_ppm,
            models=view.facts.reveals,
            minimum_vstake=order.minimum_v_stake,
            commit_until=Seconds(order.windows.score_commit_end - self._margin(view)),
            max_model_bytes=order.terms.max_model_bytes,
            validators=view.facts.score_commits,
            max_validators=order.max_validators,
            lowest_vstake=min(stakes, default=NOTHING),
            scored=scored,
        )

    def _margin(self, view: OrderView) -> int:
        return min(self._options.margin_seconds, view.order.terms.validate_seconds // 8)

    def _means(self) -> ScoringMeans:
        return ScoringMeans(
            slots=self._options.slots - len(self._jobs),
            free_bond=self.context.contracts.bond(self.context.account, Role.VALIDATOR).free,
            wanted_vstake=self._options.vstake,
            max_model_bytes=self._options.max_model_bytes,
        )

    def _begin(self, view: OrderView, scoring: Scoring) -> None:
        """Starts the evaluation; what is scored already is committed, with the vStake that the choice now says."""
        records = self.context.journal.of_order(ScoresRecord, view.oid)
        if records:
            if records[-1].vstake != scoring.vstake:
                self.context.journal.write(replace(records[-1], vstake=scoring.vstake))
                self._acted = True
            return
        contracts, terms = self.context.contracts, view.order.terms
        task = ScoringTask(
            function=terms.score_function,
            test=contracts.test_set(view.oid),
            models=contracts.models(view.oid),
            limits=order_limits(view),
            max_test_bytes=self._options.max_test_bytes,
        )
        until = self.context.clock() + view.order.windows.score_commit_end - self._margin(view) - view.now
        self._say(view.oid, "scoring", models=len(task.models), samples=task.test.sample_count)
        self._jobs.start(view.oid, partial(self._score, task, until))
        self._acted = True

    def _score(self, task: ScoringTask, until: float, emit: Emit[tuple[Verdict, ...]], should_stop: ShouldStop) -> None:
        """The job."""

        def over() -> bool:
            return should_stop() or self.context.clock() >= until

        emit(score_models(self.context.store, task, out_of_time=over, pause=partial(self.context.sleep, RETRY_SECONDS)))

    def _keep(self, oid: OrderId, verdicts: tuple[Verdict, ...]) -> None:
        """Journals the scores; the rules will commit them."""
        scores, salt = self._reported(oid, scores_of(verdicts)), Salt(self.context.rng(32))
        reasons = [verdict.reason for verdict in verdicts if verdict.reason is not None]
        self._say(oid, "scored", scores=scores, abstained=reasons)
        commitment = scores_commitment(oid, self.context.account, scores, salt)
        # The vStake is set when the order is chosen the next time, in this same tick: the bond may have changed.
        self.context.journal.write(ScoresRecord(oid, commitment, scores, salt, NOTHING))

    def _strategy(self, dispute: Dispute, posted: Posted, evidence: Evidence, side: Side) -> Move | None:
        """How it defends its scores: by the truth."""
        return next_move(dispute, posted, evidence, side)

    def _reported(self, oid: OrderId, scores: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002 - for adversaries
        """What is said of the scores that were found: the truth."""
        return scores

    # Faults of others

    def _report_faults(self, view: OrderView, least: Wei) -> None:
        if not claims_can_be_slashed(view.phase) or self._clean.get(view.oid) == view.phase:
            return
        claims, sheets = self._claims(view), self._sheets(view)
        actions = slash_actions(view, claims, sheets, least_reward=least)
        if not actions:
            self._clean[view.oid] = view.phase
        elif view.now >= self._report_turn(view):
            for action in actions:
                self._attempt(view.oid, f"slash {action}", partial(self._act, view, action))

    def _claims(self, view: OrderView) -> Mapping[ChecksumAddress, Claim]:
        if view.facts.claims == view.facts.reveals:
            return {}
        contracts, me = self.context.contracts, self.context.account
        return {who: contracts.claim(view.oid, who) for who in contracts.claimants(view.oid) if who != me}

    def _sheets(self, view: OrderView) -> Mapping[ChecksumAddress, ScoreSheet]:
        if not scores_can_be_slashed(view.phase) or view.facts.score_commits == view.facts.score_reveals:
            return {}
        contracts, me = self.context.contracts, self.context.account
        return {who: contracts.sheet(view.oid, who) for who in contracts.validators(view.oid) if who != me}

    def _report_turn(self, view: OrderView) -> int:
        """Validators report in turn, so that they seldom race; who has no seat comes last."""
        windows = view.order.windows
        since = windows.score_reveal_end if scores_can_be_slashed(view.phase) else windows.reveal_end
        seated = self.context.contracts.validators(view.oid)
        place = seated.index(self.context.account) if self.context.account in seated else len(seated)
        return since + place * self._options.stagger


def commit_key(record: ScoresRecord) -> str:
    """Idempotency key of a commitment; a displaced validator that comes back with more stake has another one."""
    return f"commit-scores:{record.oid}:{record.commitment.hex()}:{record.vstake}"
