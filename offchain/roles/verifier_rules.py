"""What a verifier looks at first, which validations it challenges, and which it has slashed with their model. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.court import Case
from offchain.dispute.gain import Prices, challenge_pays
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import ABSTAIN
from offchain.roles.order_view import OrderView
from offchain.types import OrderId, Seconds, Wei

MOST_CHALLENGES = 3
"""How often one verifier challenges one validation: a lost challenge of a false score was lost by the clock."""


@dataclass(frozen=True, slots=True)
class Validation:
    """A revealed score of one model.

    live: it counts: it was not removed, is no abstention, and neither the model nor the test set is void.
    removed: it was proven false, or slashed with its void model.
    """

    validator: ChecksumAddress
    model_index: int
    score: int
    v_stake: Wei
    live: bool
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that is worth making. `until`: when it is too late, as far as the clock goes; `attempt` from 1."""

    oid: OrderId
    validation: Validation
    stake: Wei
    until: Seconds
    attempt: int


@dataclass(frozen=True, slots=True)
class SlashVoid:
    """Have a validation of a void model slashed: its validator claimed to have evaluated what nobody could show."""

    validator: ChecksumAddress
    model_index: int


def can_be_studied(view: OrderView) -> bool:
    """Whether models and test set are out, and something can come of looking at them."""
    return Phase.SCORE_COMMIT <= view.phase <= Phase.CHALLENGE


def can_be_challenged(view: OrderView) -> bool:
    """Whether the court takes challenges."""
    return view.phase == Phase.CHALLENGE


def study_order(
    validations: Iterable[Validation], models: Sequence[int], size: Callable[[int], float]
) -> tuple[int, ...]:
    """Model indices in the order in which they are examined: those that validators disagree about, then the smallest.

    models: those that are to be examined. size: bytes of a model's files.
    """
    said: dict[int, set[int]] = {}
    for validation in validations:
        if validation.live:
            said.setdefault(validation.model_index, set()).add(validation.score)
    return tuple(sorted(models, key=lambda index: (len(said.get(index, ())) < 2, size(index), index)))


def challenges(
    view: OrderView,
    validations: Iterable[Validation],
    truth: Mapping[int, int],
    cases: Sequence[Case],
    me: ChecksumAddress,
    *,
    samples: int,
    prices: Prices | None,
) -> tuple[Challenge, ...]:
    """The live validations that are false and should be challenged now, those with the most at stake first.

    truth: true scores by model index, as far as they are known. cases: all disputes of the order. prices: None to
    challenge whether or not it pays. samples: of the test set.
    """
    if not can_be_challenged(view):
        return ()
    order, found = view.order, list[Challenge]()
    for item in validations:
        false = item.live and item.score != truth.get(item.model_index, item.score)
        if not false or item.validator == me:
            continue
        disputes = [case for case in cases if _is_about(case, item)]
        if _left_to_another(disputes, me):
            continue
        attempt = 1 + sum(case.dispute.challenger == me for case in disputes)
        pays = prices is None or challenge_pays(item.v_stake, order.dispute_share_ppm, samples, prices)
        if pays and attempt <= MOST_CHALLENGES:
            until = Seconds(max(order.windows.challenge_end, view.facts.challenge_until))
            found.append(Challenge(view.oid, item, order.challenge_stake, until, attempt))
    return tuple(sorted(found, key=lambda item: -item.validation.v_stake))


def _is_about(case: Case, validation: Validation) -> bool:
    return (case.dispute.defendant, case.dispute.model_index) == (validation.validator, validation.model_index)


def _left_to_another(disputes: Sequence[Case], me: ChecksumAddress) -> bool:
    """Whether somebody is at it already: this verifier itself, or the first who ever challenged this validation.

    Two who prove the same waste the gas of one. While a dispute is open its order is not sealed, and when it is lost
    there is time for another; but whoever comes after the first may be an accomplice who plays for time.
    """
    if any(case.is_open and case.dispute.challenger == me for case in disputes):
        return True
    return len(disputes) == 1 and disputes[0].is_open


def affordable(wanted: Iterable[Challenge], free: Wei) -> tuple[Challenge, ...]:
    """What the free bond covers: orders whose window closes first come first."""
    chosen: list[Challenge] = []
    for challenge in sorted(wanted, key=lambda item: item.until):
        if challenge.stake <= free:
            free = Wei(free - challenge.stake)
            chosen.append(challenge)
    return tuple(chosen)


def void_slashes(validations: Iterable[Validation], void: frozenset[int]) -> tuple[SlashVoid, ...]:
    """The validations of these void models that have not been slashed yet."""
    return tuple(
        SlashVoid(item.validator, item.model_index)
        for item in validations
        if item.model_index in void and item.score != ABSTAIN and not item.removed
    )
