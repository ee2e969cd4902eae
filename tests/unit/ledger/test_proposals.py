"""Proposals in short: what comes out is the primary's batch, or nothing until the batch is fetched."""

from dataclasses import replace

import pytest

from offchain.ledger.pbft.codec import digest, message_digest
from offchain.ledger.pbft.effects import Received
from offchain.ledger.pbft.messages import (
    SHORT_BYTES,
    Batch,
    Bundle,
    Decided,
    Fetch,
    Message,
    Offer,
    Prepare,
    PrePrepare,
    Proposal,
)
from offchain.ledger.pbft.proposals import FEWEST, shorten
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View
from tests.unit.ledger.group import START, Group, Host

BUNDLES = [Bundle((b"request %d" % number,)) for number in range(FEWEST)]
IDENTITIES = tuple(message_digest(bundle) for bundle in BUNDLES)
BATCH = Batch(START, IDENTITIES)
PRE_PREPARE = PrePrepare(View(0), Sequence(1), BATCH)


def short(batch: Batch = BATCH, identity: Digest | None = None) -> Proposal:
    message = shorten(PrePrepare(View(0), Sequence(1), batch), identity or digest(batch))
    assert isinstance(message, Proposal)
    return message


def tell(host: Host, sender: int, *messages: Message) -> None:
    for message in messages:
        host.handle(Received(ReplicaId(sender), message))


def prepares(host: Host) -> list[Digest]:
    return [message.digest for message in host.sent if isinstance(message, Prepare)]


def test_few_bundles_are_not_shortened() -> None:
    message = PrePrepare(View(0), Sequence(1), Batch(START, IDENTITIES[:-1]))
    assert shorten(message, digest(message.batch)) is message


def test_whoever_holds_the_bundles_prepares_at_once() -> None:
    host = Group(4)[2]
    tell(host, 1, *BUNDLES)
    tell(host, 0, short())
    assert prepares(host) == [digest(BATCH)]


def test_a_proposal_that_overtakes_its_bundles_waits_for_them() -> None:
    host = Group(4)[2]
    tell(host, 1, *BUNDLES[:2])
    tell(host, 0, short())
    tell(host, 1, *BUNDLES[3:])
    assert prepares(host) == []
    tell(host, 3, BUNDLES[2])
    assert prepares(host) == [digest(BATCH)]


def test_the_batch_is_fetched_when_bundles_stay_away() -> None:
    group = Group(4)
    group.drops = lambda *_: True
    host = group[2]
    tell(host, 0, short())
    group.run(group[2].replica._state.config.timeout // 4)
    assert Fetch((digest(BATCH),)) in host.sent
    tell(host, 0, Offer(BATCH))
    group.run(group[2].replica._state.config.timeout // 4)
    fetched = {identity for message in host.sent if isinstance(message, Fetch) for identity in message.digests}
    assert fetched >= set(IDENTITIES)
    tell(host, 0, *BUNDLES)
    assert prepares(host) == [digest(BATCH)]


@pytest.mark.parametrize("identity", [Digest(bytes(32)), digest(Batch(Millis(START + 1), IDENTITIES))])
def test_beginnings_that_make_another_batch_than_said_are_no_proposal(identity: Digest) -> None:
    host = Group(4)[2]
    tell(host, 1, *BUNDLES)
    tell(host, 0, short(identity=identity))
    assert prepares(host) == []
    assert Fetch((identity,)) in host.sent
    tell(host, 0, PRE_PREPARE)
    assert prepares(host) == [digest(BATCH)]


def test_bundles_with_one_beginning_make_no_wrong_batch() -> None:
    """As if the first two began alike."""
    host = Group(4)[2]
    tell(host, 1, *BUNDLES)
    said = short()
    tell(host, 0, Proposal(said.view, said.sequence, said.time, said.digest, (said.bundles[1], *said.bundles[1:])))
    assert prepares(host) == []


@pytest.mark.parametrize("count", [0, 65])
def test_a_proposal_of_too_few_or_many_bundles_is_an_offence(count: int) -> None:
    host = Group(4)[2]
    tell(host, 0, Proposal(View(0), Sequence(1), START, digest(BATCH), (bytes(SHORT_BYTES),) * count))
    assert [peer for peer, _ in host.accused] == [0]


def test_who_is_not_the_primary_proposes_nothing() -> None:
    host = Group(4)[2]
    tell(host, 1, *BUNDLES)
    tell(host, 1, short())
    assert prepares(host) == []
    assert [peer for peer, _ in host.accused] == [1]


def test_a_bundle_that_was_executed_meanwhile_does_no_harm() -> None:
    group = Group(4)
    group.drops = lambda *_: True
    host = group[2]
    tell(host, 1, *BUNDLES[:3])
    tell(host, 0, replace(short(), sequence=Sequence(2)))
    for peer in (1, 3):
        tell(host, peer, Decided(Sequence(1), Batch(START, IDENTITIES[:1])))
    assert host.replica.executed == 1
    tell(host, 1, BUNDLES[3])
    assert prepares(host) == []
    group.run(host.replica._state.config.timeout // 4)
    assert Fetch((digest(BATCH),)) in host.sent
    tell(host, 1, Offer(BATCH))
    assert prepares(host) == [digest(BATCH)]


def test_what_waits_is_bounded() -> None:
    host = Group(4)[2]
    for number in range(1, 100):
        tell(host, 0, Proposal(View(0), Sequence(number), START, digest(BATCH), short().bundles))
    assert len(host.replica._proposals._pending) == 16


def test_a_group_agrees_by_proposals() -> None:
    group = Group(10)
    for me in range(10):
        group[me].submit(b"a%d" % me)
    group.run(10_000)
    assert any(isinstance(message, Proposal) for host in group.hosts for message in host.sent)
    assert all(sorted(log) == sorted(b"a%d" % me for me in range(10)) for log in group.logs())
    assert len({tuple(log) for log in group.logs()}) == 1
