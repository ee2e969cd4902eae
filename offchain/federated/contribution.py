"""What an update was worth: its inner product with what came out, in integers.

    c_i = clamp(<u_i, a>, 0, <a, a>),   share_i = floor(pool * c_i / sum_j c_j)

An update along the aggregate counts in full measure, up to the aggregate itself, so making it longer than that earns
nothing; one across it or against it earns nothing. The products are row 0 of a round's measures (docs/federated.md),
which the contract pays by. This is the first-order term of what leaving i out would have cost (a truncated
leave-one-out value, Wang et al. 2020, "A Principled Approach to Data Valuation for Federated Learning"). An update is a
part of the aggregate that it is measured by, so noise is paid too where the rule lets it in
(docs/federated-benchmarks.md, Who is detected).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offchain.federated.measures import gram
from offchain.types import Wei

Update = npt.NDArray[np.int16]


def inner_products(updates: Sequence[Update], aggregate: Update) -> list[int]:
    """<u_i, a> of n updates int16 (d), then <a, a>: n + 1 exact integers, row 0 of the measures."""
    return [int(product) for product in gram([*updates, aggregate], last_only=True)[0]]


def contributions(products: Sequence[int]) -> list[int]:
    """c_i of n participants from the n + 1 numbers that `inner_products` gives."""
    *own, whole = products
    return [min(max(product, 0), whole) for product in own]


def rewards(pool: Wei, measured: Sequence[int]) -> list[Wei]:
    """The pool in proportion to contributions, rounded down; all nothing when nobody contributed."""
    total = sum(measured)
    return [Wei(pool * own // total if total else 0) for own in measured]
