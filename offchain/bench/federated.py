"""What the aggregation rules withstand: every attack against every rule, on real data that nobody shares evenly.

100 participants with non-IID digits, 50 rounds (the set-up of Chauhan 2025, section 4.1, on data that scikit-learn
has), a fifth and three tenths of them hostile. Training is production's in one batched process, everything after it is
production's own: fixed point, rules, server optimiser, contributions, detection. Beside it the same model trained on
all data in one place, and every rule without an attack.

    assay bench federated --attack alie,sign-flip --rule mean,clipped-mean+exclusion --seeds 3
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final

import numpy as np

from offchain.errors import Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.attacks.registry import ATTACKS, attack_named
from offchain.federated.local_training import LocalSettings
from offchain.federated.server_optimizer import ONE, OptimizerId, ServerOptimizer
from offchain.federated.simulation.federation import Federation, Plan, Round
from offchain.federated.simulation.world import World, build_world, centralised_accuracy

EXCLUSION: Final = "+exclusion"
"""Behind a rule's name: whoever is detected is left out of later rounds."""

SCALE_BITS: Final = 14
CLIP_NORM: Final = 4000
"""In units of 2**-14: a quarter of a weight, about the length of an honest update halfway through."""

RULES: Final[dict[str, Rule]] = {
    "mean": Rule(RuleId.MEAN),
    "median": Rule(RuleId.MEDIAN),
    "trimmed-mean": Rule(RuleId.TRIMMED_MEAN, 300_000),
    "clipped-mean": Rule(RuleId.CLIPPED_MEAN, CLIP_NORM),
    "krum": Rule(RuleId.KRUM, 300_000),
    "multi-krum": Rule(RuleId.MULTI_KRUM, 300_000, 600_000),
    "geometric-median": Rule(RuleId.GEOMETRIC_MEDIAN, 0, 8),
    "bulyan": Rule(RuleId.BULYAN, 240_000),
}
"""With terms for three tenths hostile; Bulyan takes less than a quarter."""

SHOWN: Final = (*RULES, "mean" + EXCLUSION, "clipped-mean" + EXCLUSION)

OFF_CHAIN: Final = ("geometric-median", "bulyan")

CENTRALISED_EPOCHS: Final = 50


@dataclass(frozen=True, slots=True)
class Options:
    """What is played. `hostile` in percent of participants."""

    attacks: tuple[str, ...] = tuple(ATTACKS)
    rules: tuple[str, ...] = SHOWN
    hostile: tuple[int, ...] = (20, 30)
    seeds: tuple[int, ...] = (0, 1, 2)
    participants: int = 100
    rounds: int = 50
    data: str = "digits"
    model: str = "mlp:64"
    partition: str = "dirichlet:0.5"
    settings: LocalSettings = field(default_factory=lambda: LocalSettings(epochs=2, batch_size=16, learning_rate=0.1))
    optimiser: ServerOptimizer = field(
        default_factory=lambda: ServerOptimizer(OptimizerId.FEDAVGM, lr=3 * ONE // 2, beta1=9 * ONE // 10)
    )

    def __post_init__(self) -> None:
        for attack in self.attacks:
            attack_named(attack)
        for rule in self.rules:
            if rule.removesuffix(EXCLUSION) not in RULES:
                known = ", ".join(RULES)
                raise Rejected(f"rule {rule!r}: choose of {known}, each with or without {EXCLUSION} behind it")


QUICK: Final = Options(
    attacks=("sign-flip", "alie"), rules=("mean", "clipped-mean+exclusion"), hostile=(30,), seeds=(0,), rounds=15
)


@dataclass(frozen=True, slots=True)
class Row:
    """One attack against one rule, means over seeds; accuracies and shares in percent.

    `drop` is in points below FedAvg without an attack, same seeds, `worst` the accuracy of the worst seed. `backdoor`
    is how often the trigger works at the end. `detected` of the hostile and `accused` of the honest in any round, None
    for rules without exclusion. `hostile_reward`: the hostile participants' part of all rewards.
    """

    attack: str
    hostile: int
    rule: str
    seeds: int
    accuracy: float
    worst: float
    drop: float
    backdoor: float | None
    detected: float | None
    accused: float | None
    hostile_reward: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """The same model with all data in one place, and FedAvg of honest participants, mean percent over seeds."""

    centralised: float
    federated: float


@dataclass(frozen=True, slots=True)
class _Played:
    accuracy: float
    backdoor: float | None
    detected: float | None
    accused: float | None
    hostile_reward: float


def baseline(options: Options) -> Baseline:
    """Without hostile participants: centralised, and the plain mean."""
    worlds = _worlds(options)
    settings = options.settings
    alone = [
        centralised_accuracy(world, settings, epochs=CENTRALISED_EPOCHS, seed=seed) for seed, world in worlds.items()
    ]
    together = [_play(world, options, "mean", None, 0, seed).accuracy for seed, world in worlds.items()]
    return Baseline(100 * fmean(alone), 100 * fmean(together))


def run(options: Options, clean: Baseline, tell: Callable[[Row], None]) -> list[Row]:
    """Plays every rule without an attack, then every attack against every rule; `tell` hears of each row."""
    worlds = _worlds(options)
    rows = []
    for attack, hostile in _cells(options):
        for rule in options.rules:
            played = [_play(world, options, rule, attack, hostile, seed) for seed, world in worlds.items()]
            rows.append(_row(attack or "none", hostile, rule, played, clean))
            tell(rows[-1])
    return rows


def facts(options: Options) -> dict[str, Any]:
    """What the figures depend on."""
    import sklearn
    import torch

    settings, optimiser = options.settings, options.optimiser
    return {
        "data": f"{options.data} ({options.partition})",
        "model": options.model,
        "participants": options.participants,
        "rounds": options.rounds,
        "local": f"{settings.epochs} epochs, batch {settings.batch_size}, rate {settings.learning_rate}",
        "optimiser": f"{optimiser.id.name} lr {optimiser.lr / ONE:g} beta {optimiser.beta1 / ONE:.2g}",
        "seeds": " ".join(map(str, options.seeds)),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
    }


def _cells(options: Options) -> Iterator[tuple[str | None, int]]:
    yield None, 0
    for hostile in options.hostile:
        for attack in options.attacks:
            yield attack, hostile


def _worlds(options: Options) -> dict[int, World]:
    return {
        seed: build_world(
            data=options.data,
            model=options.model,
            form=options.partition,
            participants=options.participants,
            seed=seed,
        )
        for seed in options.seeds
    }


def _play(world: World, options: Options, rule: str, attack: str | None, hostile: int, seed: int) -> _Played:
    plan = Plan(
        RULES[rule.removesuffix(EXCLUSION)],
        None if attack is None else attack_named(attack),
        len(world) * hostile // 100,
        options.rounds,
        seed,
        SCALE_BITS,
        exclude=rule.endswith(EXCLUSION),
        optimiser=options.optimiser,
        settings=options.settings,
    )
    federation = Federation(world, plan)
    rewarded = np.zeros(len(world), dtype=np.int64)
    for _ in range(plan.rounds):
        last = federation.play()
        rewarded += last.rewards
    return _judged(federation, last, rewarded)


def _judged(federation: Federation, last: Round, rewarded: np.ndarray[Any, np.dtype[np.int64]]) -> _Played:
    hostile = set(federation.hostile.tolist())
    caught = sum(who in hostile for who in last.detected)
    return _Played(
        accuracy=last.accuracy,
        backdoor=last.backdoor,
        detected=caught / len(hostile) if hostile and federation.plan.exclude else None,
        accused=(len(last.detected) - caught) / len(federation.honest) if federation.plan.exclude else None,
        hostile_reward=float(rewarded[federation.hostile].sum() / max(1, int(rewarded.sum()))),
    )


def _row(attack: str, hostile: int, rule: str, played: Sequence[_Played], clean: Baseline) -> Row:
    accuracy = 100 * fmean(one.accuracy for one in played)
    return Row(
        attack=attack,
        hostile=hostile,
        rule=rule,
        seeds=len(played),
        accuracy=accuracy,
        worst=100 * min(one.accuracy for one in played),
        drop=clean.federated - accuracy,
        backdoor=_mean([one.backdoor for one in played]),
        detected=_mean([one.detected for one in played]),
        accused=_mean([one.accused for one in played]),
        hostile_reward=100 * fmean(one.hostile_reward for one in played),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return 100 * fmean(known) if known else None
