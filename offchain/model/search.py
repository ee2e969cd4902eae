"""A small search over learning rate and optimiser that always has something to show.

Successive halving (Jamieson & Talwalkar 2016): every configuration trains for one short cycle, the better half for
another of twice the length, until one is left and trains on. Whenever the best on the hold-out gets better, its integer
network is made and handed out, so that a provider can commit early and replace what it committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from offchain.data.dataset import Dataset
from offchain.data.split import split
from offchain.model.float_model import FloatModel
from offchain.model.graph import IntegerNetwork
from offchain.model.layers import Gru, Lstm
from offchain.model.objective import Judgement, task_of
from offchain.model.quantisation import quantise
from offchain.model.spec import ModelSpec
from offchain.model.suitability import require_trainable
from offchain.model.training import (
    DeviceData,
    Judged,
    Settings,
    ShouldStop,
    Snapshot,
    Trainer,
    TrainingData,
    Watch,
    pick_device,
)
from offchain.protocol.scores import ScoreFunction

_RATES: tuple[tuple[str, float], ...] = (
    ("sgd", 0.05),
    ("adam", 3e-3),
    ("sgd", 0.15),
    ("adam", 1e-3),
    ("sgd", 0.015),
    ("adam", 1e-2),
)
_RECURRENT_RATES: tuple[tuple[str, float], ...] = (
    ("adam", 3e-3),
    ("adam", 1e-2),
    ("adam", 1e-3),
    ("sgd", 0.15),
    ("sgd", 0.5),
    ("sgd", 0.05),
)
_LARGE_IMAGE = 16
_MAX_HOLDOUT = 5000


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How hard a provider tries; the demo's providers differ in this.

    configurations: pairs of optimiser and learning rate tried, 1 to 6. first_cycle: epochs of the first cycle.
    max_epochs: epochs after which no configuration trains further. patience: cycles without a better hold-out score
    after which the last one gives up. fine_tune_epochs: quantisation-aware epochs when rounding costs accuracy.
    holdout_fraction: share of the training data kept back to judge.
    """

    configurations: int = 4
    first_cycle: int = 4
    max_epochs: int = 128
    patience: int = 2
    batch_size: int = 32
    fine_tune_epochs: int = 4
    holdout_fraction: float = 0.15


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model worth claiming: better on the provider's own hold-out than all before it.

    Scores are means per sample, as `mean_score` counts them. A candidate may have the same score as the one before it,
    with a smaller loss.
    """

    network: IntegerNetwork
    model: FloatModel
    integer: Judgement
    float: Judgement
    settings: Settings
    epochs: int
    method: str


def search(
    spec: ModelSpec,
    dataset: Dataset,
    function: ScoreFunction,
    *,
    seed: int,
    should_stop: ShouldStop,
    settings: SearchSettings | None = None,
    progress: Watch | None = None,
    device: torch.device | None = None,
) -> Iterator[Candidate]:
    """Yields ever better candidates until the search is exhausted or `should_stop` (asked before every batch) is true.

    At least one candidate comes, however early it stops, unless training diverges altogether. The same seed and data
    give the same candidates on one machine if `should_stop` never interferes. Raises Rejected, before any work, if the
    spec does not fit the data.
    """
    require_trainable(spec, dataset, task_of(function))
    chosen = settings or SearchSettings()
    data = hold_out(dataset, function, chosen.holdout_fraction, seed)
    return _Search(spec, data, chosen, seed, should_stop, progress, device or pick_device()).run()


class _Search:
    def __init__(
        self,
        spec: ModelSpec,
        data: TrainingData,
        settings: SearchSettings,
        seed: int,
        should_stop: ShouldStop,
        progress: Watch | None,
        device: torch.device,
    ) -> None:
        self._data = data
        self._settings = settings
        self._seed = seed
        self._should_stop = should_stop
        self._progress = progress
        self._device = device
        self._best: Judgement | None = None
        on_device = DeviceData.load(data, device)
        self._trainers = [
            Trainer(spec, data, run, seed=seed + place, on_device=on_device)
            for place, run in enumerate(configurations(settings, spec))
        ]

    def run(self) -> Iterator[Candidate]:
        alive, cycle, idle = self._trainers, self._settings.first_cycle, 0
        while alive and idle < self._settings.patience:
            better = False
            for trainer in alive:
                for candidate in self._cycle(trainer, cycle):
                    better = True
                    yield candidate
                if self._should_stop():
                    return
            idle = 0 if better or len(alive) > 1 else idle + 1
            alive = [t for t in _best_half(alive) if t.epochs < self._settings.max_epochs]
            cycle *= 2

    def _cycle(self, trainer: Trainer, cycle: int) -> Iterator[Candidate]:
        before = trainer.best
        epochs = min(cycle, self._settings.max_epochs - trainer.epochs)
        after = trainer.run(epochs, should_stop=self._should_stop, progress=self._progress)
        if after is not None and after is not before:
            candidate = self._candidate(trainer, after)
            if self._progress is not None:
                self._progress(Judged(trainer.settings, trainer.epochs, candidate.integer.score, integer=True))
            if candidate.integer.better_than(self._best):
                self._best = candidate.integer
                yield candidate

    def _candidate(self, trainer: Trainer, snapshot: Snapshot) -> Candidate:
        made = quantise(
            snapshot.model,
            self._data,
            settings=trainer.settings,
            target=snapshot.judgement.score,
            fine_tune_epochs=self._settings.fine_tune_epochs,
            seed=self._seed,
            should_stop=self._should_stop,
            device=self._device,
        )
        return Candidate(
            network=made.network,
            model=snapshot.model,
            integer=made.judgement,
            float=snapshot.judgement,
            settings=trainer.settings,
            epochs=trainer.epochs,
            method=made.method,
        )


def configurations(settings: SearchSettings, spec: ModelSpec) -> list[Settings]:
    """The runs to try, the most promising first. Images of 16 pixels and more are shifted while training, unless a
    recurrent layer reads them row by row."""
    shape = spec.input_shape
    recurrent = any(isinstance(layer, Lstm | Gru) for layer in spec.layers)
    large = len(shape) == 3 and min(shape[:2]) >= _LARGE_IMAGE and not recurrent
    rates = _RECURRENT_RATES if recurrent else _RATES
    return [
        Settings(
            optimiser="sgd" if optimiser == "sgd" else "adam",
            learning_rate=rate,
            batch_size=settings.batch_size,
            shift=1 + min(shape[:2]) // _LARGE_IMAGE if large else 0,
        )
        for optimiser, rate in rates[: settings.configurations]
    ]


def _best_half(trainers: list[Trainer]) -> list[Trainer]:
    """The better half, rounded up, of those that trained at all."""
    ranked = [(t.best.judgement, place, t) for place, t in enumerate(trainers) if t.best is not None]
    ranked.sort(key=lambda item: (-item[0].score, item[0].loss, item[1]))
    return [trainer for _, _, trainer in ranked[: -(-len(trainers) // 2)]]


def hold_out(dataset: Dataset, function: ScoreFunction, fraction: float, seed: int) -> TrainingData:
    """What `search` with the same seed trains on, and what it keeps back: about `fraction`, at most 5000 samples."""
    share = min(fraction, _MAX_HOLDOUT / len(dataset))
    train, holdout = split(dataset, fraction=share, seed=seed, stratify=not function.is_regression)
    return TrainingData(train, holdout, function)
