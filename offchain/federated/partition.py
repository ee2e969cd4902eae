"""How a data set is spread over participants in experiments: IID, or skewed in labels or in quantity.

Each partition takes the labels of all samples and a generator, is the same for the same seed, uses every sample once
and gives everybody at least `MINIMUM` samples: who has too few takes from the largest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected

Indices = npt.NDArray[np.intp]
Partition = tuple[Indices, ...]
"""Sorted indices of each participant's samples."""

Labels = npt.NDArray[np.int32]

MINIMUM: Final = 2

FORMS: Final = "iid, dirichlet:0.5, balanced:0.5, shards:2 or quantity:0.5"
"""What `partition` understands, by example."""


def partition(form: str, labels: Labels, participants: int, generator: np.random.Generator) -> Partition:
    """The partition that a word asks for, see `FORMS`. Raises Rejected for other words and too few samples."""
    found = re.fullmatch(r"(iid|dirichlet|balanced|shards|quantity)(?::(\d+(?:\.\d+)?))?", form)
    if found is None or (found.group(1) == "iid") != (found.group(2) is None):
        raise Rejected(f"partition {form!r}: use {FORMS}")
    if found.group(1) == "iid":
        return iid(labels, participants, generator)
    value = float(found.group(2))
    if found.group(1) == "shards":
        return by_shards(labels, participants, generator, shards=int(value))
    skewed: dict[str, Callable[..., Partition]] = {
        "dirichlet": dirichlet,
        "balanced": balanced_dirichlet,
        "quantity": by_quantity,
    }
    return skewed[found.group(1)](labels, participants, generator, alpha=value)


def iid(labels: Labels, participants: int, generator: np.random.Generator) -> Partition:
    """Shuffled and dealt out: sizes differ by one at most."""
    _require(labels, participants)
    return _sorted(np.array_split(generator.permutation(len(labels)), participants))


def dirichlet(labels: Labels, participants: int, generator: np.random.Generator, *, alpha: float) -> Partition:
    """Each label is spread over participants in proportions from Dir(alpha) (Yurochkin et al. 2019, section 4).

    Labels and quantities are both skewed; the smaller alpha, the more.
    """
    _require(labels, participants, alpha)
    parts: list[list[Indices]] = [[] for _ in range(participants)]
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        shares = np.cumsum(generator.dirichlet(np.full(participants, alpha)))[:-1]
        for part, piece in zip(parts, np.split(members, (shares * len(members)).astype(np.intp)), strict=True):
            part.append(piece)
    return _levelled([np.concatenate(part) for part in parts])


def balanced_dirichlet(labels: Labels, participants: int, generator: np.random.Generator, *, alpha: float) -> Partition:
    """Equal sizes; each participant draws its own mixture of labels from Dir(alpha) (Hsu et al. 2019, section 3).

    Samples are drawn one by one without replacement; a label that has run out leaves its share to the others.
    """
    _require(labels, participants, alpha)
    classes = np.unique(labels)
    pools = [list(generator.permutation(np.flatnonzero(labels == label))) for label in classes]
    mixtures = generator.dirichlet(np.full(len(classes), alpha), size=participants)
    parts: list[list[int]] = [[] for _ in range(participants)]
    for turn in range(len(labels)):
        who = turn % participants
        left = np.array([len(pool) > 0 for pool in pools])
        weights = np.where(left, np.maximum(mixtures[who], 1e-12), 0.0)
        parts[who].append(int(pools[generator.choice(len(classes), p=weights / weights.sum())].pop()))
    return _sorted([np.array(part, dtype=np.intp) for part in parts])


def by_shards(labels: Labels, participants: int, generator: np.random.Generator, *, shards: int) -> Partition:
    """Sorted by label, cut into `shards` pieces a participant, dealt out at random (McMahan et al. 2017, section 3).

    With two shards most participants have samples of two labels only.
    """
    _require(labels, participants)
    if not 1 <= shards <= len(labels) // participants:
        raise Rejected(f"{shards} shards for each of {participants}: {len(labels)} samples don't give so many")
    order = generator.permutation(len(labels))
    by_label = order[np.argsort(labels[order], kind="stable")]
    pieces = np.array_split(by_label, participants * shards)
    dealt = generator.permutation(participants * shards).reshape(participants, shards)
    return _levelled([np.concatenate([pieces[piece] for piece in mine]) for mine in dealt])


def by_quantity(labels: Labels, participants: int, generator: np.random.Generator, *, alpha: float) -> Partition:
    """Labels alike, sizes in proportions from Dir(alpha) (Li et al. 2022, section 4.1, quantity skew)."""
    _require(labels, participants, alpha)
    shares = np.cumsum(generator.dirichlet(np.full(participants, alpha)))[:-1]
    order = generator.permutation(len(labels))
    return _levelled(np.split(order, (shares * len(labels)).astype(np.intp)))


def _levelled(parts: Sequence[Indices]) -> Partition:
    """Moves last samples of the largest part to those below the minimum."""
    levelled = list(parts)
    while True:
        sizes = [len(part) for part in levelled]
        poor, rich = int(np.argmin(sizes)), int(np.argmax(sizes))
        if sizes[poor] >= MINIMUM:
            return _sorted(levelled)
        levelled[poor] = np.append(levelled[poor], levelled[rich][-1])
        levelled[rich] = levelled[rich][:-1]


def _sorted(parts: Sequence[Indices]) -> Partition:
    return tuple(np.sort(np.asarray(part, dtype=np.intp)) for part in parts)


def _require(labels: Labels, participants: int, alpha: float = 1.0) -> None:
    if participants < 1 or len(labels) < MINIMUM * participants:
        raise Rejected(f"{len(labels)} samples for {participants} participants; each needs {MINIMUM}")
    if not alpha > 0:
        raise Rejected(f"concentration {alpha}: give a number above 0")
