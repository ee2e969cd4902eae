"""A participant's own data in the form that a task's model reads.

FILE                      a file or directory as `offchain/data/source.py` reads it
sklearn:digits            all of a scikit-learn set
sklearn:digits:3/12       for trying things out: of its training part (80 %) the third of twelve shares
sklearn:digits:3/12:dirichlet:0.5     the same, spread as `partition` says
sklearn:digits:test       the fifth that is held out
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np

from offchain.data.dataset import Dataset
from offchain.data.preprocessing import fit_preprocessing
from offchain.data.raw import RawData
from offchain.data.source import load_source
from offchain.data.split import split
from offchain.errors import Rejected
from offchain.federated.manifest import FederatedManifest
from offchain.federated.partition import partition

HELD_OUT: Final = 0.2
SEED: Final = 0
_SHARE = re.compile(r"(sklearn:[a-z_]+):(?:(test)|(\d{1,3})/(\d{1,3})(?::([a-z]+(?::[0-9.]+)?))?)")


def load_local(location: str, *, label: str | None = None) -> RawData:
    """Loads what a participant names as its data (see the module). Raises Rejected."""
    found = _SHARE.fullmatch(location)
    if found is None:
        return load_source(location, label=label)
    name, test, share, shares, form = found.groups()
    whole = load_source(name)
    train, held = split(whole, fraction=HELD_OUT, seed=SEED, stratify=whole.task == "classification")
    if test:
        return held
    if not 1 <= int(share) <= int(shares):
        raise Rejected(f"{location}: shares are counted from 1; give 1/{shares} to {shares}/{shares}")
    labels = train.labels.astype(np.int32)
    parts = partition(form or "iid", labels, int(shares), np.random.default_rng(SEED))
    return train.take(parts[int(share) - 1])


def dataset_for(manifest: FederatedManifest, raw: RawData) -> Dataset:
    """Quantised as the task says, classes in its order. Raises Rejected when the data does not fit the task."""
    spec = manifest.model_spec
    if raw.classes is None:
        raise Rejected(f"{raw.name}: labels are numbers; the task has the classes {', '.join(manifest.classes[:8])}")
    if raw.shape != spec.input_shape:
        raise Rejected(f"{raw.name}: samples of shape {list(raw.shape)}; the task's have {list(spec.input_shape)}")
    unknown = [name for name in raw.classes if name not in manifest.classes]
    if unknown:
        raise Rejected(
            f"{raw.name}: class {unknown[0]!r} is not among the task's ({', '.join(manifest.classes[:8])}); "
            "rename it or drop its rows"
        )
    places = np.array([manifest.classes.index(name) for name in raw.classes], dtype=np.int32)
    ordered = replace(raw, labels=places[raw.labels.astype(np.int32)], classes=manifest.classes)
    quantiser = manifest.quantiser or fit_preprocessing(raw, tokens=spec.reads_tokens)
    return quantiser.apply(ordered)
