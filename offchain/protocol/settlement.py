"""How an order ends and who gets what; twin of `ProofOfTraining.seal` and `contracts/libraries/Settlements.sol`.

Amounts in wei. The payouts and the tax add up to the reward exactly: shares are rounded down and the winner (or, when
the reward is shared, the first provider) has the dust.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.protocol.scores import ABSTAIN, PPM, reaches
from offchain.types import OrderId, Wei


class Outcome(IntEnum):
    """How an order ended; the values are those of the contracts' enum."""

    NONE = 0
    WON = 1
    SHARED = 2
    REFUNDED = 3


@dataclass(frozen=True, slots=True)
class Payout:
    """`amount` wei earned by `account`."""

    account: ChecksumAddress
    amount: Wei


@dataclass(frozen=True, slots=True)
class SettlementTerms:
    """What of an order decides the split. Shares in parts per million of the reward."""

    client: ChecksumAddress
    reward: Wei
    minimum_score_ppm: int
    minimum_validators: int
    validator_share_ppm: int
    aggregator_tax_ppm: int


@dataclass(frozen=True, slots=True)
class Entrant:
    """A revealed model; `sequence` orders the claims. `void`: nobody could post its data."""

    provider: ChecksumAddress
    sequence: int
    void: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Who took the place of a validation that was proven false, with what score and stake behind it.

    The score is ABSTAIN once it was proven false in its turn.
    """

    holder: ChecksumAddress
    stake: Wei
    score: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One validator's revealed scores, one for each model.

    `removed`: models whose validation was removed; `places`: by model, who has taken the place of such a validation.
    """

    validator: ChecksumAddress
    vstake: Wei
    scores: tuple[int, ...]
    removed: frozenset[int] = frozenset()
    places: Mapping[int, Place] = field(default_factory=dict)

    def live_score(self, model: int) -> int | None:
        """The score that counts for `model`: None for an abstention or a removed validation."""
        place = self.places.get(model)
        score = self.scores[model] if place is None else place.score
        gone = place is None and model in self.removed
        return None if score == ABSTAIN or gone else score

    def holder_of(self, model: int) -> tuple[ChecksumAddress, Wei]:
        """Whose the validation of `model` is now, and what is behind it."""
        place = self.places.get(model)
        return (self.validator, self.vstake) if place is None else (place.holder, place.stake)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the live validations of one model say. `score` is 0 unless they agree."""

    live: int
    distinct: int
    score: int
    eligible: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """How an order ends. `winner` and `model` are None unless it was won; `score` is 0 then."""

    outcome: Outcome
    model: int | None
    winner: ChecksumAddress | None
    score: int
    payouts: tuple[Payout, ...]
    tax: Wei


def tally(terms: SettlementTerms, samples: int, sheets: Sequence[Sheet], model: int, *, void: bool = False) -> Tally:
    """Counts the validations of the model with index `model`.

    `samples`: size of the test set, 0 when it is void or was not released; `void`: whether the model is.
    """
    scores = [score for sheet in sheets if (score := sheet.live_score(model)) is not None]
    distinct = len(set(scores))
    agreed = scores[0] if distinct == 1 else 0
    possible = distinct == 1 and samples != 0 and not void
    enough = len(scores) >= terms.minimum_validators
    eligible = possible and enough and reaches(agreed, samples, terms.minimum_score_ppm)
    return Tally(len(scores), distinct, agreed, eligible)


def best_model(
    terms: SettlementTerms, samples: int, models: Sequence[Entrant], sheets: Sequence[Sheet]
) -> tuple[int, int] | None:
    """(index, score) of the eligible model with the highest score, the earliest claim on a tie; None: no such model."""
    tallies = [tally(terms, samples, sheets, index, void=model.void) for index, model in enumerate(models)]
    eligible = [index for index in range(len(models)) if tallies[index].eligible]
    if not eligible:
        return None
    best = min(eligible, key=lambda index: (-tallies[index].score, models[index].sequence))
    return best, tallies[best].score


def settle(terms: SettlementTerms, samples: int, models: Sequence[Entrant], sheets: Sequence[Sheet]) -> Settled:
    """The outcome of an order and its split.

    `samples`: size of the released test set, 0 when the client withheld it or it is void; `models` in order of reveal;
    `sheets`: the revealed ones, in the contract's order of validators.
    """
    sharing = [model for model in models if not model.void]
    if sharing and samples == 0:
        return _shared(terms, sharing)
    best = best_model(terms, samples, models, sheets)
    if best is None:
        refund = Payout(terms.client, terms.reward)
        return Settled(Outcome.REFUNDED, None, None, 0, (refund,), Wei(0))
    return _won(terms, models, sheets, *best)


def _won(terms: SettlementTerms, models: Sequence[Entrant], sheets: Sequence[Sheet], model: int, score: int) -> Settled:
    tax = tax_of(terms)
    pool = terms.reward * terms.validator_share_ppm // PPM
    live = [sheet.holder_of(model) for sheet in sheets if sheet.live_score(model) is not None]
    total = sum(stake for _, stake in live)
    shares = [Payout(holder, Wei(pool * stake // total)) for holder, stake in live]
    rest = terms.reward - tax - sum(share.amount for share in shares)
    winner = models[model].provider
    return Settled(Outcome.WON, model, winner, score, (Payout(winner, Wei(rest)), *shares), tax)


def _shared(terms: SettlementTerms, models: Sequence[Entrant]) -> Settled:
    tax = tax_of(terms)
    amount = terms.reward - tax
    share = amount // len(models)
    first = amount - share * (len(models) - 1)
    payouts = tuple(
        Payout(entrant.provider, Wei(first if index == 0 else share)) for index, entrant in enumerate(models)
    )
    return Settled(Outcome.SHARED, None, None, 0, payouts, tax)


def tax_of(terms: SettlementTerms) -> Wei:
    """The aggregators' tax on the reward, rounded down."""
    return Wei(terms.reward * terms.aggregator_tax_ppm // PPM)


def payouts_hash(oid: OrderId, payouts: Sequence[Payout], tax: Wei) -> bytes:
    """What a sealed order holds the treasury to: keccak256(abi.encode(oid, payouts, tax))."""
    rows = [(payout.account, payout.amount) for payout in payouts]
    return keccak(encode(["uint256", "(address,uint256)[]", "uint256"], [oid, rows, tax]))


def divide_tax(tax: Wei, confirmed: Sequence[ChecksumAddress]) -> tuple[Payout, ...]:
    """The tax in equal parts to the members who `confirmed`, in the committee's order; the first has the dust.

    Empty when nobody has.
    """
    if not confirmed:
        return ()
    share, dust = divmod(tax, len(confirmed))
    return tuple(Payout(member, Wei(share + (dust if place == 0 else 0))) for place, member in enumerate(confirmed))
