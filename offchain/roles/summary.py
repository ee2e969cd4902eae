"""All that can be said of one order, read from the chain, for people and programs that look at it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Outcome, ScoreFunction
from offchain.chain.rewards import pays_at
from offchain.protocol.lifecycle import Phase, phase_at, phase_end
from offchain.protocol.scores import ABSTAIN
from offchain.protocol.settlement import Payout
from offchain.roles.settled import sealed_settlement
from offchain.storage.cid import Cid
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A revealed model. `score`: the sum that its live validations agree on, None while they do not."""

    index: int
    provider: ChecksumAddress
    root: bytes
    manifest: str
    eligible: bool
    score: int | None


@dataclass(frozen=True, slots=True)
class SheetSummary:
    """One validator's scores by model index; empty until they are revealed."""

    validator: ChecksumAddress
    scores: tuple[int, ...]
    v_stake: Wei
    slashed: bool

    def shown(self, index: int, describe: Callable[[int], str]) -> str:
        """The score of one model in words; `describe` says what a sum over the test set means."""
        if self.slashed:
            return "slashed"
        if index >= len(self.scores):
            return "committed"
        score = self.scores[index]
        return "abstained" if score == ABSTAIN else describe(score)


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order at one moment of the chain's clock. `ends_at`: end of the phase by the clock, if it has one.

    `paid`: participants can claim; `pays_at`: a root of rewards covers it, and they can from then on.
    """

    oid: OrderId
    now: Seconds
    phase: Phase
    ends_at: Seconds | None
    client: ChecksumAddress
    reward: Wei
    reward_per_second: Wei
    score_function: ScoreFunction
    manifest: str
    samples: int
    claims: int
    models: tuple[ModelSummary, ...]
    sheets: tuple[SheetSummary, ...]
    outcome: Outcome
    winner: ChecksumAddress | None
    payouts: tuple[Payout, ...]
    tax: Wei
    paid: bool
    pays_at: Seconds | None = None

    def to_json(self) -> dict[str, Any]:
        """Fields as JSON values: addresses and hashes as text, amounts in wei as integers."""
        return {
            "order_id": self.oid,
            "phase": self.phase.label,
            "ends_at": self.ends_at,
            "now": self.now,
            "client": self.client,
            "reward": self.reward,
            "score_function": self.score_function.name.lower(),
            "manifest": self.manifest,
            "test_samples": self.samples,
            "claims": self.claims,
            "models": [
                {
                    "index": model.index,
                    "provider": model.provider,
                    "model_root": "0x" + model.root.hex(),
                    "manifest": model.manifest,
                    "eligible": model.eligible,
                    "scores": {
                        sheet.validator: (None if sheet.scores[model.index] == ABSTAIN else sheet.scores[model.index])
                        for sheet in self.sheets
                        if model.index < len(sheet.scores)
                    },
                }
                for model in self.models
            ],
            "outcome": self.outcome.name.lower(),
            "winner": self.winner,
            "payouts": {payout.account: payout.amount for payout in self.payouts},
            "tax": self.tax,
            "paid": self.paid,
            "pays_at": self.pays_at,
        }


def summarise(contracts: AssayContracts, oid: OrderId) -> OrderSummary:
    """Reads one order. Raises ContractRejected (UnknownOrder) when there is none with that number."""
    order = contracts.order(oid)
    now = contracts.client.now()
    facts = contracts.facts(oid)
    phase = phase_at(order.windows, facts, now)
    settlement = contracts.settlement(oid)
    settled = None if settlement.outcome is Outcome.NONE else sealed_settlement(contracts, oid)
    won = settlement.outcome is Outcome.WON
    holding = contracts.holding(oid)
    by_root = None if holding.paid or holding.sequence == 0 else pays_at(contracts, holding.sequence)
    return OrderSummary(
        oid=oid,
        now=now,
        phase=phase,
        ends_at=phase_end(phase, order.windows, facts.challenge_until),
        client=order.client,
        reward=order.terms.reward,
        reward_per_second=Wei(order.terms.reward // max(order.terms.train_seconds, 1)),
        score_function=order.terms.score_function,
        manifest=str(Cid(order.terms.manifest_cid)),
        samples=contracts.test_set(oid).sample_count,
        claims=facts.claims,
        models=_models(contracts, oid),
        sheets=_sheets(contracts, oid),
        outcome=settlement.outcome,
        winner=settlement.winner if won else None,
        payouts=settled.payouts if settled else (),
        tax=settled.tax if settled else Wei(0),
        paid=holding.paid or (by_root is not None and by_root <= now),
        pays_at=by_root,
    )


def _models(contracts: AssayContracts, oid: OrderId) -> tuple[ModelSummary, ...]:
    found = []
    for index, model in enumerate(contracts.models(oid)):
        tally = contracts.tally(oid, index)
        agreed = tally.score if tally.distinct == 1 else None
        found.append(ModelSummary(index, model.provider, model.model_root, str(Cid(model.cid)), tally.eligible, agreed))
    return tuple(found)


def _sheets(contracts: AssayContracts, oid: OrderId) -> tuple[SheetSummary, ...]:
    found = []
    for validator in contracts.validators(oid):
        sheet = contracts.sheet(oid, validator)
        found.append(SheetSummary(validator, contracts.scores(oid, validator), sheet.v_stake, sheet.slashed))
    return tuple(found)
