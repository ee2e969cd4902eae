"""The real data sets that scikit-learn carries."""

from __future__ import annotations

from offchain.data.raw import RawData, build_raw
from offchain.errors import Rejected

NAMES = ("digits", "breast_cancer", "wine", "iris", "diabetes")


def load_sklearn(name: str) -> RawData:
    """Loads a set by name; digits are images (n, 8, 8, 1), the others tables. Raises Rejected for other names."""
    from sklearn import datasets

    if name not in NAMES:
        raise Rejected(f"scikit-learn set {name!r} is unknown; choose one of {', '.join(NAMES)}")
    bunch = getattr(datasets, f"load_{name}")()
    if name == "diabetes":
        return build_raw(name, bunch.data, bunch.target, task="regression", columns=tuple(bunch.feature_names))
    classes = tuple(str(c) for c in bunch.target_names)
    if name == "digits":
        return build_raw(name, bunch.images, bunch.target, classes=classes)
    return build_raw(
        name, bunch.data, bunch.target, classes=classes, columns=tuple(str(f) for f in bunch.feature_names)
    )
