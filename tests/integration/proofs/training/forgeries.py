"""For each group of constraints a step that breaks this group and no other: what the group is there to stop."""

from typing import Any

import numpy as np

from offchain.proofs.field import ORDER
from offchain.proofs.training.shape import StepShape
from tests.integration.proofs.training.adversary import Change, Matrix, Step

SHAPE = StepShape((4, 8, 3), 3, (6, 0), weight_bits=16, activation_bits=24, error_bits=24)
"""Wide enough for extreme parameters; eight units, so that a product's combination has two numbers and a challenge."""


def forgeries() -> dict[str, Step]:
    """By group of constraints. What none of the others can see is said beside each."""
    return {
        "old weight range": _old_weight(),
        "old bias range": _old_bias(),
        "new weight range": _new_weight(),
        "new bias range": _quiet(biases=(2**31 - 1, 2**20, 0)),
        "input range": ordinary(inputs=_at((0, 0), 32)),
        "old hash": ordinary(old_hash=_more(..., 1)),
        "new hash": ordinary(new_hash=_more(..., 1)),
        "batch hash": ordinary(batch_hash=_more(..., 1)),
        # 2 · (2 · 5 + 1) - 5 - 1 = 16
        "sign": _quiet(biases=(512 * 1024, 2**20, 0), hidden=5, weights=300, signs_0=_at((slice(None), 0), 2)),
        # 7 = 4 / 16 · 16 + 3: an activation of a quarter, times 2^14
        "activation quotient": _quiet(hidden=7, weights=2**14, quotients_0=_at((slice(None), 0), _over(4, 16))),
        "activation remainder": ordinary(quotients_0=_more((0, 0), 3)),
        # 0 = -1 / 1024 · 1024 + 1: together errors of -3 / 1024, times 1024
        "logit quotient": _quiet(biases=(0, 2**20, 0), quotients_1=_at((slice(None), 0), _over(-1, 1024))),
        "logit remainder": ordinary(quotients_1=_more((0, 0), 1)),
        "hot bit": ordinary(labels=[1, 1, 1], hot=_at(0, [1, -1, 1])),
        "hot count": ordinary(labels=[0, 1, 2], hot=_at(0, [0, 0, 0])),
        "hot label": ordinary(labels=[0, 1, 2], hot=_at(0, [0, 0, 1])),
        # three times 1536 is the nearest to 2; as 1.5 + 1.5 + 2 it is 5 and not 6
        "error quotient": _quiet(
            biases=(512 * 1024, 2**20, 0),
            weights=3,
            returned_quotients_1=_at((slice(None), 0), [_over(1536, 1024), _over(1536, 1024), 2]),
        ),
        "error remainder": ordinary(returned_quotients_1=_more((0, 0), 2**12)),
        "weight remainder": ordinary(remainders_0=_more((0, 0), 2**10)),
        "bias update": _with("new biases 0", _more(0, 1)),
        # at challenge 0 only the last number of a combination counts
        "challenge": ordinary(sums_0=_more((0, 0), 16)),
        "forward product": ordinary(sums_0=_more((0, 0), 16)),
        "error product": ordinary(returned_1=_more((0, 0), 2**22)),
        "gradient product": _with("new weights 0", _more((0, 0), 1)),
    }


def ordinary(*, labels: list[int] | None = None, **changes: Change) -> Step:
    """A step such as training has, with all units active."""
    rng = np.random.default_rng(3)
    weights = [rng.integers(0, 300, (8, 4)), rng.integers(-300, 300, (3, 8))]
    biases = [rng.integers(0, 9999, 8), rng.integers(-9999, 9999, 3)]
    return Step(
        SHAPE,
        [w.astype(object) for w in weights],
        [b.astype(object) for b in biases],
        rng.integers(1, 17, (3, 4)).astype(object),
        labels or [2, 0, 1],
        changes,
    )


def _with(name: str, change: Change) -> Step:
    step = ordinary()
    step.changes = {name: change}
    return step


def _quiet(
    *, biases: tuple[int, int, int] = (0, 2**20, 0), hidden: int = 0, weights: int = 0, **changes: Change
) -> Step:
    """Inputs 0, all labels 1 and right: where nothing is forged, no error but that of the biases of other classes.

    :param biases: of the last layer
    :param hidden, weights: bias of the first hidden unit, and what it adds to class 0
    """
    step = ordinary(labels=[1, 1, 1], **changes)
    step.weights = [_filled((8, 4), 0), _filled((3, 8), 0)]
    step.weights[1][0, 0] = weights
    step.biases = [_filled(8, 0), np.array(biases, dtype=object)]
    step.biases[0][0] = hidden
    step.inputs = _filled((3, 4), 0)
    return step


def _old_weight() -> Step:
    """A weight of 2^15, that the step brings back into range."""
    step = _quiet(weights=300)
    step.weights[0][0, 0] = 2**15
    step.inputs[:, 0] = 2
    return step


def _old_bias() -> Step:
    """A bias of 2^31 that the units outweigh in two samples; the third brings it back into range."""
    step = _quiet(biases=(2**31, 2**20, 0))
    step.weights = [_filled((8, 4), 2**14), _filled((3, 8), 0)]
    step.weights[1][0] = -(2**12)
    step.inputs[1:] = 16
    return step


def _new_weight() -> Step:
    """The largest weight, and an error that makes it larger."""
    step = _quiet(biases=(-(2**22), 0, 0), weights=200)
    step.labels = [0, 0, 0]
    step.weights[0][0, 0] = 2**15 - 1
    step.inputs[:, 0] = 1
    return step


def _filled(shape: Any, value: int) -> Matrix:
    return np.full(shape, value, dtype=object)


def _at(place: Any, value: Any) -> Change:
    def change(matrix: Matrix) -> None:
        matrix[place] = value

    return change


def _more(place: Any, value: int) -> Change:
    def change(matrix: Matrix) -> None:
        matrix[place] += value

    return change


def _over(number: int, divisor: int) -> int:
    return number * pow(divisor, -1, ORDER) % ORDER
