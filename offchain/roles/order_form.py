"""An order as people describe it: files, a model in a word, a score by its name. What the command line and the
explorer's desk share on the way to an `OrderRequest`.

Errors name the flag of `assay put`; the desk says its own fields' names in their place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offchain.errors import Rejected
from offchain.protocol.scores import PPM, ScoreFunction
from offchain.types import Ppm, Wei

if TYPE_CHECKING:
    from offchain.data.raw import RawData, Task
    from offchain.model.spec import ModelSpec
    from offchain.roles.prepare import OrderRequest

SCORES = {
    "accuracy": ScoreFunction.ACCURACY,
    "top3": ScoreFunction.TOP3_ACCURACY,
    "top5": ScoreFunction.TOP5_ACCURACY,
    "cross-entropy": ScoreFunction.CROSS_ENTROPY,
    "mae": ScoreFunction.MEAN_ABSOLUTE_ERROR,
    "mse": ScoreFunction.MEAN_SQUARED_ERROR,
}


@dataclass(frozen=True, slots=True)
class OrderForm:
    """What `assay put` is told, by its flags; see there. `reward` in wei, times in seconds.

    `train` and `test` are what `load_source` understands. `seed` None: a random one, which nobody else knows.
    """

    train: str
    reward: Wei
    train_seconds: int
    reveal_seconds: int
    validate_seconds: int
    challenge_seconds: int
    model: str | None = None
    spec: Path | None = None
    label: str | None = None
    task: str | None = None
    test: str | None = None
    test_label: str | None = None
    test_fraction: float = 0.2
    text: str | None = None
    text_length: int = 32
    score: str | None = None
    seed: int | None = None
    title: str | None = None
    min_validators: int = 2
    minimum_score: float | None = None
    max_model_bytes: int | None = None
    max_tensor_bytes: int | None = None


def check_form(form: OrderForm) -> None:
    """Raises Rejected, naming the flag, for what is wrong whatever the data."""
    _task(form.task)
    _score(form.score)
    if (form.model is None) == (form.spec is None):
        raise Rejected("give one of --model and --spec")
    if not 0 < form.test_fraction < 1:
        raise Rejected(f"--test-fraction {form.test_fraction}: give a part between 0 and 1")


def read_form(form: OrderForm, random_bits: Callable[[int], int]) -> OrderRequest:
    """Loads the data and reads the spec. Raises Rejected, naming flag or file; `random_bits(n)` is for the seed."""
    from offchain.data.source import load_source
    from offchain.data.text import TextColumn
    from offchain.model.suitability import default_function
    from offchain.roles.prepare import OrderRequest

    check_form(form)
    column = None if form.text is None else TextColumn(form.text, form.text_length)
    data = load_source(form.train, label=form.label, task=_task(form.task), text=column)
    test = None
    if form.test is not None:
        test = load_source(form.test, label=form.test_label or form.label, task=data.task, text=column)
    function = _score(form.score) or default_function(data.task)
    return OrderRequest(
        title=form.title or f"{data.name} with {form.model or (form.spec.name if form.spec else '')}",
        train=data,
        spec=_spec(form, data),
        reward=form.reward,
        train_seconds=form.train_seconds,
        reveal_seconds=form.reveal_seconds,
        validate_seconds=form.validate_seconds,
        challenge_seconds=form.challenge_seconds,
        score_function=function,
        minimum_validators=form.min_validators,
        test=test,
        test_fraction=form.test_fraction,
        seed=random_bits(32) if form.seed is None else form.seed,
        max_model_bytes=form.max_model_bytes,
        max_tensor_bytes=form.max_tensor_bytes,
        **_minimum(form.minimum_score, function),
    )


def _task(text: str | None) -> Task | None:
    if text not in (None, "classification", "regression"):
        raise Rejected(f"--task {text!r}: expected classification or regression")
    return text  # type: ignore[return-value]


def _score(text: str | None) -> ScoreFunction | None:
    if text is None:
        return None
    if text not in SCORES:
        raise Rejected(f"--score {text!r}: expected one of {', '.join(SCORES)}")
    return SCORES[text]


def _spec(form: OrderForm, data: RawData) -> ModelSpec:
    from offchain.model.shorthand import spec_from_shorthand
    from offchain.model.spec import parse_spec

    if form.model is not None:
        return spec_from_shorthand(form.model, input_shape=data.shape, outputs=data.outputs)
    path = form.spec
    try:
        found = parse_spec(path.read_bytes() if path else b"", source=f"--spec {path}")
    except OSError as error:
        raise Rejected(f"--spec {path}: {error.strerror}") from error
    try:
        found.require(input_shape=data.shape, outputs=data.outputs)
    except Rejected as error:
        raise Rejected(f"--spec {path}: {error}") from error
    return found


def _minimum(score: float | None, function: ScoreFunction) -> dict[str, Any]:
    """The least score as `OrderRequest` wants it: millionths of a sample, or a mean error in its own units."""
    if score is None:
        return {}
    if function.is_top_k:
        if not 0 <= score <= 1:
            raise Rejected(f"--minimum-score {score}: a share of samples between 0 and 1")
        return {"minimum_score_ppm": Ppm(round(score * PPM))}
    if not 0 <= score < math.inf:
        raise Rejected(f"--minimum-score {score}: a mean error, 0 or more")
    return {"maximum_mean_error": score}
