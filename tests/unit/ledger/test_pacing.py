"""When the primary proposes: bundles of one time share a batch, and nothing waits for longer than it should."""

from offchain.ledger.pbft.effects import Received
from offchain.ledger.pbft.messages import Bundle, PrePrepare, Proposal
from offchain.ledger.types import ReplicaId
from tests.unit.ledger.group import Group

QUIET = 2_000 // 4 // 16
"""Milliseconds, before the primary knows how long an agreement takes."""
PATIENCE = 2_000 // 4


def primary_alone() -> Group:
    """Nothing that the primary says arrives: what it proposes stays under way."""
    group = Group(7)
    group.drops = lambda sender, *_: sender == 0
    group.hurries = False
    return group


def spread(group: Group, creator: int, name: bytes) -> None:
    group[0].handle(Received(ReplicaId(creator), Bundle((name,))))


def proposed(group: Group) -> list[int]:
    """Bundles in each proposal."""
    sizes = []
    for message in group[0].sent:
        match message:
            case PrePrepare():
                sizes.append(len(message.batch.bundles))
            case Proposal():
                sizes.append(len(message.bundles))
    return sizes


def test_bundles_wait_until_no_more_come() -> None:
    group = primary_alone()
    for creator in range(1, 5):
        spread(group, creator, b"%d" % creator)
        group.run(QUIET // 2)
    assert proposed(group) == []
    group.run(QUIET)
    assert proposed(group) == [4]


def test_nothing_waits_for_ever() -> None:
    group = primary_alone()
    for number in range(2 * PATIENCE // (QUIET // 2) + 4):
        spread(group, 1 + number % 3, b"%d" % number)
        group.run(QUIET // 2)
    assert len(proposed(group)) == 2


def test_when_all_are_here_nobody_is_waited_for() -> None:
    group = primary_alone()
    group[0].submit(b"own")
    for creator in range(1, 7):
        spread(group, creator, b"%d" % creator)
    assert proposed(group) == [7]


def test_a_whole_batch_does_not_wait() -> None:
    group = primary_alone()
    for number in range(64):
        spread(group, 2 + number % 3, b"%d" % number)
    assert proposed(group) == [64]


def test_where_agreements_are_quick_nothing_waits() -> None:
    group = Group(4)
    group[1].submit(b"a")
    group.deliver()
    group.hurries = False
    group[2].submit(b"b")
    group.deliver()
    assert all(log == [b"a", b"b"] for log in group.logs())
