"""The follower's cursor against a model of a chain that reorganises."""

from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.cursor import MAX_MARKS, Cursor, Mark, RangeSize


def block_hash(branch: int, number: int) -> bytes:
    return branch.to_bytes(16, "big") + number.to_bytes(16, "big")


class Chain:
    """Hashes by number; `reorganise` replaces the newest `depth` blocks with as many others."""

    def __init__(self) -> None:
        self.hashes = [block_hash(0, 0)]
        self.branch = 0

    def mine(self, count: int) -> None:
        for _ in range(count):
            self.hashes.append(block_hash(self.branch, len(self.hashes)))

    def reorganise(self, depth: int) -> None:
        depth = min(depth, len(self.hashes) - 1)
        self.branch += 1
        del self.hashes[len(self.hashes) - depth :]
        self.mine(depth)

    def hash_of(self, number: int) -> bytes | None:
        return self.hashes[number] if number < len(self.hashes) else None


steps = st.lists(
    st.tuples(st.sampled_from(["mine", "reorganise", "read", "shrink"]), st.integers(1, 12)), min_size=5, max_size=60
)


@given(steps, st.integers(0, 8))
def test_what_was_read_is_always_a_prefix_of_the_chain(actions: list[tuple[str, int]], depth_of_finality: int) -> None:
    """A reader that drops what `rewound` says and reads on holds exactly the chain's hashes, if finality holds."""
    chain = Chain()
    cursor = Cursor.at(0)
    read: list[bytes] = []
    floor = 0
    for action, amount in actions:
        if action == "mine":
            chain.mine(amount)
        elif action == "reorganise":
            chain.reorganise(min(amount, max(len(chain.hashes) - 1 - floor, 0)))
        elif action == "shrink":
            keep = max(len(chain.hashes) - amount, floor + 1)
            del chain.hashes[keep:]
            chain.branch += 1
        else:
            cursor = cursor.rewound(chain.hash_of)
            del read[cursor.position :]
            last = min(cursor.position + amount - 1, len(chain.hashes) - 1)
            if last < cursor.position:
                continue
            read += chain.hashes[cursor.position : last + 1]
            final = max(len(chain.hashes) - 1 - depth_of_finality, floor)
            floor = final
            cursor = cursor.advanced([Mark(last, chain.hashes[last])], final=final)
            assert read == chain.hashes[: cursor.position]


def test_nothing_is_rewound_when_nothing_changed() -> None:
    cursor = Cursor.at(3).advanced([Mark(5, b"5"), Mark(7, b"7")], final=4)
    assert cursor.position == 8
    assert cursor.rewound({5: b"5", 7: b"7"}.get) is cursor


def test_rewinds_to_the_newest_mark_that_holds() -> None:
    cursor = Cursor.at(3).advanced([Mark(5, b"5"), Mark(7, b"7"), Mark(9, b"9")], final=4)
    back = cursor.rewound({5: b"5", 7: b"x", 9: b"y"}.get)
    assert (back.position, back.marks) == (6, (Mark(5, b"5"),))


def test_rewinds_to_the_start_when_no_mark_holds() -> None:
    cursor = Cursor.at(3).advanced([Mark(5, b"5")], final=0)
    assert cursor.rewound(lambda number: b"x") == Cursor.at(3)


def test_what_a_node_does_not_know_yet_is_not_rolled_back() -> None:
    cursor = Cursor.at(3).advanced([Mark(5, b"5"), Mark(7, b"7"), Mark(9, b"9")], final=4)
    assert cursor.rewound({5: b"5", 7: b"7"}.get) is cursor
    assert cursor.rewound({}.get) is cursor
    assert cursor.rewound({5: b"5", 7: b"x"}.get).position == 6


def test_marks_that_are_final_are_forgotten_but_for_the_newest() -> None:
    cursor = Cursor.at(0).advanced([Mark(number, b"") for number in range(10)], final=6)
    assert [mark.number for mark in cursor.marks] == [6, 7, 8, 9]


def test_marks_are_bounded() -> None:
    cursor = Cursor.at(0).advanced([Mark(number, b"") for number in range(1000)], final=-1)
    assert len(cursor.marks) == MAX_MARKS
    assert cursor.position == 1000


@given(st.integers(1, 10**6), st.lists(st.booleans(), max_size=50))
def test_range_sizes_stay_in_bounds(maximum: int, objections: list[bool]) -> None:
    size = RangeSize(maximum, maximum)
    for objection in objections:
        before = size.size
        size = size.shrunk() if objection else size.grown()
        assert 1 <= size.size <= maximum
        assert size.size < before or not objection or before == 1
        assert size.size > before or objection or before == maximum
