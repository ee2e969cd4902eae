"""Participants that misbehave in the ways the protocol slashes. For the demonstration and the tests only.

Real code paths through real transactions: each is an honest worker that leaves out one obligation.
"""

from offchain.roles.order_view import OrderView
from offchain.roles.provider import ProviderWorker
from offchain.roles.provider_rules import ProviderAction, RevealModel
from offchain.roles.validator import ValidatorWorker
from offchain.roles.validator_rules import RevealScores, ValidatorAction


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
