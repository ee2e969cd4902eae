"""Which states can be fetched, whatever liars claim."""

from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.checkpoints import Checkpoints
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, ReplicaId, Sequence
from tests.unit.ledger.group import Log, Stamp

HERE = Sequence(4)
TRUE, FALSE = Digest(b"\1" * 32), Digest(b"\2" * 32)
LIAR, HONEST, ME = ReplicaId(0), ReplicaId(1), ReplicaId(2)


def checkpoints() -> Checkpoints:
    made = Checkpoints(State(GroupConfig(4, ME, interval=2), Log(), Stamp(ME)))
    made.take()
    return made


def test_what_a_new_view_starts_with_can_be_fetched_though_a_liar_claimed_another_state_before() -> None:
    """The liar signs the true state in its view change, having told us a false one: found by the simulator."""
    known = checkpoints()
    known.claim(LIAR, HERE, FALSE)
    known.claim(LIAR, HERE, TRUE)
    known.claim(HONEST, HERE, TRUE)
    assert known.vouched(Sequence(0)) is None
    known.prove(HERE, TRUE)
    assert known.vouched(Sequence(0)) == (HERE, TRUE)
    assert known.claimants(HERE, TRUE) == [HONEST]
    assert known.vouched(HERE) is None


def test_what_nobody_claims_is_asked_of_anybody() -> None:
    known = checkpoints()
    known.prove(HERE, TRUE)
    assert known.claimants(HERE, TRUE) == [ReplicaId(0), ReplicaId(1), ReplicaId(3)]
