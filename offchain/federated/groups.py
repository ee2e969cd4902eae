"""Secure sums of small groups under a robust rule: who sums with whom, and what a rule gets of it. Pure.

Only group sums are known, so no single update is; and a rule that bears hostile columns bears hostile groups. Twin of
`contracts/federated/SecureGroups.sol`; the price of the group size is in docs/secure-aggregation.md and
`group_tradeoff.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug
from offchain.federated.aggregation.rounding import round_div_array
from offchain.federated.aggregation.rule import Outcome, Rule, aggregate
from offchain.federated.secure.terms import threshold_for
from offchain.federated.secure.unmask import Sum
from offchain.protocol.hashing import keccak

Group = tuple[int, ...]
"""Indices of participants, ascending."""

Mean = npt.NDArray[np.int16]


def assign(seed: bytes, round_: int, roster: Collection[int], group_size: int) -> tuple[Group, ...]:
    """The groups of a round: every participant of the roster in one, max(1, |roster| // group_size) of them.

    The roster's indices, ascending, are shuffled by Fisher and Yates from the last place down: place i changes with
    keccak256(abi.encode(seed, round, i)) mod (i + 1). Who came to place p is in group p mod count, so sizes differ by
    one at most, and none is smaller than `group_size` unless the roster is. `seed`: 32 bytes that nobody chose alone.
    """
    if len(seed) != 32 or group_size < 1:
        raise Bug(f"groups of {group_size} from a seed of {len(seed)} bytes")
    order, prefix = sorted(roster), seed + round_.to_bytes(32, "big")
    for place in range(len(order) - 1, 0, -1):
        other = int.from_bytes(keccak(prefix + place.to_bytes(32, "big")), "big") % (place + 1)
        order[place], order[other] = order[other], order[place]
    count = max(1, len(order) // group_size)
    return tuple(tuple(sorted(order[first::count])) for first in range(count))


def columns(groups: Sequence[Group], included: Collection[int], answered: Collection[int]) -> tuple[Group, ...]:
    """The survivors of each group that can be unmasked, in the groups' order.

    `included`: whose masked vectors count; `answered`: who posted what unmasks. A group of which fewer than the
    threshold are both has no sum, and is left out.
    """
    survivors = (tuple(index for index in group if index in included) for group in groups)
    return tuple(
        there
        for group, there in zip(groups, survivors, strict=True)
        if sum(index in answered for index in there) >= threshold_for(len(group))
    )


def mean_of(total: Sum, weight: int) -> Mean:
    """round_div(total, weight), clamped: int16 (d,) of the unmasked sum int32 (d,); `weight`: of all survivors."""
    if weight < 1:
        raise Bug(f"a mean over a weight of {weight}")
    limits = np.iinfo(np.int16)
    return np.clip(round_div_array(total.astype(np.int64), weight), limits.min, limits.max).astype(np.int16)


def aggregate_groups(rule: Rule, totals: Sequence[Sum], weights: Sequence[int], *, threads: int = 1) -> Outcome:
    """The rule over the groups' means. `totals`: int32 (d,) each; `weights`: of each group's survivors.

    Raises Rejected if the rule is not valid for so many groups.
    """
    means = [mean_of(total, weight) for total, weight in zip(totals, weights, strict=True)]
    return aggregate(rule, means, weights, threads=threads)
