"""Whatever hostile members post instead of what they should: nobody else is named, and no sum is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.federated.secure.messages import Message, encode
from offchain.federated.secure.terms import Position, Stage
from offchain.federated.secure.transcript import read, with_posted
from offchain.federated.secure.verdict import verify
from tests.unit.federated.secure.play import Play, random_updates, session_of

SESSION = session_of(6, 9)
spoils = st.tuples(st.sampled_from(Stage), st.integers(0, 10_000), st.integers(1, 255), st.integers(1, 40))
hostile = st.dictionaries(st.sampled_from([1, 4]), st.lists(spoils, min_size=1, max_size=3), min_size=1)
Spoil = tuple[Stage, int, int, int]


def spoilt(message: Message, place: Position, stage: Stage, changes: list[Spoil]) -> Message | None:
    """The file with runs of bytes changed, as others read it."""
    data = bytearray(encode(message, SESSION, place))
    for of, start, mask, length in changes:
        for at in range(start, start + length if of is stage else start):
            data[at % len(data)] ^= mask
    return read(bytes(data), SESSION, place, stage)


def check(cheats: dict[int, list[Spoil]], gone: int | None, seed: int) -> None:
    play = Play(SESSION, random_updates(SESSION), seed=seed)
    for stage in Stage:
        posted = {}
        for place in map(Position, SESSION.positions):
            if stage >= Stage.MASKED and place == gone:
                continue
            try:
                message = play.post(place, stage)
            except Rejected:
                # its own file, read back, is not what it knows: it stops. An honest one stops when too few are left
                continue
            if message is not None:
                posted[place] = spoilt(message, place, stage, cheats.get(place, []))
        play.transcript = with_posted(play.transcript, stage, posted)
    verdict = verify(play.transcript)
    assert set(verdict.cheaters) <= set(cheats)
    assert all(set(pair) & set(cheats) for pair in verdict.disagreeing)
    assert verdict.total is not None or verdict.cheaters or len(verdict.sets.answered) < SESSION.threshold
    if verdict.total is None:
        return
    changed = {change[0] for changes in cheats.values() for change in changes}
    if not changed & {Stage.KEYS, Stage.MASKED}:
        assert np.array_equal(verdict.total, play.plain_sum(verdict.sets.masked))


@settings(max_examples=25, deadline=None)
@given(cheats=hostile, gone=st.sampled_from([None, 0, 1]), seed=st.integers(0, 2**32))
def test_only_who_spoils_a_file_is_named(cheats: dict[int, list[Spoil]], gone: int | None, seed: int) -> None:
    check(cheats, gone, seed)


@pytest.mark.long
@settings(max_examples=1500, deadline=None)
@given(cheats=hostile, gone=st.sampled_from([None, 0, 1]), seed=st.integers(0, 2**32))
def test_only_who_spoils_a_file_is_named_often(cheats: dict[int, list[Spoil]], gone: int | None, seed: int) -> None:
    check(cheats, gone, seed)
