"""What others see says nothing about an update beyond the sum.

Exact, not statistical. (1) With the streams of seeds taken for uniform and independent, which is what ChaCha20 is
trusted for, all views are counted in the rings Z mod 2 and mod 4, to which Z mod 2**32 maps. (2) With everything real
but the stream of one pair of honest members, another stream makes other updates of the same sum give the same public
files to the last bit: a bijection between the streams that lead to either view.
"""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from offchain.federated.secure.masking import AddStream, Words, add_stream, load_key, masked_vector, pair_seed, sign_of
from offchain.federated.secure.terms import Position, Seed, Stage
from offchain.federated.secure.unmask import unmask
from tests.unit.federated.secure.play import Play, random_updates, session_of

View = tuple[int, ...]


def views(updates: tuple[int, ...], dropped: tuple[int, ...], hostile: tuple[int, ...], ring: int) -> Counter[View]:
    """How often each view of the public and of `hostile` members comes up, over all streams of all seeds; d = 1.

    A view: vectors of those who did not drop out, streams of their self-masks, of pairs with one that dropped out, and
    of pairs with a hostile member.
    """
    size = len(updates)
    pairs = [(one, other) for one in range(size) for other in range(one + 1, size)]
    live = [place for place in range(size) if place not in dropped]
    shown = [pair for pair in pairs if set(pair) & {*dropped, *hostile}]
    counted: Counter[View] = Counter()
    for values in product(range(ring), repeat=len(pairs) + len(live)):
        streams = dict(zip([*pairs, *live], values, strict=True))

        def add(vector: Words, seed: Seed, sign: int, streams: dict[object, int] = streams) -> None:
            one, other = seed[0], seed[1]
            vector += np.uint32(sign * streams[one if one == other else (one, other)] % 2**32)

        vectors = []
        for own in live:
            peers = (Position(peer) for peer in range(size) if peer != own)
            seeds = [(Seed(bytes((own, own))), 1)]
            seeds += [(Seed(bytes(sorted((own, peer)))), sign_of(Position(own), peer)) for peer in peers]
            vectors.append(int(masked_vector(np.array([updates[own]], dtype=np.int16), 1, seeds, add)[0]) % ring)
        counted[*vectors, *(streams[own] for own in live), *(streams[pair] for pair in shown)] += 1
    return counted


@pytest.mark.parametrize("ring", [2, pytest.param(4, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("dropped", "hostile", "same", "different"),
    [
        ((), (), [(1, 2, 0), (2, -2, 3)], (1, 2, 1)),
        ((2,), (), [(1, 2, 0), (3, 0, 3), (0, 3, 2)], (1, 1, 0)),
        ((), (1,), [(1, 2, 0), (3, 2, 2)], (1, 3, 0)),
    ],
)
def test_equal_sums_give_the_same_distribution_of_views(
    dropped: tuple[int, ...],
    hostile: tuple[int, ...],
    same: list[tuple[int, ...]],
    different: tuple[int, ...],
    ring: int,
) -> None:
    first, *others = (views(updates, dropped, hostile, ring) for updates in same)
    assert all(other == first for other in others)
    assert views(different, dropped, hostile, ring).keys().isdisjoint(first)


def test_a_lone_honest_member_is_not_hidden() -> None:
    """Of the other kind: where all but one collude, or drop out, the sum is the update. The test above can fail."""
    assert views((1, 2), (), (1,), 4) != views((0, 3), (), (1,), 4)
    assert views((1, 2, 0), (), (1, 2), 2).keys().isdisjoint(views((0, 2, 1), (), (1, 2), 2))


def test_another_stream_of_one_honest_pair_explains_other_updates_of_the_same_sum() -> None:
    """All else is real: keys, boxes, shares, other masks; one member drops out, one is slow to answer."""
    session = session_of(6, 300, weights=(2, 3, 2, 1, 1, 1))
    one, other = Position(0), Position(2)
    updates = random_updates(session, seed=5) // 4
    shift = np.random.default_rng(6).integers(-8000, 8000, session.dimension).astype(np.int16)
    moved = updates.copy()
    moved[one] += shift
    moved[other] -= shift
    present = {Stage.MASKED: range(5), Stage.UNMASK: range(4)}

    real = Play(session, updates, seed=9)
    real.all_stages(present)
    pair = _seed_of(real, one, other)
    difference = 2 * shift.astype(np.int32)

    def programmed(vector: Words, seed: Seed, sign: int) -> None:
        add_stream(vector, seed, sign)
        if seed == pair:
            vector -= (sign * difference).view(np.uint32)

    streams: dict[int, AddStream] = dict.fromkeys(session.positions, programmed)
    simulated = Play(session, moved, seed=9, streams=streams)
    simulated.all_stages(present)
    assert simulated.files() == real.files()
    assert np.array_equal(unmask(real.transcript), real.plain_sum(range(5)))
    unexplained = Play(session, moved, seed=9)
    unexplained.all_stages(present)
    assert unexplained.files() != real.files()


def _seed_of(play: Play, one: Position, other: Position) -> Seed:
    keys = play.transcript.keys[other]
    assert keys is not None
    return pair_seed(load_key(play.secrets[one].mask_key), keys.mask_key, play.session.digest, one, other)
