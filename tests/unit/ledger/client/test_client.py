"""The client before honest, silent, lying and broken replicas, over real sockets."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp

from offchain.errors import Rejected, Retryable
from offchain.ledger.client.agreement import Ballot
from offchain.ledger.client.checks import check_all, check_proof
from offchain.ledger.client.client import LedgerClient
from offchain.ledger.client.http import checked_url
from offchain.ledger.membership import checksum
from offchain.ledger.records.bodies import Account, Body, Challenge, Node, Role
from offchain.ledger.records.request import Domain, sign
from offchain.ledger.types import Millis
from tests.unit.ledger.api.local import Group
from tests.unit.ledger.client.liars import Garbage, Liar, Lie, Swallower
from tests.unit.ledger.records.samples import (
    ACCOUNTS,
    CHALLENGE,
    CLIENT,
    DOMAIN,
    KEYS,
    MID,
    PROVIDER,
    REVEAL,
    TRAINING,
    VALIDATION,
    VALIDATOR,
    VERIFIER,
    claim,
    model,
    order,
    validation,
)

Open = Callable[..., LedgerClient]


@pytest.fixture
def connect(group: Group) -> Iterator[Open]:
    """Clients of all four replicas, whose clock is the ledger's."""
    clients: list[LedgerClient] = []

    def connect(who: int = CLIENT, **options: Any) -> LedgerClient:
        given: dict[str, Any] = {"key": KEYS[who], "seconds": 8.0, "rng": random.Random(1), "clock": group.clock}
        clients.append(LedgerClient(group.urls, **(given | options)))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def fill(group: Group, connect: Open) -> None:
    steps: list[tuple[Millis, int, Body]] = [
        (TRAINING, CLIENT, order()),
        (TRAINING, PROVIDER, claim()),
        (REVEAL, PROVIDER, model()),
        (VALIDATION, VALIDATOR, validation()),
    ]
    for now, who, body in steps:
        group.now = now
        (receipt,) = connect(who).submit([body])
        assert receipt.result == "accepted"


def test_a_cycle_is_written_and_read_at_all_replicas(group: Group, connect: Open) -> None:
    fill(group, connect)
    group.now = CHALLENGE
    verifier = connect(VERIFIER)
    (found,) = verifier.validations(1)
    receipts = verifier.submit([Challenge(bytes.fromhex(found.id[2:]), 5), Node(Role.VERIFIER, "", "")])
    assert [(r.result, r.sequence) for r in receipts] == [("accepted", 5), ("accepted", 5)]
    (cycle,) = verifier.cycles(1)
    assert [c.account for c in cycle.validations[0].challenges] == [checksum(ACCOUNTS[VERIFIER])]
    assert [o.oid for o in verifier.orders(phase="challenge")] == [1]
    assert [m.link for m in verifier.models("0x" + MID.hex())] == ["bafy-model"]
    assert [n.role for n in verifier.nodes()] == ["verifier"]
    assert verifier.rewards().proposal is None
    proof = verifier.proven(1, checksum(ACCOUNTS[CLIENT]), found)
    assert proof.sequence == 5
    assert [item.state.sequence for item in verifier.survey() if item.state] == [5] * 4
    assert verifier.domain == DOMAIN
    with pytest.raises(Rejected, match="order 9"):
        verifier.cycles(9)


def test_long_lists_come_in_pages(connect: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect()
    client.submit([order(oid) for oid in range(1, 8)])
    monkeypatch.setattr("offchain.ledger.api.schema.MAX_PAGE", 3)
    assert [found.oid for found in client.orders()] == list(range(1, 8))
    assert len(client.orders(limit=5)) == 5


def test_one_replica_may_be_down(group: Group, connect: Open) -> None:
    group.stop(2)
    fill(group, connect)
    client = connect()
    assert len(client.validations(1)) == 1
    assert [item.error is None for item in client.survey()] == [True, True, False, True]


def test_with_too_few_replicas_there_is_a_line(group: Group, connect: Open) -> None:
    client = connect(seconds=1.0)
    client.submit([order()])
    for me in (0, 1, 3):
        group.stop(me)
    with pytest.raises(Retryable, match="needed 2 that say the same") as raised:
        client.orders()
    assert "\n" not in str(raised.value)
    with pytest.raises(Retryable):
        client.submit([order(2)])


def change(name: str, value: object) -> Lie:
    """Everywhere in an answer."""

    def lie(path: str, told: Any) -> Any:
        if isinstance(told, list):
            return [lie(path, item) for item in told]
        if isinstance(told, dict):
            return {key: value if key == name else lie(path, item) for key, item in told.items()}
        return told

    return lie


LIES: dict[str, Lie] = {
    "hides": lambda _, told: {key: [] if isinstance(item, list) else item for key, item in told.items()},
    "another score": change("score", 99),
    "another result": change("result", "taken"),
    "another root": change("root", "0x" + "11" * 32),
    "nothing known": lambda _, told: {"error": "order 1: the ledger knows no such order"},
    "no such thing": lambda _, told: {"colour": "red"},
    "not the type": change("oid", "one"),
}


@pytest.mark.parametrize("name", LIES)
def test_one_replica_may_lie(group: Group, connect: Open, name: str) -> None:
    group.put_in(1, lambda app: Liar(app, LIES[name]))
    fill(group, connect)
    client = connect()
    (found,) = client.validations(1)
    assert (found.score, len(client.orders())) == (90, 1)
    assert client.proven(1, checksum(ACCOUNTS[CLIENT]), found).sequence == 4


def test_not_even_f_plus_1_make_up_a_record(group: Group, connect: Open) -> None:
    fill(group, connect)
    for me in range(4):
        group.put_in(me, lambda app: Liar(app, LIES["another score"]))
    with pytest.raises(Rejected, match="its score is not what"):
        connect().validations(1)


GARBAGE: dict[str, ASGIApp] = {
    "endless": Garbage(b" " * 65_536, 10_000),
    "no JSON": Garbage(b"<html>"),
    "deep": Garbage(b"[" * 100_000),
    "another object": Garbage(b'{"orders": 1}'),
    "redirect": Garbage(b"{}", status=307),
    "binary error": Garbage(b"\xff\xfe", status=500),
    "nothing": Garbage(b""),
    "escapes": Garbage(b'{"error": "\\u001b[2J"}', status=400),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_one_replica_may_be_broken(group: Group, connect: Open, name: str) -> None:
    group.put_in(3, lambda _: GARBAGE[name])
    client = connect()
    (receipt,) = client.submit([order()])
    assert receipt.result == "accepted"
    assert [found.oid for found in client.orders()] == [1]
    assert client.survey()[3].error is not None
    assert "\x1b" not in str(client.survey()[3].error)


def test_an_answer_that_is_lost_makes_nothing_twice(group: Group, connect: Open) -> None:
    for me in (0, 1, 2):
        group.put_in(me, Swallower)
    client = connect(faulty=0)
    (receipt,) = client.submit([order()])
    assert receipt.result == "accepted"
    windows = group.replicas[0].app.state.nonces.windows
    assert [len(window.nonces) for window in windows.values()] == [1]
    assert group.replicas[0].sequence >= 1


def test_a_replica_that_is_full_is_asked_later_or_not(group: Group, connect: Open) -> None:
    group.full = True
    with pytest.raises(Retryable, match="wait to be ordered"):
        connect(seconds=0.5).submit([order()])
    group.full = False
    (receipt,) = connect().submit([order()])
    assert receipt.stands


def test_what_all_refuse_is_refused(connect: Open) -> None:
    client = connect(domain=Domain(1, Account(bytes(20))))
    with pytest.raises(Rejected, match="chain id and committee"):
        client.submit([order()])


def test_what_the_ledger_refuses_is_a_receipt(connect: Open) -> None:
    (receipt,) = connect().submit([claim()])
    assert (receipt.result, receipt.stands) == ("no-order", False)
    assert "client must send it first" in str(receipt.text)


def test_the_same_request_can_be_submitted_again(connect: Open) -> None:
    client = connect()
    requests = client.signed([order()])
    assert client.submit_signed(requests) == client.submit_signed(requests)


def test_a_proof_of_something_else_is_none(group: Group, connect: Open) -> None:
    fill(group, connect)
    client = connect()
    (cycle,) = client.cycles(1)
    proof = client.proven(1, checksum(ACCOUNTS[CLIENT]), cycle.validations[0])
    check_proof(proof, cycle.validations[0])
    wrong = [
        (proof, cycle.claims[0]),
        (proof, cycle.validations[0].model_copy(update={"time": 1})),
        (proof.model_copy(update={"order": None, "order_path": None}), cycle.validations[0]),
        (proof.model_copy(update={"order_path": None}), cycle.validations[0]),
        (proof.model_copy(update={"root": "0x" + "11" * 32}), cycle.validations[0]),
    ]
    for other, record in wrong:
        with pytest.raises(Rejected, match="proof"):
            check_proof(other, record)
    with pytest.raises(Rejected, match="signature"):
        check_all(Domain(2, DOMAIN.committee), [cycle.order])


def test_without_a_key_nothing_is_signed(connect: Open) -> None:
    with pytest.raises(Rejected, match="no key"):
        connect(key=None).submit([order()])


def test_a_clock_that_stands_still_gives_new_nonces(connect: Open) -> None:
    client = connect(clock=lambda: 5_000_000)
    assert [request.nonce for request in client.signed([order(), order(2)])] == [5_000, 5_001]
    assert client.signed([order()]) == [sign(DOMAIN, KEYS[CLIENT], 5_002, order())]


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://u:p@x", "http://x/?q", "http://x:99999", "\x00"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Rejected, match="URL"):
        checked_url(url)


def test_too_few_urls_are_refused() -> None:
    with pytest.raises(Rejected, match="2 must say the same"):
        LedgerClient(["http://127.0.0.1:1"], faulty=1)


def test_a_ballot_counts_equal_values() -> None:
    ballot: Ballot[str] = Ballot(2)
    assert [ballot.add(str(who), value) for who, value in enumerate("abcb")] == [None, None, None, "b"]
    assert ballot.largest == 2
    assert "4 of 7 replicas answered, 3 different things" in str(ballot.lament(7))
