"""What the Python model of the whole system remembers."""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_typing import ChecksumAddress

from offchain.protocol import settlement
from offchain.protocol.lifecycle import Facts, Windows
from offchain.protocol.scores import ABSTAIN, ScoreFunction
from offchain.protocol.settlement import Place, Sheet
from offchain.types import Wei

NONE, PROVIDER, VALIDATOR, VERIFIER, AGGREGATOR = range(5)
Account = ChecksumAddress


@dataclass
class Parameters:
    provider_minimum: int = 100
    validator_minimum: int = 100
    verifier_minimum: int = 50
    aggregator_minimum: int = 500
    claim_bond: int = 70
    minimum_v_stake: int = 10
    challenge_stake: int = 20
    request_bond: int = 3
    exit_delay: int = 300
    validator_share_ppm: int = 150_001
    aggregator_tax_ppm: int = 20_003
    reporter_share_ppm: int = 333_333
    dispute_share_ppm: int = 499_999
    move_seconds: int = 7
    stall_delay: int = 50
    fraud_seconds: int = 20
    update_seconds: int = 20
    epoch_seconds: int = 400
    max_members: int = 4
    max_claims: int = 3
    max_validators: int = 3
    minimum_window: int = 5
    maximum_window: int = 10_000
    minimum_reward: int = 1000
    max_model_bytes: int = 10_000
    max_tensor_bytes: int = 1000

    def minimum(self, role: int) -> int:
        by_role = {
            PROVIDER: self.provider_minimum,
            VALIDATOR: self.validator_minimum,
            VERIFIER: self.verifier_minimum,
            AGGREGATOR: self.aggregator_minimum,
        }
        return by_role.get(role, 2**256 - 1)


@dataclass
class Bond:
    bonded: int = 0
    locked: int = 0
    exiting: int = 0
    exit_at: int = 0


@dataclass
class Claim:
    commitment: bytes
    sequence: int
    revealed: bool = False
    slashed: bool = False


@dataclass
class Taken:
    """Who has taken a validation's place; its score is an abstention once that was proven false."""

    holder: Account
    score: int
    version: int = 1
    released: bool = False


@dataclass
class ScoreSheet:
    """`removed`: models whose validation counts no more; `taken`: those of them whose stake was slashed."""

    commitment: bytes
    v_stake: int
    sequence: int
    scores: tuple[int, ...] = ()
    removed: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)
    revealed: bool = False
    slashed: bool = False


@dataclass
class Order:
    client: Account
    reward: int
    windows: Windows
    test_commitment: bytes
    function: ScoreFunction
    minimum_score_ppm: int
    minimum_validators: int
    escrow: int
    cancelled: bool = False
    samples: int = 0
    sequence: int = 0
    claims: dict[Account, Claim] = field(default_factory=dict)
    models: list[Account] = field(default_factory=list)
    seats: list[Account] = field(default_factory=list)
    sheets: dict[Account, ScoreSheet] = field(default_factory=dict)
    open_disputes: int = 0
    challenge_until: int = 0
    places: dict[tuple[Account, int], Taken] = field(default_factory=dict)
    voided: dict[int, Account] = field(default_factory=dict)
    test_void: bool = False
    settled: settlement.Settled | None = None
    sealed_at: int = 0
    paid: bool = False
    proposer: Account | None = None
    proposal_epoch: int = 0
    confirmed: list[Account] = field(default_factory=list)

    @property
    def scored_samples(self) -> int:
        """Samples that scores are about: none when the test set is void."""
        return 0 if self.test_void else self.samples

    def facts(self) -> Facts:
        return Facts(
            cancelled=self.cancelled,
            is_sealed=self.settled is not None,
            test_released=self.scored_samples != 0,
            claims=len(self.claims),
            reveals=len(self.models),
            score_commits=len(self.seats),
            score_reveals=sum(sheet.revealed for sheet in self.sheets.values()),
            open_disputes=self.open_disputes,
            challenge_until=self.challenge_until,
        )

    def revealed_sheets(self, stake: int) -> list[Sheet]:
        """`stake`: what is behind a place that was taken."""
        seated = [(who, self.sheets[who]) for who in self.seats]
        return [
            Sheet(who, Wei(sheet.v_stake), sheet.scores, frozenset(sheet.removed), self.places_of(who, stake))
            for who, sheet in seated
            if sheet.revealed
        ]

    def places_of(self, validator: Account, stake: int) -> dict[int, Place]:
        mine = {index: taken for (who, index), taken in self.places.items() if who == validator}
        return {index: Place(taken.holder, Wei(stake), taken.score) for index, taken in mine.items()}

    def score_of(self, validator: Account, index: int) -> int:
        taken = self.places.get((validator, index))
        return self.sheets[validator].scores[index] if taken is None else taken.score

    def locked_by(self, sheet: ScoreSheet) -> int:
        return sheet.v_stake * (len(self.models) - len(sheet.taken))

    def counts(self, validator: Account, index: int) -> bool:
        """Whether the score is in the tally of the model, which may be void."""
        sheet = self.sheets.get(validator)
        if sheet is None or not sheet.revealed or index >= len(sheet.scores):
            return False
        stands = (validator, index) in self.places or index not in sheet.removed
        return stands and self.score_of(validator, index) != ABSTAIN

    def is_vacant(self, validator: Account, index: int) -> bool:
        """Whether the validation was proven false, nothing stands in its place, and the model has too few left."""
        sheet = self.sheets.get(validator)
        if sheet is None or self.test_void or index in self.voided or index not in sheet.removed:
            return False
        live = sum(self.counts(who, index) for who in self.seats)
        return not self.counts(validator, index) and live < self.minimum_validators

    def is_live(self, validator: Account, index: int) -> bool:
        return not self.test_void and index not in self.voided and self.counts(validator, index)
