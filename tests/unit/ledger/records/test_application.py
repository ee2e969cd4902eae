"""Laws of the replicated application: exactly once, independent of order, canonical snapshots, bounded."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.ledger.records.application import PLACES, Outcome, accepted_proposals
from offchain.ledger.records.bodies import Account, Body, Challenge, Claim, Kind, Node, RewardProposal, Role
from offchain.ledger.records.merkle import proven_root
from offchain.ledger.records.nonces import WINDOW
from offchain.ledger.records.phases import Phase, phase_at
from offchain.ledger.records.request import Request
from offchain.ledger.records.results import Result
from offchain.ledger.records.state import ORDERS, OVERHEAD, Limits
from offchain.ledger.types import Millis
from tests.unit.ledger.records.samples import (
    ACCOUNTS,
    CHALLENGE,
    CLIENT,
    MID,
    OVER,
    PROVIDER,
    REVEAL,
    START,
    TRAINING,
    VALIDATION,
    VALIDATOR,
    VERIFIER,
    Ledger,
    application,
    claim,
    model,
    order,
    validation,
)


def test_an_order_runs_its_course() -> None:
    ledger = Ledger().filled()
    (entry,) = ledger.app.state.orders.values()
    assert {key[0] for key in entry.records} == {1, 2, 3, 4, 5}
    assert [record.account for record in entry.of(Kind.VALIDATION)] == [ACCOUNTS[VALIDATOR]]
    assert set(ledger.app.state.nodes) == {(ACCOUNTS[PROVIDER], Role.PROVIDER)}
    assert ledger.app.state.proposal is not None


@pytest.mark.parametrize(
    ("time", "who", "body", "result"),
    [
        (TRAINING, CLIENT, claim(oid=2), Result.NO_ORDER),
        (TRAINING, PROVIDER, replace(claim(), client=ACCOUNTS[VERIFIER]), Result.NO_ORDER),
        (REVEAL, PROVIDER, claim(), Result.LATE),
        (TRAINING, PROVIDER, model(), Result.EARLY),
        (REVEAL, VALIDATOR, model(), Result.NO_CLAIM),
        (VALIDATION, PROVIDER, model(), Result.LATE),
        (REVEAL, VALIDATOR, validation(), Result.EARLY),
        (VALIDATION, VALIDATOR, validation(mid=bytes(32)), Result.NO_MODEL),
        (CHALLENGE, VALIDATOR, validation(), Result.LATE),
        (CHALLENGE, VERIFIER, Challenge(bytes(32), 1), Result.NO_VALIDATION),
        (OVER, CLIENT, replace(order(2), t1=START + 5_000), Result.BAD_WINDOWS),
        (OVER, CLIENT, replace(order(2), t4=START + 500 * 86_400), Result.BAD_WINDOWS),
        (TRAINING, VALIDATOR, RewardProposal(bytes(120)), Result.NOT_A_MEMBER),
    ],
)
def test_what_a_rule_is_against_changes_no_record(time: Millis, who: int, body: Body, result: Result) -> None:
    ledger = Ledger()
    ledger.say(TRAINING, CLIENT, order())
    ledger.say(TRAINING, PROVIDER, claim())
    (entry,) = ledger.app.state.orders.values()
    before = dict(entry.records)
    if time == VALIDATION and isinstance(body, type(validation())):
        ledger.say(REVEAL, PROVIDER, model())
        before = dict(entry.records)
    assert ledger.say(time, who, body) is result
    assert entry.records == before
    assert len(ledger.app.state.orders) == 1
    assert ledger.app.state.proposal is None


def test_what_is_said_twice_is_known_and_what_is_said_otherwise_refused() -> None:
    ledger = Ledger().filled()
    assert ledger.say(CHALLENGE, CLIENT, order()) is Result.DUPLICATE
    assert ledger.say(CHALLENGE, CLIENT, order(link="other")) is Result.TAKEN
    assert ledger.say(CHALLENGE, VERIFIER, Challenge(ledger.vid, 5)) is Result.DUPLICATE
    assert ledger.say(CHALLENGE, VERIFIER, Challenge(ledger.vid, 6)) is Result.TAKEN
    assert ledger.say(CHALLENGE, PROVIDER, model(link="moved")) is Result.ACCEPTED
    assert ledger.say(CHALLENGE, PROVIDER, model(mid=bytes(32))) is Result.TAKEN


def test_another_client_has_an_order_of_its_own() -> None:
    ledger = Ledger()
    assert ledger.say(TRAINING, VERIFIER, order()) is Result.ACCEPTED
    assert ledger.say(TRAINING, CLIENT, order()) is Result.ACCEPTED
    assert len(ledger.app.state.orders) == 2


@pytest.mark.parametrize(
    ("time", "phase"),
    [
        (TRAINING, Phase.TRAINING),
        (REVEAL, Phase.REVEAL),
        (VALIDATION, Phase.VALIDATION),
        (CHALLENGE, Phase.CHALLENGE),
        (OVER, Phase.OVER),
        (Millis((START + 1_000) * 1_000), Phase.REVEAL),
        (Millis((START + 1_000) * 1_000 - 1), Phase.TRAINING),
    ],
)
def test_the_phase_follows_from_the_time(time: Millis, phase: Phase) -> None:
    assert phase_at(order(), time) is phase


@given(st.lists(st.integers(0, 9), max_size=25), st.integers(0, 2**32))
@settings(max_examples=40)
def test_a_request_is_executed_once_however_it_arrives(picks: list[int], seed: int) -> None:
    ledger = Ledger()
    pool = [ledger.request(who, Node(Role.PROVIDER, str(who), f"{number}")) for number in range(5) for who in (1, 2)]
    first: dict[int, bytes] = {}
    for pick in picks:
        (result,) = ledger.app.execute(Millis(seed), [pool[pick]])
        outcome = Outcome.decode(result)
        assert outcome.is_repeated == (pick in first)
        assert first.setdefault(pick, result[:1]) == result[:1]
    assert sum(len(window.nonces) for window in ledger.app.state.nonces.windows.values()) == len(first)


@given(st.permutations(range(10)), st.lists(st.integers(1, 4), min_size=10, max_size=10))
@settings(max_examples=40)
def test_independent_requests_can_be_ordered_anyhow(shuffled: list[int], batches: list[int]) -> None:
    """Replaceable records of one account count as independent too: the highest nonce stands."""
    ledger = Ledger()
    ledger.say(TRAINING, CLIENT, order())
    requests = [
        *(ledger.request(who, claim(commitment=bytes([who]) * 32)) for who in (1, 2, 3)),
        *(ledger.request(1, claim(commitment=bytes([9, number]) * 16)) for number in range(3)),
        *(ledger.request(4, Node(Role.VERIFIER, "", f"{number}")) for number in range(2)),
        *(ledger.request(CLIENT, order(oid)) for oid in (5, 6)),
    ]
    snapshot = ledger.app.snapshot()
    straight, other = application(), application()
    straight.restore(snapshot)
    other.restore(snapshot)
    straight.execute(TRAINING, requests)
    rest = [requests[at] for at in shuffled]
    for size in batches:
        other.execute(TRAINING, rest[:size])
        rest = rest[size:]
    other.execute(TRAINING, rest)
    assert contents(straight.snapshot()) == contents(other.snapshot())


def contents(snapshot: bytes) -> list[tuple[bytes, bytes]]:
    """The records of a snapshot; what became of a nonce that was overtaken (superseded or not) may differ."""
    app = application()
    app.restore(snapshot)
    records = [record for entry in app.state.orders.values() for record in entry.records.values()]
    return sorted((record.key, record.raw) for record in [*records, *app.state.nodes.values()])


@given(st.integers(0, 6), st.data())
@settings(max_examples=40)
def test_a_snapshot_brings_back_the_same_state_and_future(until: int, data: st.DataObject) -> None:
    ledger, twin = Ledger().filled(), application()
    twin.restore(ledger.app.snapshot())
    assert twin.digest() == ledger.app.digest()
    assert twin.snapshot() == ledger.app.snapshot()
    bodies: list[Body] = [
        order(2),
        claim(),
        model(link="x"),
        validation(score=1),
        Challenge(ledger.vid, 9),
        Node(Role.CLIENT, "", ""),
    ]
    for body in bodies[:until]:
        time = Millis(START * 1_000 + data.draw(st.integers(0, 6_000_000)))
        request = ledger.request(data.draw(st.integers(0, 7)), body)
        assert ledger.app.execute(time, [request]) == twin.execute(time, [request])
        assert twin.digest() == ledger.app.digest()
    assert twin.snapshot() == ledger.app.snapshot()


def test_what_is_no_snapshot_leaves_the_state_alone() -> None:
    ledger = Ledger().filled()
    snapshot, digest = ledger.app.snapshot(), ledger.app.digest()
    for end in range(0, len(snapshot), 7):
        with pytest.raises(Rejected):
            ledger.app.restore(snapshot[:end])
    with pytest.raises(Rejected):
        ledger.app.restore(snapshot + snapshot[-200:])
    assert ledger.app.digest() == digest


@given(st.data())
@settings(max_examples=60)
def test_a_changed_snapshot_is_refused_or_another_state(data: st.DataObject) -> None:
    app = Ledger().filled().app
    changed, digest = bytearray(app.snapshot()), app.digest()
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        app.restore(bytes(changed))
    except Rejected:
        assert app.digest() == digest
        return
    assert app.digest() != digest


def test_every_request_changes_the_digest() -> None:
    ledger, seen = Ledger(), set()
    steps: list[tuple[Millis, int, Body]] = [
        (TRAINING, CLIENT, order()),
        (TRAINING, PROVIDER, claim()),
        (TRAINING, PROVIDER, claim(commitment=MID)),
        (REVEAL, PROVIDER, model()),
        (REVEAL, PROVIDER, claim()),
        (VALIDATION, VALIDATOR, validation()),
        (VALIDATION, VERIFIER, Node(Role.VERIFIER, "", "")),
        (VALIDATION, VERIFIER, Node(Role.VERIFIER, "", "")),
        (VALIDATION, 6, RewardProposal(bytes(120))),
    ]
    for step in steps:
        ledger.say(*step)
        seen.add(ledger.app.digest())
    assert len(seen) == len(steps)


def test_every_record_can_be_proven() -> None:
    state = Ledger().filled().app.state
    (entry,) = state.orders.values()
    for key, record in entry.records.items():
        inner, outer = state.prove(entry, key)
        root = proven_root(key, record.value, inner)
        assert root is not None
        assert proven_root(ORDERS + entry.key, root, outer) == state.root


def requester(raw: bytes) -> Account:
    return Request.decode(raw).account


def test_of_a_batch_one_proposal_of_each_member_counts() -> None:
    """Or a member, such as the primary, could keep out all others' by having its own first in every batch."""
    ledger = Ledger()
    first, second, third = (RewardProposal(bytes([number]) * 120) for number in (1, 2, 3))
    requests = [ledger.request(who, body) for who, body in ((0, first), (6, first), (6, second), (7, third))]
    results = ledger.app.execute(TRAINING, requests)
    codes = [Outcome.decode(result).result for result in results]
    assert codes == [Result.NOT_A_MEMBER, Result.ACCEPTED, Result.SECOND_PROPOSAL, Result.ACCEPTED]
    expected = [(5 * PLACES, requester(requests[1]), first), (5 * PLACES + 1, requester(requests[3]), third)]
    assert accepted_proposals(5, requests, results) == expected
    again = [requests[1], ledger.request(7, second)]
    results = ledger.app.execute(TRAINING, again)
    expected = [(6 * PLACES, requester(again[1]), second)]
    assert accepted_proposals(6, again, results) == expected, "a repeated one counts no more"


def test_a_nonce_is_for_one_content_and_one_time() -> None:
    ledger = Ledger()
    assert ledger.say(TRAINING, 1, Node(Role.CLIENT, "", "a"), 7) is Result.ACCEPTED
    assert ledger.say(TRAINING, 1, Node(Role.CLIENT, "", "b"), 7) is Result.NONCE_USED
    ahead = (TRAINING + 300_000) * 1_000
    assert ledger.say(TRAINING, 1, Node(Role.CLIENT, "", "b"), ahead + 1) is Result.AHEAD
    assert ledger.say(TRAINING, 1, Node(Role.CLIENT, "", "b"), ahead) is Result.ACCEPTED


def test_messages_overtake_each_other_within_the_window() -> None:
    ledger = Ledger()
    requests = [ledger.request(1, Node(Role.CLIENT, "", ""), nonce) for nonce in range(1, WINDOW + 3)]
    ledger.run(TRAINING, *requests[1:][::-1])
    assert ledger.run(TRAINING, requests[0], requests[1], requests[2]) == [
        Result.STALE,
        Result.STALE,
        Result.SUPERSEDED,
    ]


def test_a_forgotten_account_executes_nothing_twice() -> None:
    ledger = Ledger(Limits(accounts=4))
    requests = [ledger.request(who, Node(Role.CLIENT, "", ""), 100 + who) for who in range(8)]
    for request in requests:
        ledger.run(TRAINING, request)
    assert len(ledger.app.state.nonces.windows) <= 4
    snapshot = ledger.app.snapshot()
    for request in requests:
        (result,) = ledger.app.execute(TRAINING, [request])
        assert Outcome.decode(result).is_repeated
    assert ledger.app.snapshot() == snapshot
    assert ledger.say(TRAINING, 0, Node(Role.CLIENT, "", ""), 200) is Result.ACCEPTED


def test_one_account_cannot_fill_the_ledger() -> None:
    ledger = Ledger(Limits(account_bytes=2_000, order_bytes=2_000, ledger_bytes=10_000))
    results = [ledger.say(TRAINING, CLIENT, order(oid)) for oid in range(1, 12)]
    assert Result.FULL in results
    assert ledger.say(TRAINING, VERIFIER, Node(Role.VERIFIER, "", "")) is Result.ACCEPTED
    claims = [ledger.say(TRAINING, who, claim()) for who in range(1, 8)]
    assert Result.FULL in claims, "an order is bounded too"
    (cost, records) = (
        ledger.app.state.cost,
        [
            *(record for entry in ledger.app.state.orders.values() for record in entry.records.values()),
            *ledger.app.state.nodes.values(),
        ],
    )
    assert cost == sum(len(record.raw) + OVERHEAD for record in records)


def test_what_is_over_is_forgotten_and_its_room_free() -> None:
    ledger = Ledger(Limits(retention=100, node_retention=10_000)).filled()
    ledger.say(Millis((START + 4_000 + 99) * 1_000), VERIFIER, Node(Role.VERIFIER, "", ""))
    assert ledger.app.state.orders
    ledger.app.execute(Millis((START + 4_000 + 100) * 1_000), [])
    assert not ledger.app.state.orders
    assert ledger.say(OVER, VERIFIER, Challenge(bytes(32), 1)) is Result.NO_VALIDATION
    assert ledger.say(OVER, PROVIDER, Claim(1, ACCOUNTS[CLIENT], MID)) is Result.NO_ORDER
    ledger.app.execute(Millis((START + 30_000) * 1_000), [])
    assert not ledger.app.state.nodes
    assert ledger.app.state.proposal is not None
    assert ledger.app.state.cost == ledger.app.state.proposal.cost
    twin = application(Limits(retention=100, node_retention=10_000))
    twin.restore(ledger.app.snapshot())
    assert twin.digest() == ledger.app.digest()


def test_time_never_goes_back() -> None:
    ledger = Ledger().filled()
    assert ledger.say(TRAINING, PROVIDER, claim()) is Result.LATE
    assert ledger.app.state.time == CHALLENGE
