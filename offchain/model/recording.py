"""Watches a search and tells its learning curves."""

import math

from offchain.model.curves import MAX_RUNS, Run, TrainingAccount, rounded, thinned
from offchain.model.training import Judged, Progress, Settings


class _Curves:
    """Values by epoch of one configuration."""

    def __init__(self) -> None:
        self.loss: dict[int, float] = {}
        self.score: dict[int, float] = {}
        self.integer: dict[int, float] = {}

    def run(self, settings: Settings) -> Run:
        loss, score, integer = (thinned(sorted(points.items())) for points in (self.loss, self.score, self.integer))
        return Run(
            optimiser=settings.optimiser,
            learning_rate=settings.learning_rate,
            loss=loss,
            score=score,
            integer=integer,
        )


class Recorder:
    """The `progress` of one search; `account` says what it has seen so far."""

    def __init__(self) -> None:
        self._runs: dict[Settings, _Curves] = {}

    def __call__(self, seen: Progress | Judged) -> None:
        """Notes one step. Numbers that are not finite (a training that diverged) are left out."""
        curves = self._runs.setdefault(seen.settings, _Curves())
        if isinstance(seen, Progress):
            curve, value = curves.loss, seen.loss
        else:
            curve, value = curves.integer if seen.integer else curves.score, seen.score
        if math.isfinite(value):
            curve[seen.epoch] = rounded(value)

    def account(self, chosen: Settings, holdout_samples: int) -> TrainingAccount | None:
        """The account of a model that was trained with `chosen`; None if nothing of that was seen."""
        if chosen not in self._runs or len(self._runs) > MAX_RUNS:
            return None
        runs = tuple(curves.run(settings) for settings, curves in self._runs.items())
        place = list(self._runs).index(chosen)
        return TrainingAccount(holdout_samples=holdout_samples, runs=runs, chosen=place)
