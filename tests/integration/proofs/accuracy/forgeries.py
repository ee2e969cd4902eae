"""For each group of constraints a claim that breaks this group and no other: what the group is there to stop.

The model of `adversary.py` calls a sample 1 if its hidden output 0 is over 20, else 0. Of a sample (10, 5) it is 24 and
of (5, 2) it is 12: UP and DOWN. Each forgery has more samples right than the model that is committed to has, on the
chunk that is committed to.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from offchain.proofs.field import ORDER
from offchain.proofs.noir.groups import Group
from offchain.proofs.noir.layout import packing_of
from tests.integration.proofs.accuracy.adversary import CIRCUIT, LOW, STEP, Change, Claim, Model

UP, DOWN = (10, 5), (5, 2)
_CARRY = 1 << packing_of(CIRCUIT, 2).bits
_ACCUMULATOR_CARRY = 1 << packing_of(CIRCUIT, 0).bits


@dataclass(frozen=True)
class Forgery:
    """What the adversary claims, and the model and data that its statement's hashes are of."""

    claim: Claim
    model: Model
    data: Claim


def forgeries() -> dict[Group, Forgery]:
    """By group of constraints."""
    return {
        Group.WEIGHT_RANGE: _of_model(
            replace(Model(), weights=(0, -1, 156, 0)), replace(Model(), weights=(0, 0, -100, 0))
        ),
        Group.BIAS_RANGE: _carried(replace(Model(), biases=(20, _CARRY // STEP))),
        Group.MULTIPLIER_RANGE: _carried(replace(Model(), multipliers=(STEP, STEP + _CARRY))),
        Group.MODEL_HASH: _of_model(Model(), replace(Model(), weights=(0, 0, -1, 0)), "model_hash"),
        Group.SAMPLE_RANGE: _of_data(((4, 156), DOWN), (1, 0), ((5, -100), DOWN), (1, 0)),
        Group.LABEL_RANGE: _of_data((DOWN, DOWN), (0, (1 << 16) + 1), (DOWN, DOWN), (1, 1)),
        Group.CHUNK_HASH: _of_data((DOWN, DOWN), (0, 0), (DOWN, DOWN), (1, 0), "chunk_hash"),
        Group.OUTPUT_RANGE: _output_range(),
        Group.OUTPUT_LIMIT: _output_limit(),
        Group.BELOW_RANGE: _hidden(0, UP, lambda q, t: (0, -q, 0, t)),
        Group.ABOVE_RANGE: _hidden(1, DOWN, lambda q, t: (127, 0, q - 127, t)),
        Group.CLAMP: _hidden(0, UP, lambda q, t: (3, 0, q - 3, t)),
        Group.REST_RANGE: _hidden(0, UP, lambda q, t: (3, 0, 0, t + (q - 3) * STEP)),
        Group.PRODUCT: _of_sample(0, UP, logits=lambda v: [v[0], v[1] - 10 * STEP]),
        Group.CHALLENGE: _unbound(),
        Group.SUM: _of_sample(0, UP, values=lambda v: [v[0] - 10 * STEP, v[1]]),
        Group.ACCUMULATOR_RANGE: _fractions(43, 1000),
        Group.LARGEST_RANGE: _of_sample(0, UP, sums=lambda a: [a[0] - 15, a[1]]),
        Group.LARGEST_IS_ONE: _of_sample(1, DOWN, sums=lambda a: [a[0] + 100, a[1]]),
        Group.BEST_RANGE: _scored(0, lambda made: {"best": made["best"] - _over(1, 2), "winner": 0}),
        Group.WINNER_RANGE: _scored(5, lambda made: {"best": made["best"] + 2, "winner": 5}),
        Group.WINNER_AHEAD: _scored(0, lambda _: {"best": 20 - LOW, "winner": 0}),
        Group.WINNER_IS_ONE: _scored(0, lambda made: {"best": made["best"] + 1, "winner": 0}),
        Group.RIGHT_IS_BIT: _scored(1, lambda _: {"right": 2}),
        Group.RIGHT_IS_LABEL: _scored(0, lambda _: {}),
        Group.COUNT: _of_sample(0, UP, correct=lambda count: count + 1),
    }


def _of_model(used: Model, committed: Model, name: str | None = None) -> Forgery:
    """Another model is used than is committed to; `name`: the hash that is not that of the numbers used."""
    claim = Claim(used, (UP, UP), (1, 1))
    public = Claim(committed, (UP, UP), (1, 1))
    changes = {name: lambda _: public.witness()[name]} if name else {}
    return Forgery(replace(claim, changes=changes), committed, public)


def _of_data(
    used: tuple[tuple[int, int], ...],
    used_labels: tuple[int, int],
    samples: tuple[tuple[int, int], ...],
    labels: tuple[int, int],
    name: str | None = None,
) -> Forgery:
    """Other samples or labels are used than are committed to."""
    public = Claim(samples=samples, labels=labels)
    changes = {name: lambda _: public.witness()[name]} if name else {}
    return Forgery(Claim(samples=used, labels=used_labels, changes=changes), Model(), public)


def _of_sample(label: int, sample: tuple[int, int], model: Model | None = None, **changes: Change) -> Forgery:
    """The first sample is made to look right; the second one is."""
    claim = Claim(model or Model(), (sample, DOWN), (label, 0), changes)
    return Forgery(claim, claim.model, claim)


def _carried(model: Model) -> Forgery:
    """Parameters so large that class 1's value runs into its neighbour's place: said to be there, it is small."""

    def said(values: list[int]) -> list[int]:
        carry = (values[1] + _CARRY // 2) // _CARRY
        return [values[0] + carry, values[1] - carry * _CARRY]

    claim = Claim(model, (DOWN, DOWN), (0, 0), {"logits": said}, everywhere=True)
    return Forgery(claim, model, claim)


def _hidden(
    label: int,
    sample: tuple[int, int],
    say: Callable[[int, int], tuple[int, int, int, int]],
    model: Model | None = None,
) -> Forgery:
    """out, below, above and rest of hidden output 0 as they are said for its quotient and remainder."""

    def split(units: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        out, below, above, rest = units[0]
        return [say(out - below + above, rest), *units[1:]]

    return _of_sample(label, sample, model, split1=split)


def _output_range() -> Forgery:
    """141 is said to be 141, not 127; it takes 130 to be class 1."""
    model = replace(Model(), biases=(130, 0), multipliers=(STEP // 4, STEP // 4))
    return _hidden(1, (60, 5), lambda q, t: (q, 0, 0, t), model)


def _output_limit() -> Forgery:
    """Both classes are over the largest output, 60, a tie; class 1 is said to have 76, which as many bits can hold."""

    def split(units: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        out, below, above, rest = units[1]
        return [units[0], (out - below + above, 0, 0, rest)]

    return _of_sample(1, (32, 5), replace(Model(), biases=(70, 0)), split2=split)


def _unbound() -> Forgery:
    """At challenge 0 only a sample's first element counts; the second one, of the second column, says anything."""

    def gaps(honest: list[int]) -> list[int]:
        return [*honest[:2], 0, honest[3]]

    return _of_sample(1, (5, -2), sums=lambda a: [a[0] + 100, a[1]], gaps=gaps, challenge=lambda _: 0)


def _fractions(divisor: int, count: int) -> Forgery:
    """Accumulators that are no integers: count / divisor more, and in the next place so much less that all adds up.

    Both multipliers are multiples of the divisor, so that the values that are requantised are integers.
    """
    more = (_over(count, divisor), _over(-count * _ACCUMULATOR_CARRY, divisor))
    return _of_sample(
        1,
        DOWN,
        sums=lambda a: [a[0] + more[0], a[1] + more[1]],
        gaps=lambda gaps: [(gap - more[place % 2]) % ORDER for place, gap in enumerate(gaps)],
    )


def _scored(label: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Forgery:
    return _of_sample(label, UP, score=lambda made: made | {"right": 1} | change(made))


def _over(number: int, divisor: int) -> int:
    """The element of the field that is number / divisor."""
    return number * pow(divisor, -1, ORDER) % ORDER
