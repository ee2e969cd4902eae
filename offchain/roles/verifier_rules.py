"""What a verifier looks at first, which validations it challenges, and which it has slashed with their model. Pure."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

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
    """What is said of one model in the place of one validator, by whoever holds the place.

    version: how often the place was taken over. live: it counts: it is no abstention, was not proven false, and neither
    the model nor the test set is void. counted: the same, but the model or the test set may be void. emptied: it was
    proven false, and nothing was put in its place.
    """

    validator: ChecksumAddress
    model_index: int
    holder: ChecksumAddress
    score: int
    stake: Wei
    version: int
    live: bool
    counted: bool
    emptied: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that is worth making, or an emptied place that is worth taking.

    counter: the score to put in the place, whose stake stays behind it then; an abstention for none. until: when it is
    too late, as far as the clock goes. attempt: from 1.
    """

    oid: OrderId
    validation: Validation
    counter: int
    stake: Wei
    until: Seconds
    attempt: int

    @property
    def keys(self) -> tuple[str, str | None]:
        """Idempotency keys: of this challenge, and of the same without its counter, or with one; a fill has one."""
        item = self.validation
        place = f"challenge:{self.oid}:{item.validator}:{item.model_index}:{item.version}:{self.attempt}"
        if item.emptied:
            return f"fill{place.removeprefix('challenge')}", None
        with_or_without = f"{place}:place", f"{place}:open"
        return with_or_without if self.counter != ABSTAIN else (with_or_without[1], with_or_without[0])


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
    validations: Sequence[Validation],
    truth: Mapping[int, int],
    cases: Sequence[Case],
    me: ChecksumAddress,
    *,
    samples: int,
    prices: Prices | None,
    undecided: bool = False,
) -> tuple[Challenge, ...]:
    """The live validations that are false and should be challenged now, those with the most at stake first.

    truth: true scores by model index, as far as they are known. cases: all disputes of the order. prices: None to
    challenge whether or not it pays. samples: of the test set. undecided: another model may yet turn out the best, so
    that no stake is put behind a place yet.
    """
    if not can_be_challenged(view):
        return ()
    order, found = view.order, list[Challenge]()
    until = Seconds(max(order.windows.challenge_end, view.facts.challenge_until))
    missing = {index: missing_seats(view, index, validations, truth, cases) for index in best_models(truth)}
    false = [item for item in validations if item.live and item.score != truth.get(item.model_index, item.score)]
    for item in sorted(false, key=lambda item: -item.stake):
        index = item.model_index
        counter = truth[index] if missing.get(index, 0) > 0 else ABSTAIN
        disputes = [case for case in cases if is_about(case, item)]
        waits = undecided and counter != ABSTAIN
        if item.holder == me or waits or _left_to_another(disputes, me, counter):
            continue
        attempt = 1 + sum(case.dispute.challenger == me for case in disputes)
        pays = prices is None or challenge_pays(item.stake, order.dispute_share_ppm, samples, prices)
        if (pays or counter != ABSTAIN) and attempt <= MOST_CHALLENGES:
            found.append(Challenge(view.oid, item, counter, order.challenge_stake, until, attempt))
            if index in missing:
                missing[index] -= 1
    if not undecided:
        for item in fillable(view, validations, missing):
            found.append(Challenge(view.oid, item, truth[item.model_index], order.challenge_stake, until, 1))
    return tuple(found)


def fillable(view: OrderView, validations: Sequence[Validation], missing: Mapping[int, int]) -> Iterator[Validation]:
    """Emptied places that the best models need, and that the court gives away: while these have too few validations.

    missing: how many true validations each of the best models lacks.
    """
    for index, lacking in missing.items():
        alive = sum(item.live and item.model_index == index for item in validations)
        wanted = max(0, min(lacking, view.order.terms.minimum_validators - alive))
        yield from islice((item for item in validations if item.emptied and item.model_index == index), wanted)


def is_undecided(
    view: OrderView, validations: Iterable[Validation], known: Container[int], hopeless: Container[int]
) -> bool:
    """Whether a model is still being examined that may turn out the best; not for longer than half the window.

    known: models whose true score is known; hopeless: models that cannot be had, or are no good.
    """
    windows = view.order.windows
    open_ones = {item.model_index for item in validations if item.live}
    waiting = any(index not in known and index not in hopeless for index in open_ones)
    return waiting and view.now < (windows.score_reveal_end + windows.challenge_end) // 2


def best_models(truth: Mapping[int, int]) -> tuple[int, ...]:
    """The models that should win, as far as the truth is known."""
    best = max(truth.values(), default=ABSTAIN)
    return tuple(index for index, score in truth.items() if score == best)


def missing_seats(
    view: OrderView,
    index: int,
    validations: Iterable[Validation],
    truth: Mapping[int, int],
    cases: Iterable[Case],
) -> int:
    """How many true validations a model lacks to be eligible, without those for which disputes are open already."""
    agreed = sum(item.live and (item.model_index, item.score) == (index, truth[index]) for item in validations)
    coming = sum(
        case.is_open and (case.dispute.model_index, case.dispute.counter) == (index, truth[index]) for case in cases
    )
    return view.order.terms.minimum_validators - agreed - coming


def is_about(case: Case, validation: Validation) -> bool:
    """Whether the dispute is about this very validation, not about one that had the place before."""
    dispute = case.dispute
    place = (validation.validator, validation.model_index, validation.version)
    return (dispute.seat, dispute.model_index, dispute.version) == place


def _left_to_another(disputes: Sequence[Case], me: ChecksumAddress, counter: int) -> bool:
    """Whether somebody is at it already: this verifier itself, or the first who ever challenged this validation.

    Two who prove the same waste the gas of one. While a dispute is open its order is not sealed, and when it is lost
    there is time for another; but whoever comes after the first may be an accomplice who plays for time. Nor is it left
    to somebody who wins and then leaves empty a place that the model needs.
    """
    if any(case.is_open and case.dispute.challenger == me for case in disputes):
        return True
    return len(disputes) == 1 and disputes[0].is_open and counter in (ABSTAIN, disputes[0].dispute.counter)


def affordable(wanted: Iterable[Challenge], free: Wei) -> tuple[Challenge, ...]:
    """What the free bond covers: orders whose window closes first come first.

    The stake of a challenge comes back when it is won; that of a place that is taken only when the order is sealed. So
    the last stake is not put behind a place while there are false scores besides.
    """
    waiting = sorted(wanted, key=lambda item: item.until)
    chosen: list[Challenge] = []
    for challenge in waiting:
        reserve = challenge.stake if challenge.counter != ABSTAIN and len(waiting) > 1 else 0
        if challenge.stake + reserve <= free:
            free = Wei(free - challenge.stake)
            chosen.append(challenge)
    return tuple(chosen)


def void_slashes(validations: Iterable[Validation], void: frozenset[int]) -> tuple[SlashVoid, ...]:
    """The validations of these void models that have not been slashed yet."""
    return tuple(
        SlashVoid(item.validator, item.model_index) for item in validations if item.model_index in void and item.counted
    )
