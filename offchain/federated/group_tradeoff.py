"""What the size of groups costs: privacy set against hostile groups. Exact, by counting. Pure.

A group of g is clean when all of its members are honest: with a hostile part α of many participants, with probability
(1 − α)**g. Of a fixed number of participants the hostile ones are drawn without putting back; groups are those of
`groups.assign`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

from offchain.errors import Bug
from offchain.federated.secure.terms import threshold_for


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """Of one group size. `clean`: probability that a group is. `tolerate`: so many hostile groups or fewer with the
    wished confidence. `hidden_among`: members in the smallest sum that is opened.
    """

    group_size: int
    groups: int
    clean: Fraction
    tolerate: int
    hidden_among: int

    @property
    def tolerated_part(self) -> Fraction:
        """Which part of its columns the rule has to bear."""
        return Fraction(self.tolerate, self.groups)


def sizes_of(participants: int, group_size: int) -> tuple[int, ...]:
    """Members of each group, as `groups.assign` makes them."""
    if participants < 1 or group_size < 1:
        raise Bug(f"{participants} participants in groups of {group_size}")
    count = max(1, participants // group_size)
    return tuple(participants // count + (place < participants % count) for place in range(count))


def hostile_groups(participants: int, hostile: int, group_size: int) -> tuple[Fraction, ...]:
    """The probability of b groups with a hostile member, for b from 0 to the number of groups."""
    sizes = sizes_of(participants, group_size)
    # ways[b][h]: choices of h hostile members among the groups so far that spoil b of them
    ways = {(0, 0): 1}
    for size in sizes:
        following = dict[tuple[int, int], int]()
        for (spoilt, used), count in ways.items():
            for more in range(min(size, hostile - used) + 1):
                key = (spoilt + (more > 0), used + more)
                following[key] = following.get(key, 0) + count * comb(size, more)
        ways = following
    every = comb(participants, hostile)
    return tuple(Fraction(ways.get((spoilt, hostile), 0), every) for spoilt in range(len(sizes) + 1))


def tradeoff(participants: int, hostile: int, group_size: int, confidence: Fraction) -> Tradeoff:
    """What a group size means for so many participants, of whom `hostile` are."""
    chances = hostile_groups(participants, hostile, group_size)
    groups = len(chances) - 1
    expected = sum((chance * spoilt for spoilt, chance in enumerate(chances)), Fraction(0))
    reached, tolerate = chances[0], 0
    while reached < confidence:
        tolerate += 1
        reached += chances[tolerate]
    return Tradeoff(group_size, groups, 1 - expected / groups, tolerate, threshold_for(group_size))
