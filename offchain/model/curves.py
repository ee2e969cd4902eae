"""Learning curves: a provider's own account of how it trained a model, published beside it.

Nobody can check the account; that it is content-addressed only fixes it with the claim. So it is shown as what the
provider says ("self-reported"), decides nothing, and is bounded and strictly parsed like everything from strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from offchain.errors import Rejected
from offchain.protocol.manifest import CanonicalManifest
from offchain.protocol.manifest_fields import Finite, Positive

MAX_TRAINING_BYTES = 256 * 1024
"""Upper bound of an account; read no more than this many bytes of one."""
MAX_RUNS = 16
MAX_POINTS = 200
"""Points of one curve; a longer one is thinned out before it is written."""
MAX_EPOCHS = 10_000_000
MAX_HOLDOUT = 2**31

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
_DIGITS = 6

Epoch = Annotated[int, Field(ge=0, le=MAX_EPOCHS)]
Point = tuple[Epoch, Finite]
"""After so many epochs of this run, this value."""


def _increasing(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if any(later[0] <= earlier[0] for earlier, later in pairwise(points)):
        raise ValueError("epochs must increase")
    return points


Curve = Annotated[tuple[Point, ...], Field(max_length=MAX_POINTS), AfterValidator(_increasing)]


class Run(BaseModel):
    """One configuration on its way: mean training loss by epoch, and mean scores per sample of the hold-out.

    `score` is the float network's where a cycle ended, `integer` that of the integer network made of the best so far.
    Scores are oriented like the protocol's: higher is better.
    """

    model_config = _STRICT

    optimiser: Literal["adam", "sgd"]
    learning_rate: Positive
    loss: Curve
    score: Curve
    integer: Curve


class TrainingAccount(CanonicalManifest):
    """What a provider says it saw until it packed the model: `ModelManifest.training` names this file.

    `holdout_samples`: how many of the order's training samples it kept back to judge itself. The model is of
    `runs[chosen]`.
    """

    _noun: ClassVar[str] = "account of a training"

    holdout_samples: Annotated[int, Field(ge=1, le=MAX_HOLDOUT)]
    runs: Annotated[tuple[Run, ...], Field(min_length=1, max_length=MAX_RUNS)]
    chosen: Annotated[int, Field(ge=0, lt=MAX_RUNS)]

    @model_validator(mode="after")
    def _chosen_is_there(self) -> Self:
        if self.chosen >= len(self.runs):
            raise ValueError(f"run {self.chosen} was chosen, and there are {len(self.runs)}")
        return self

    @classmethod
    def parse(cls, data: bytes, *, source: str) -> Self:
        """See `CanonicalManifest`; at most MAX_TRAINING_BYTES."""
        if len(data) > MAX_TRAINING_BYTES:
            raise Rejected(f"{source}: {cls._noun}: {len(data)} bytes; at most {MAX_TRAINING_BYTES} are allowed")
        return super().parse(data, source=source)


def rounded(value: float) -> float:
    """To six significant digits, so that equal trainings have equal files."""
    return float(f"{value:.{_DIGITS}g}")


def thinned(points: Sequence[tuple[int, float]], limit: int = MAX_POINTS) -> tuple[tuple[int, float], ...]:
    """At most `limit` of the points, evenly spread, with the first and the last; the same points give the same."""
    if len(points) <= limit:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[place * last // (limit - 1)] for place in range(limit))
