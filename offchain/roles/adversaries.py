"""Participants that misbehave in the ways the protocol slashes. For the demonstration and the tests only.

Real code paths through real transactions: each is an honest worker that leaves out one obligation, or lies.
"""

from concurrent.futures import Executor

from offchain.dispute.evidence import Evidence
from offchain.dispute.moves import Move
from offchain.dispute.solver import next_move
from offchain.dispute.state import Dispute, Posted, Side
from offchain.roles.context import RoleContext
from offchain.roles.lies import Defence, Lie, Truth
from offchain.roles.order_view import OrderView
from offchain.roles.provider import ProviderWorker
from offchain.roles.provider_rules import ProviderAction, RevealModel
from offchain.roles.stories import Story
from offchain.roles.validator import ValidatorOptions, ValidatorWorker
from offchain.roles.validator_rules import RevealScores, ValidatorAction
from offchain.types import OrderId


class SecretiveProvider(ProviderWorker):
    """Claims its models and never reveals them: its claim bond is slashed."""

    def _act(self, view: OrderView, action: ProviderAction) -> None:
        if not isinstance(action, RevealModel):
            super()._act(view, action)


class SecretiveValidator(ValidatorWorker):
    """Commits to its scores and never reveals them: the stake behind them is slashed."""

    def _act(self, view: OrderView, action: ValidatorAction) -> None:
        if not isinstance(action, RevealScores):
            super()._act(view, action)


class LyingValidator(ValidatorWorker):
    """Scores like an honest validator, reports what `lie` makes of it, and when challenged does as `defence` says."""

    def __init__(
        self,
        context: RoleContext,
        options: ValidatorOptions | None = None,
        *,
        lie: Lie,
        defence: Defence = Defence.STORY,
        executor: Executor | None = None,
    ) -> None:
        """`executor`: see ValidatorWorker."""
        super().__init__(context, options, executor=executor)
        self._lie = lie
        self._defence_style = defence
        self._stories: dict[tuple[OrderId, int], Story] = {}

    def _strategy(self, dispute: Dispute, posted: Posted, evidence: Evidence, side: Side) -> Move | None:
        if self._defence_style is Defence.SILENT:
            return None
        scores = self.context.contracts.scores(dispute.oid, self.context.account)
        told = (dispute.oid, dispute.model_index)
        if told not in self._stories:
            self._stories[told] = Story(evidence, scores[dispute.model_index])
        return next_move(dispute, posted, self._stories[told], side)

    def _reported(self, oid: OrderId, scores: tuple[int, ...]) -> tuple[int, ...]:
        contracts = self.context.contracts
        providers = tuple(model.provider for model in contracts.models(oid))
        function = contracts.order(oid).terms.score_function
        return self._lie(Truth(oid, scores, providers, function, contracts.test_set(oid).sample_count))
