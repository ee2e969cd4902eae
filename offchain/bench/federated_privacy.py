"""What differential privacy costs in accuracy: federated training of real data sets with and without it.

Three ways to keep (epsilon, delta) over a whole task, each until the ledger's rule refuses another round:

- `local`: DP-SGD at each participant; an example is protected from whoever sees its participant's update.
- `shares/example`: one clipped gradient step a round, discrete Gaussian noise in shares; an example is protected from
  whoever sees the secure sum.
- `shares/participant`: plain local training, the update clipped, noise in shares; a participant with all its examples
  is protected from whoever sees the secure sum.

Sums are computed openly here; secure aggregation gives the same integers. The model is softmax regression. Compared
with the better of the same federated training without privacy, and scikit-learn's logistic regression on all the data
in one place. Settings (`federated_privacy_recipes.py`) were chosen on these data sets, which a real task pays for.

    assay bench federated --privacy
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt
from statistics import mean as average
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from offchain.bench.federated_privacy_recipes import PLAIN, Recipe, recipe
from offchain.bench.federated_privacy_sets import NAMES, SCALING, Setting, prepare
from offchain.errors import Rejected
from offchain.federated.aggregation.mean import mean
from offchain.federated.fixed_point import Model, Update, dequantise
from offchain.federated.local_training import LocalSettings, LocalTrainer, local_update
from offchain.federated.parameters import load_vector, parameter_count
from offchain.federated.privacy.accountant import SampledGaussian
from offchain.federated.privacy.budget import Mechanism, admits, epsilon_after, terms_for
from offchain.federated.privacy.distributed_noise import (
    HEADROOM,
    INT16_MAX,
    DistributedGaussian,
    add_noise,
    clip_l2,
    make_room,
)
from offchain.federated.privacy.dp_sgd import ClippedGradient, DpSgd
from offchain.federated.privacy.plan import plan_examples, plan_shares
from offchain.federated.privacy.random_bytes import seeded_bytes
from offchain.federated.secure.terms import threshold_for
from offchain.federated.server_optimizer import ONE, ServerOptimizer, initial_state, step
from offchain.model.module import SpecNetwork
from offchain.model.threads import torch_threads

MODES: Final = ("local", "shares/example", "shares/participant")
PARTICIPANTS: Final = (12, 100)
BAR: Final = 93.5
"""Per cent of the accuracy without privacy that is to be reached."""

_SCALE_BITS: Final = 10
_MAX_SCALE_BITS: Final = 16
_LEAST_SAMPLES: Final = 3
"""For each participant; smaller sets are left out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One data set, number of participants and mode; accuracies in per cent, the mean over seeds.

    `noise`: deviation of a step's noise over the sensitivity. `epsilon`: spent when training ended. `plain`: federated
    without privacy; `central`: logistic regression. `kept`: share of the better one that is kept; `worst`: in the worst
    seed.
    """

    data: str
    participants: int
    mode: str
    rounds: int
    noise: float
    epsilon: float
    accuracy: float
    plain: float
    central: float
    kept: float
    worst: float
    reached: bool


@dataclass(frozen=True, slots=True)
class _Release:
    """How one participant's update comes to be: a trainer, and what is done to the integers afterwards."""

    mechanism: Mechanism
    trainer: LocalTrainer | None
    settings: LocalSettings
    finish: Callable[[Update, int], Update]
    weighted: bool
    noise: float
    scale_bits: int = _SCALE_BITS


def run(
    *,
    names: Sequence[str] = NAMES,
    participants: Sequence[int] = PARTICIPANTS,
    modes: Sequence[str] = MODES,
    epsilon: float = 3.2,
    delta: float = 1e-5,
    seeds: int = 5,
    first_seed: int = 0,
    tell: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Every mode on every data set; `tell` hears of each row when it is there. Minutes on one core."""
    rows = []
    with torch_threads(1):
        for name in names:
            for count in participants:
                settings = [prepare(name, count, first_seed + seed) for seed in range(seeds)]
                if len(settings[0].train) < _LEAST_SAMPLES * count:
                    continue
                plain = [
                    _accuracy(setting, _train_plainly(setting, k), _SCALE_BITS) for k, setting in enumerate(settings)
                ]
                central = [_central(setting) for setting in settings]
                for mode in modes:
                    row = _row(settings, mode, (epsilon, delta), plain, central)
                    rows.append(row)
                    if tell is not None:
                        tell(row)
    return rows


def facts(epsilon: float = 3.2, delta: float = 1e-5, seeds: int = 5) -> dict[str, Any]:
    """What the rows were measured with."""
    return {
        "epsilon": epsilon,
        "delta": delta,
        "seeds": seeds,
        "model": "softmax regression",
        "scale bits": _SCALE_BITS,
    }


def line(row: Row) -> str:
    """A row in words."""
    verdict = "reaches" if row.reached else "misses"
    return (
        f"{row.data}, {row.participants} participants, {row.mode}: {row.accuracy:.1f} % of "
        f"{max(row.plain, row.central):.1f} %, keeps {row.kept:.1f} % ({row.worst:.1f} % in the worst seed), {verdict} "
        f"{BAR} %; {row.rounds} rounds, noise {row.noise:.2f}, epsilon {row.epsilon:.3f}"
    )


def _row(
    settings: list[Setting], mode: str, budget: tuple[float, float], plain: list[float], central: list[float]
) -> Row:
    setting = settings[0]
    chosen = recipe(setting.name, mode, len(setting.parts))
    release = _release(setting, mode, chosen, budget)
    terms = terms_for(*budget, release.mechanism)
    private = []
    for seed, each in enumerate(settings):
        state = _start(each)
        rounds = 0
        while rounds < chosen.rounds and admits(terms, rounds):
            state = _round(each, state, release, chosen, seed=(seed << 16) + rounds)
            rounds += 1
        private.append(_accuracy(each, state[0], release.scale_bits))
    kept = [100 * own / max(one, other) for own, one, other in zip(private, plain, central, strict=True)]
    return Row(
        data=setting.name,
        participants=len(setting.parts),
        mode=mode,
        rounds=rounds,
        noise=round(release.noise, 2),
        epsilon=round(epsilon_after(terms, rounds, budget[1]), 3),
        accuracy=round(100 * average(private), 1),
        plain=round(100 * average(plain), 1),
        central=round(100 * average(central), 1),
        kept=round(average(kept), 1),
        worst=round(min(kept), 1),
        reached=average(kept) >= BAR,
    )


def _release(setting: Setting, mode: str, chosen: Recipe, budget: tuple[float, float]) -> _Release:
    settings = LocalSettings(
        epochs=chosen.steps, batch_size=1 << 20, learning_rate=chosen.learning_rate, scaling=SCALING
    )
    if mode == "local":
        noise = plan_examples(*budget, chosen.rounds, 1.0, chosen.steps).noise_multiplier
        trainer = DpSgd(1.0, noise, chosen.clip_norm, chosen.steps)
        return _Release(trainer.mechanism, trainer, settings, lambda update, _: update, weighted=True, noise=noise)
    return _shared_release(setting, mode, chosen, budget, settings)


def _shared_release(
    setting: Setting, mode: str, chosen: Recipe, budget: tuple[float, float], settings: LocalSettings
) -> _Release:
    dimension = parameter_count(setting.spec)
    # So many are sure to be in a sum; when nobody drops out there is more noise than needed.
    contributors = threshold_for(len(setting.parts))
    gradient = None
    if mode == "shares/example":
        gradient = ClippedGradient(chosen.clip_norm, chosen.learning_rate * len(setting.parts) / len(setting.train))

    def at(bits: int) -> DistributedGaussian:
        sensitivity = float(round(chosen.clip_norm * 2**bits))
        if gradient is not None:
            sensitivity = gradient.sensitivity(bits, dimension)
        return plan_shares(
            *budget, chosen.rounds, sensitivity=sensitivity, contributors=contributors, dimension=dimension
        )

    # The finer the units, the less rounding adds to the sensitivity; two thirds of int16 are for the noise.
    bits = max(bits for bits in range(1, _MAX_SCALE_BITS) if _fits(at, bits))
    mechanism = at(bits)

    def finish(update: Update, seed: int) -> Update:
        if gradient is None:
            bounded = clip_l2(update, int(mechanism.sensitivity))
        else:
            bounded = make_room(update, mechanism.variance)
        return add_noise(bounded, mechanism.variance, seeded_bytes(seed))

    return _Release(mechanism, gradient, settings, finish, False, mechanism.noise_multiplier, bits)


def _fits(at: Callable[[int], DistributedGaussian], bits: int) -> bool:
    try:
        return 3 * HEADROOM * (isqrt(at(bits).variance) + 1) <= 2 * INT16_MAX
    except Rejected:
        return False


def _round(
    setting: Setting, state: npt.NDArray[np.int32], release: _Release, chosen: Recipe, seed: int
) -> npt.NDArray[np.int32]:
    updates = []
    for index, part in enumerate(setting.parts):
        own = (seed << 8) + index
        made = local_update(
            setting.spec, state[0], release.scale_bits, part, release.settings, own, trainer=release.trainer
        )
        updates.append(release.finish(made.values, own))
    aggregate = mean(updates, [len(part) if release.weighted else 1 for part in setting.parts])
    return step(ServerOptimizer(lr=round(chosen.server_rate * ONE)), state, aggregate)


def _train_plainly(setting: Setting, seed: int) -> Model:
    """The same without privacy: local epochs, weighted mean."""
    settings = LocalSettings(epochs=PLAIN.steps, batch_size=1 << 20, learning_rate=PLAIN.learning_rate, scaling=SCALING)
    nothing = _Release(SampledGaussian(1.0, 1.0, 1), None, settings, lambda update, _: update, weighted=True, noise=0.0)
    state = _start(setting)
    for turn in range(PLAIN.rounds):
        state = _round(setting, state, nothing, PLAIN, seed=(seed << 16) + turn)
    weights: Model = state[0]
    return weights


def _start(setting: Setting) -> npt.NDArray[np.int32]:
    return initial_state(ServerOptimizer(), np.zeros(parameter_count(setting.spec), dtype=np.int32))


def _accuracy(setting: Setting, model: Model, scale_bits: int) -> float:
    network = SpecNetwork(setting.spec, seed=0)
    load_vector(setting.spec, network, dequantise(model, scale_bits))
    with torch.no_grad():
        outputs = network(torch.from_numpy(setting.test.inputs).float() * SCALING.input_scale).numpy()
    return float(np.mean(outputs.argmax(axis=1) == setting.test.labels))


def _central(setting: Setting) -> float:
    from sklearn.linear_model import LogisticRegression

    scale = SCALING.input_scale
    model = LogisticRegression(C=100.0, max_iter=5000).fit(setting.train.inputs * scale, setting.train.labels)
    return float(model.score(setting.test.inputs * scale, setting.test.labels))
