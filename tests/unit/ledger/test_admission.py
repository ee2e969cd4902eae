from offchain.ledger.transport.admission import Admission, Pauses
from offchain.ledger.types import ReplicaId


def make(pending: int = 3) -> Admission[str]:
    return Admission(pending=pending, burst=4, per_second=2.0, addresses=3)


def test_an_address_has_a_rate_of_its_own() -> None:
    admission = make()
    assert [admission.admit("flood", 10.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert admission.admit("other", 10.0)
    assert [admission.admit("flood", 11.0) for _ in range(3)] == [True, True, False]
    assert [admission.admit("flood", 1000.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_clock_that_stands_gives_nothing() -> None:
    admission = make()
    assert sum(admission.admit("flood", 10.0) for _ in range(100)) == 4


def test_the_memory_of_addresses_is_bounded() -> None:
    admission = make()
    for number in range(1000):
        admission.admit(str(number), 0.0)
    assert len(admission._buckets) == 3


def test_when_full_the_oldest_of_the_busiest_address_goes() -> None:
    admission = make()
    assert admission.begin("honest", "home") is None
    assert admission.begin("first", "flood") is None
    assert admission.begin("second", "flood") is None
    assert admission.begin("third", "flood") == "first"
    assert admission.begin("fourth", "flood") == "second"
    assert admission.pending == 3
    admission.end("honest")
    admission.end("honest")
    assert admission.pending == 2
    assert admission.begin("late", "elsewhere") is None


def test_pauses_double_up_to_a_bound_and_are_forgiven() -> None:
    pauses, peer = Pauses(first=1.0, longest=5.0, forgive_after=10.0), ReplicaId(3)
    assert pauses.left(peer, 0.0) == 0.0
    now, lengths = 0.0, []
    for _ in range(5):
        lengths.append(pauses.punish(peer, now))
        assert pauses.left(peer, now) == lengths[-1]
        now += lengths[-1]
        assert pauses.left(peer, now) == 0.0
    assert lengths == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert pauses.punish(peer, now + 10.0) == 1.0
    assert pauses.left(ReplicaId(2), now) == 0.0
