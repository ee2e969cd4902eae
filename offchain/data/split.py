"""Splits a data set in two, reproducibly."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.data.raw import RawData
from offchain.errors import Rejected

Data = TypeVar("Data", RawData, Dataset)


def split(data: Data, *, fraction: float, seed: int, stratify: bool) -> tuple[Data, Data]:
    """(rest, held out): about `fraction` of the samples are held out, of each label alike if `stratify`.

    A label with a single sample stays in the rest. Deterministic for a seed. Raises Rejected when either part would be
    empty.
    """
    if not 0 < fraction < 1:
        raise Rejected(f"held-out fraction {fraction}: give a number between 0 and 1")
    rest, held = split_indices(data.labels, fraction=fraction, seed=seed, stratify=stratify)
    if len(rest) == 0 or len(held) == 0:
        raise Rejected(f"{len(data)} samples cannot be split with {fraction:.0%} held out; give more data")
    return data.take(rest), data.take(held)


def split_indices(
    labels: npt.NDArray[np.int32] | npt.NDArray[np.float64], *, fraction: float, seed: int, stratify: bool
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Sorted indices of (rest, held out)."""
    generator = np.random.default_rng(seed)
    groups = [np.flatnonzero(labels == value) for value in np.unique(labels)] if stratify else [np.arange(len(labels))]
    held: list[npt.NDArray[np.intp]] = []
    debt = 0.0
    for group in groups:
        shuffled = generator.permutation(group)
        # What rounding took from earlier groups later ones owe, so that many small classes still give `fraction`.
        wanted = len(group) * fraction + debt
        count = min(max(round(wanted), 0), len(group) - 1)
        debt = wanted - count
        held.append(shuffled[:count])
    chosen = np.sort(np.concatenate(held))
    mask = np.ones(len(labels), dtype=bool)
    mask[chosen] = False
    return np.flatnonzero(mask), chosen
