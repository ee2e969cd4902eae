"""Which orders to work on: the paper's Manage.FetchOrders (3.3.2) and the choice among what it fetches.

Amounts in wei, times in seconds of the chain's clock. Comparisons are exact (fractions, no floats), so two providers
with the same means choose the same orders.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from offchain.protocol.scores import PPM
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class TrainingOffer:
    """An order in its training phase, as a provider that has to choose sees it.

    `train_until`: when it must be done, a margin before the end of training.
    """

    oid: OrderId
    reward: Wei
    train_seconds: Seconds
    train_until: Seconds
    claim_bond: Wei
    max_model_bytes: int
    claims: int
    max_claims: int
    claimed_by_me: bool


@dataclass(frozen=True, slots=True)
class TrainingMeans:
    """What a provider has and wants.

    `slots`: orders it can train besides those it has begun; `free_bond`: stake that no claim locks;
    `least_seconds`: training time below which an order is not worth beginning; `least_reward_per_second` in wei;
    `max_model_bytes`: the largest model it handles.
    """

    slots: int
    free_bond: Wei
    least_seconds: Seconds
    least_reward_per_second: Wei
    max_model_bytes: int


@dataclass(frozen=True, slots=True)
class ScoringOffer:
    """An order whose scores can be committed, as a validator that has to choose sees it.

    `commit_until`: when it must have its scores, a margin before the end of the window; `lowest_vstake`: the least
    vStake of the validators that have committed, 0 when there is none; `scored`: its scores are ready.
    """

    oid: OrderId
    reward: Wei
    validator_share_ppm: int
    models: int
    minimum_vstake: Wei
    commit_until: Seconds
    max_model_bytes: int
    validators: int
    max_validators: int
    lowest_vstake: Wei
    scored: bool


@dataclass(frozen=True, slots=True)
class ScoringMeans:
    """What a validator has and wants.

    `slots`: orders it can score besides those it has begun; `free_bond`: stake that nothing locks; `wanted_vstake`:
    what it likes to put behind each validation; `max_model_bytes`: the largest model it handles.
    """

    slots: int
    free_bond: Wei
    wanted_vstake: Wei
    max_model_bytes: int


@dataclass(frozen=True, slots=True)
class Scoring:
    """A decision to score an order with `vstake` wei behind each of its models."""

    oid: OrderId
    vstake: Wei


def reward_per_second(offer: TrainingOffer) -> Fraction:
    """The order's average reward per second of training time, in wei."""
    return Fraction(offer.reward, max(offer.train_seconds, 1))


def fetch_orders(offers: Iterable[TrainingOffer], count: int) -> tuple[TrainingOffer, ...]:
    """Manage.FetchOrders: the `count` orders with the highest average reward per second of training time.

    Ties go to the order that ends first, then to the older one.
    """
    ranked = sorted(offers, key=lambda offer: (-reward_per_second(offer), offer.train_until, offer.oid))
    return tuple(ranked[:count])


def choose_training(offers: Iterable[TrainingOffer], means: TrainingMeans, now: Seconds) -> tuple[OrderId, ...]:
    """The orders to begin now, best first: within slots, bond, time and size, and with a place left for a claim.

    An order that the provider has claimed already needs neither bond nor place.
    """
    chosen: list[OrderId] = []
    bond = means.free_bond
    wanted = [offer for offer in offers if _worth_training(offer, means, now)]
    for offer in fetch_orders(wanted, len(wanted)):
        if len(chosen) >= means.slots:
            break
        needed = 0 if offer.claimed_by_me else offer.claim_bond
        if needed > bond:
            continue
        bond = Wei(bond - needed)
        chosen.append(offer.oid)
    return tuple(chosen)


def _worth_training(offer: TrainingOffer, means: TrainingMeans, now: Seconds) -> bool:
    has_place = offer.claimed_by_me or offer.claims < offer.max_claims
    return (
        offer.train_until - now >= means.least_seconds
        and has_place
        and offer.max_model_bytes <= means.max_model_bytes
        and reward_per_second(offer) >= means.least_reward_per_second
    )


def validator_pool(reward: Wei, validator_share_ppm: int) -> Wei:
    """What the validators of the winning model share, in wei."""
    return Wei(reward * validator_share_ppm // PPM)


def choose_scoring(offers: Iterable[ScoringOffer], means: ScoringMeans, now: Seconds) -> tuple[Scoring, ...]:
    """The orders to score now and the vStake for each, by the validators' pool per model to be evaluated.

    When an order has all the validators it admits, the vStake must exceed the lowest of them. An order whose vStake the
    free bond does not cover is left to others.
    """
    chosen: list[Scoring] = []
    bond, slots = means.free_bond, means.slots
    for offer in sorted(offers, key=_scoring_rank):
        vstake = _vstake_for(offer, means, bond)
        if vstake is None or not _worth_scoring(offer, means, now, slots):
            continue
        bond = Wei(bond - vstake * offer.models)
        slots -= not offer.scored
        chosen.append(Scoring(offer.oid, vstake))
    return tuple(chosen)


def _worth_scoring(offer: ScoringOffer, means: ScoringMeans, now: Seconds, slots: int) -> bool:
    """What is scored already only waits for its commitment and takes no slot."""
    fits = slots > 0 and now < offer.commit_until and offer.max_model_bytes <= means.max_model_bytes
    return offer.scored or fits


def _scoring_rank(offer: ScoringOffer) -> tuple[Fraction, Seconds, OrderId]:
    pool = validator_pool(offer.reward, offer.validator_share_ppm)
    return (-Fraction(pool, max(offer.models, 1)), offer.commit_until, offer.oid)


def _vstake_for(offer: ScoringOffer, means: ScoringMeans, bond: Wei) -> Wei | None:
    """The vStake for each model of `offer`: what is wanted if `bond` allows, never less than what is needed."""
    if offer.models == 0:
        return None
    full = offer.validators >= offer.max_validators
    least = max(offer.minimum_vstake, offer.lowest_vstake + 1 if full else 0)
    affordable = bond // offer.models
    return Wei(min(max(means.wanted_vstake, least), affordable)) if affordable >= least else None
