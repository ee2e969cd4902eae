"""What the options of `assay federate create` say, as terms and manifests take it."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from offchain.cli.durations import parse_duration
from offchain.errors import Rejected
from offchain.types import Seconds

if TYPE_CHECKING:
    from offchain.federated.allow_list import AllowList
    from offchain.federated.manifest import Privacy
    from offchain.federated.terms import FederatedWindows
    from offchain.protocol.manifest import Preprocessing
    from offchain.roles.federated_client import TaskRequest

_SHAPE = re.compile(r"\d{1,5}(?:x\d{1,5}x\d{1,3})?")
_INT8 = 254


def read_form(
    like: str | None, features: str | None, classes: str | None, value_range: str | None
) -> "tuple[tuple[int, ...], tuple[str, ...], Preprocessing | None]":
    """Shape of a sample, names of classes, scaling."""
    from offchain.protocol.manifest import Preprocessing

    if like is not None:
        if features or classes or value_range:
            raise typer.BadParameter("--like says shape, classes and scaling; leave out --features, --classes, --range")
        return _form_like(like)
    if features is None or classes is None:
        raise typer.BadParameter("say what samples look like: --like DATA, or --features and --classes")
    if not _SHAPE.fullmatch(features):
        raise typer.BadParameter(f"--features {features!r}: write 30, or 8x8x1 for images")
    shape = tuple(int(side) for side in features.split("x"))
    names = tuple(map(str, range(int(classes)))) if classes.isdigit() else tuple(classes.split(","))
    if value_range is None:
        return shape, names, None
    low, high = _range(value_range)
    return shape, names, Preprocessing(offset=((low + high) / 2,), scale=((high - low) / _INT8,))


def _form_like(like: str) -> "tuple[tuple[int, ...], tuple[str, ...], Preprocessing | None]":
    from offchain.data.preprocessing import fit_preprocessing
    from offchain.federated.local_data import load_local
    from offchain.protocol.manifest import Preprocessing

    sample = load_local(like)
    if sample.classes is None:
        raise Rejected(f"--like {like}: its labels are numbers; federated training takes classes")
    return sample.shape, sample.classes, Preprocessing(**fit_preprocessing(sample).model_dump())


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = 0.0
    if not -math.inf < low < high < math.inf:
        raise typer.BadParameter(f"--range {text!r}: write LOW:HIGH, e.g. 0:255")
    return low, high


def read_participants(text: str) -> tuple[int, int]:
    """Least and most."""
    found = re.fullmatch(r"(\d{1,3}):(\d{1,3})", text)
    if found is None or int(found.group(1)) < 2:
        raise typer.BadParameter(f"--participants {text!r}: write LEAST:MOST, e.g. 3:16; two are the least")
    return int(found.group(1)), int(found.group(2))


def read_windows(
    lengths: tuple[str, ...], *, secure: bool, prove: str | None = None, draws: int = 1
) -> "FederatedWindows":
    """All windows; those that the mode does not use are 0. `draws`: proofs that each makes in the time for them."""
    from offchain.federated.round_rules import STAKED_WINDOWS
    from offchain.federated.terms import FederatedWindows
    from offchain.roles.federated_deeds import LEAST_WINDOW

    names = (
        "join",
        "keys",
        "shares",
        "commit",
        "reveal",
        "request",
        "answer",
        "unmask",
        "aggregate",
        "challenge",
        "move",
    )
    unused = {"reveal"} if secure else {"keys", "shares", "unmask"}
    seconds = {
        name: Seconds(0 if name in unused else parse_duration(length, f"--{name}"))
        for name, length in zip(names, lengths, strict=True)
    }
    if prove is not None:
        seconds["prove"] = Seconds(parse_duration(prove, "--prove-time"))
    for name in (name for name in STAKED_WINDOWS if name in seconds):
        least = LEAST_WINDOW * draws if name == "prove" else LEAST_WINDOW
        if seconds[name] < least:
            flag = "prove-time" if name == "prove" else name
            raise Rejected(
                f"--{flag} {seconds[name]}: who misses it loses stake, so workers join no task with less than {least} s"
            )
    return FederatedWindows(**seconds)


def read_allowed(path: Path | None) -> "AllowList":
    """Who may join; without a file everybody."""
    from offchain.federated.allow_list import AllowList, parse_allow_list

    return AllowList() if path is None else parse_allow_list(path.read_bytes(), source=f"--allow {path}")


def plan_privacy(
    asked: "TaskRequest",
    epsilon: float,
    delta: float,
    sample_rate: float,
    clip_norm: float,
    gradient_rate: float | None,
) -> "Privacy":
    """With the least noise that keeps the budget over all rounds: DP-SGD, or in secure mode noise in shares."""
    from offchain.federated.manifest import ExamplePrivacy
    from offchain.federated.privacy.plan import plan_examples

    if not (epsilon > 0 and 0 < delta < 1 and sample_rate > 0 and clip_norm > 0):
        raise typer.BadParameter("--epsilon, --sample-rate and --clip-norm are above 0, --delta between 0 and 1")
    if asked.group_size:
        return _shares(asked, epsilon, delta, clip_norm, gradient_rate)
    steps = max(1, round(asked.local.epochs / sample_rate))
    release = plan_examples(epsilon, delta, asked.rounds, sample_rate, steps)
    return ExamplePrivacy(
        epsilon=epsilon,
        delta=delta,
        sample_rate=sample_rate,
        noise_multiplier=release.noise_multiplier,
        clip_norm=clip_norm,
        steps=steps,
    )


def _shares(
    asked: "TaskRequest", epsilon: float, delta: float, clip_norm: float, gradient_rate: float | None
) -> "Privacy":
    """Noise in shares, of which a group's threshold is sure to be in its sum."""
    from offchain.federated.manifest import GradientPrivacy, SumPrivacy
    from offchain.federated.privacy.dp_sgd import ClippedGradient
    from offchain.federated.privacy.plan import plan_shares
    from offchain.federated.secure.terms import threshold_for

    sure = threshold_for(min(asked.group_size, asked.minimum_participants))
    size = asked.spec.weight_count
    units = max(1, round(clip_norm * 2**asked.scale_bits))
    reach = float(units)
    if gradient_rate is not None:
        reach = ClippedGradient(clip_norm, gradient_rate).sensitivity(asked.scale_bits, size)
    variance = plan_shares(epsilon, delta, asked.rounds, sensitivity=reach, contributors=sure, dimension=size).variance
    if gradient_rate is None:
        return SumPrivacy(epsilon=epsilon, delta=delta, clip_norm=units, variance=variance, contributors=sure)
    return GradientPrivacy(
        epsilon=epsilon, delta=delta, clip_norm=clip_norm, rate=gradient_rate, variance=variance, contributors=sure
    )
