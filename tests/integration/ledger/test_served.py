"""Participants, through HTTP, before four real replicas."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coincurve import PrivateKey

from offchain.errors import Rejected
from offchain.ledger.client.client import LedgerClient
from offchain.ledger.membership import checksum, parse_address
from offchain.ledger.records.bodies import Challenge, Claim, Model, Node, Order, Role, Validation
from offchain.ledger.records.request import address_of
from tests.integration.ledger.served import Served

MID = bytes([7]) * 32
CLIENT, PROVIDER, VALIDATOR, VERIFIER = (PrivateKey.from_int(number) for number in range(11, 15))
OWNER = address_of(CLIENT.public_key)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    group = Served(tmp_path)
    yield group
    group.close()


def clients(served: Served, *keys: PrivateKey) -> list[LedgerClient]:
    return [LedgerClient(served.urls, key=key) for key in keys]


def test_a_whole_cycle_survives_a_primary_and_a_restart(served: Served) -> None:
    """Windows are a minute tolerant at both ends, so one order can take a claim, a model and a score at once."""
    client, provider, validator, verifier = clients(served, CLIENT, PROVIDER, VALIDATOR, VERIFIER)
    now = int(time.time())
    order = Order(1, 10**18, "accuracy", now - 30, now, now, now, now + 600, "bafy-data")
    (first,) = client.submit([order])
    assert first.result == "accepted"
    assert provider.submit([Claim(1, OWNER, bytes(32)), Model(1, OWNER, MID, "bafy-model")])[1].stands
    served.stop(0)  # the primary of view 0
    (scored,) = validator.submit([Validation(1, OWNER, MID, 90, 10**18)])
    assert scored.result == "accepted"
    (found,) = verifier.validations(1)
    assert (found.id, found.score) == (scored.digest, 90)
    verifier.submit([Challenge(bytes.fromhex(found.id[2:]), 5), Node(Role.VERIFIER, "2 cores", "")])
    served.start(0)
    served.stop(1)
    (cycle,) = verifier.cycles(1)
    assert len(cycle.validations[0].challenges) == 1
    proof = verifier.proven(1, checksum(OWNER), found)
    assert proof.sequence >= 4
    until = time.monotonic() + 60
    while len({app.digest() for app in (served.apps[0], served.apps[2], served.apps[3])}) > 1:
        assert time.monotonic() < until, "replica 0 catches up"
        time.sleep(0.05)
    for one in (client, provider, validator, verifier):
        one.close()


def test_what_was_sent_to_several_replicas_is_executed_once(served: Served) -> None:
    singles = [LedgerClient([url], key=VERIFIER) for url in served.urls]
    requests = singles[0].signed([Node(Role.VERIFIER, "", str(number)) for number in range(50)])
    receipts = [single.submit_signed(requests) for single in singles]
    assert {tuple((r.digest, r.result) for r in some) for some in receipts} == {
        tuple((r.digest, "accepted") for r in receipts[0])
    }
    (window,) = served.apps[0].state.nonces.windows.values()
    assert len(window.nonces) == 50
    about = singles[0].about()
    assert parse_address(about.committee) == served.membership.committee
    with pytest.raises(Rejected, match="nobody has told the ledger"):
        singles[0].cycles(1)
    for single in singles:
        single.close()
