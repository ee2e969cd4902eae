"""The API over a real socket: what goes in comes out, and what is wrong is one line that changes nothing."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from offchain.ledger.api.admission import ChainAdmission, ChainReader
from offchain.ledger.api.app import create_app
from offchain.ledger.api.buckets import Rate
from offchain.ledger.api.guard import ApiLimits
from offchain.ledger.api.schema import MAX_MESSAGES
from offchain.ledger.membership import checksum
from offchain.ledger.records.bodies import Account, Body, Challenge, Node, RewardProposal, Role
from offchain.ledger.records.merkle import Proof, proven_root
from offchain.ledger.records.request import Domain, parse_request, sign
from tests.unit.ledger.api.local import MEMBERSHIP, Group
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
    application,
    claim,
    model,
    order,
    validation,
)

NODE = Node(Role.VERIFIER, "2 cores", "http://localhost:1")


def message(who: int, nonce: int, body: Body, domain: Domain = DOMAIN) -> str:
    return "0x" + sign(domain, KEYS[who], nonce, body).encode().hex()


def say(group: Group, http: httpx.Client, time: int, who: int, body: Body) -> dict[str, object]:
    group.now = time  # type: ignore[assignment]
    answer = http.post("/messages", json={"messages": [message(who, group.replicas[0].sequence, body)]})
    assert answer.status_code == 200, answer.text
    (receipt,) = answer.json()["receipts"]
    return dict(receipt)


def fill(group: Group, http: httpx.Client) -> str:
    """A record of every kind; returns the validation's VID."""
    receipts = [
        say(group, http, TRAINING, CLIENT, order()),
        say(group, http, TRAINING, PROVIDER, claim()),
        say(group, http, REVEAL, PROVIDER, model()),
        say(group, http, VALIDATION, VALIDATOR, validation()),
    ]
    vid = str(receipts[-1]["digest"])
    receipts += [
        say(group, http, CHALLENGE, VERIFIER, Challenge(bytes.fromhex(vid[2:]), 5)),
        say(group, http, CHALLENGE, VERIFIER, NODE),
        say(group, http, CHALLENGE, 6, RewardProposal(bytes(range(120)))),
    ]
    assert {receipt["result"] for receipt in receipts} == {"accepted"}
    return vid


def test_what_was_sent_can_be_read(group: Group, http: httpx.Client) -> None:
    vid = fill(group, http)
    (row,) = http.get("/orders").json()["orders"]
    assert (row["oid"], row["phase"], row["client" if "client" in row else "account"]) == (
        1,
        "challenge",
        checksum(ACCOUNTS[CLIENT]),
    )
    (cycle,) = http.get("/orders/1").json()["cycles"]
    assert [len(cycle[name]) for name in ("claims", "models", "validations")] == [1, 1, 1]
    (found,) = http.get("/orders/1/validations").json()["validations"]
    assert (found["id"], found["score"], found["vStake"]) == (vid, 90, str(10**18))
    assert [item["cStake"] for item in found["challenges"]] == ["5"]
    (got,) = http.get(f"/models/0x{MID.hex()}").json()["models"]
    assert (got["link"], got["account"]) == ("bafy-model", checksum(ACCOUNTS[PROVIDER]))
    (node,) = http.get("/nodes", params={"role": "verifier"}).json()["nodes"]
    assert node["endpoint"] == NODE.endpoint
    proposal = http.get("/rewards").json()["proposal"]
    assert proposal["cycle"] == int.from_bytes(bytes(range(8)), "big")
    signed = parse_request(DOMAIN, bytes.fromhex(found["request"][2:]))
    assert signed.body == validation()
    assert "0x" + signed.digest.hex() == vid


def test_pages_go_through_all_orders_by_what_they_pay(group: Group, http: httpx.Client) -> None:
    messages = [message(CLIENT, oid, replace(order(oid), reward=oid % 3)) for oid in range(1, 8)]
    assert http.post("/messages", json={"messages": messages}).status_code == 200
    seen: list[dict[str, object]] = []
    after: dict[str, str] = {}
    while True:
        page = http.get("/orders", params={"limit": "2", **after}).json()
        seen += page["orders"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert [row["oid"] for row in seen] == [2, 5, 1, 4, 7, 3, 6]
    assert http.get("/orders", params={"phase": "over"}).json()["orders"] == []
    assert http.get("/orders", params={"client": checksum(ACCOUNTS[VERIFIER])}).json()["orders"] == []


def test_nodes_come_in_pages(group: Group, http: httpx.Client) -> None:
    messages = [message(who, 1, replace(NODE, role=Role(who % 5))) for who in range(5)]
    http.post("/messages", json={"messages": messages})
    first = http.get("/nodes", params={"limit": 3}).json()
    rest = http.get("/nodes", params={"limit": 3, "after": first["next"]}).json()
    accounts = [node["account"].lower() for node in first["nodes"] + rest["nodes"]]
    assert accounts == sorted(accounts)
    assert (len(accounts), rest["next"]) == (5, None)


def test_records_are_proven_against_the_root(group: Group, http: httpx.Client) -> None:
    vid = fill(group, http)
    client = checksum(ACCOUNTS[CLIENT])
    proof = http.get(f"/proofs/orders/1/{client}", params={"record": vid}).json()
    state = http.get("/state").json()
    inner = proven_root(_bytes(proof["key"]), _bytes(proof["value"]), _proof(proof["path"]))
    assert inner is not None
    root = proven_root(b"\4" + _bytes(proof["order"]), inner, _proof(proof["orderPath"]))
    assert root == _bytes(proof["root"]) == _bytes(state["root"]) == group.replicas[1].app.digest()
    assert proof["sequence"] == state["sequence"] == 7
    node = http.get(f"/proofs/nodes/{checksum(ACCOUNTS[VERIFIER])}/verifier").json()
    assert proven_root(_bytes(node["key"]), _bytes(node["value"]), _proof(node["path"])) == root


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _proof(path: dict[str, object]) -> Proof:
    siblings = tuple(map(_bytes, path["siblings"]))  # type: ignore[call-overload]
    return Proof(path["index"], path["count"], siblings)  # type: ignore[arg-type]


def test_a_receipt_can_be_had_later(group: Group, http: httpx.Client) -> None:
    receipt = say(group, http, TRAINING, CLIENT, order())
    assert http.get(f"/receipts/{receipt['digest']}").json() == receipt
    missing = http.get(f"/receipts/0x{'00' * 32}")
    assert (missing.status_code, missing.json()["status"]) == (202, "pending")


def test_a_message_that_is_sent_again_is_executed_once(group: Group, http: httpx.Client) -> None:
    body = {"messages": [message(CLIENT, 5, order())]}
    first = http.post("/messages", json=body).json()["receipts"][0]
    snapshot = group.replicas[0].app.snapshot()
    again = http.post("/messages", json=body).json()["receipts"][0]
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["result"] == again["result"] == "accepted"
    assert group.replicas[0].app.snapshot() == snapshot


def test_a_replica_that_was_started_since_knows_what_was_executed(group: Group, http: httpx.Client) -> None:
    body = {"messages": [message(CLIENT, 5, order()), message(CLIENT, 6, claim(oid=9))]}
    http.post("/messages", json=body)
    replica = group.replicas[0]
    group.put_in(0, lambda _: create_app(replica, replica.app, MEMBERSHIP))
    again = httpx.post(f"{group.urls[0]}/messages", json=body, trust_env=False).json()["receipts"]
    assert [(r["result"], r["repeated"], r["sequence"]) for r in again] == [
        ("accepted", True, None),
        ("no-order", True, None),
    ]
    assert replica.sequence == 1, "nothing was ordered again"


def test_who_does_not_wait_asks_later(group: Group, http: httpx.Client) -> None:
    group.halted = True
    body = {"messages": [message(CLIENT, 5, order())]}
    for wait in (0, 0.05):
        answer = http.post("/messages", params={"wait": wait}, json=body)
        assert answer.status_code == 202
    (receipt,) = answer.json()["receipts"]
    assert receipt["status"] == "pending"
    group.halted = False
    later = http.get(f"/receipts/{receipt['digest']}", params={"wait": 10})
    assert (later.status_code, later.json()["result"]) == (200, "accepted")


def test_when_the_queue_is_full_clients_come_back_later(group: Group, http: httpx.Client) -> None:
    group.full = True
    for wait in (0, 5):
        answer = http.post("/messages", params={"wait": wait}, json={"messages": [message(CLIENT, 5, order())]})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert "try again" in answer.json()["error"]


@pytest.fixture(scope="module")
def quiet() -> Iterator[tuple[Group, httpx.Client]]:
    """Shared by tests that change nothing."""
    with served() as made:
        yield made


@contextmanager
def served(**parts: object) -> Iterator[tuple[Group, httpx.Client]]:
    group = Group(**parts)  # type: ignore[arg-type]
    try:
        with httpx.Client(base_url=group.urls[0], timeout=60, trust_env=False) as http:
            yield group, http
    finally:
        group.close()


GOOD = message(CLIENT, 1, order())
BAD_POSTS: dict[str, tuple[object, int, str]] = {
    "no JSON": (b"{", 422, "JSON"),
    "no messages": ({"messages": []}, 422, "messages"),
    "another field": ({"messages": [GOOD], "more": 1}, 422, "more"),
    "no list": ({"messages": GOOD}, 422, "messages"),
    "no hex": ({"messages": [GOOD, "0xzz"]}, 422, "messages.1"),
    "odd hex": ({"messages": ["0x123"]}, 422, "messages.0"),
    "too many": ({"messages": [GOOD] * (MAX_MESSAGES + 1)}, 422, "messages"),
    "too long": ({"messages": ["0x" + "00" * 5_000]}, 422, "messages.0"),
    "larger than a request": ({"messages": ["0x" + "00" * 3_000]}, 400, "messages[0]"),
    "too short": ({"messages": ["0x"]}, 400, "messages[0]"),
    "no body": ({"messages": ["0x" + "00" * 94]}, 400, "messages[0]"),
    "bad signature": ({"messages": [GOOD, GOOD[:-2] + "00"]}, 400, "messages[1]"),
    "another chain": (
        {"messages": [message(0, 1, order(), Domain(1, DOMAIN.committee))]},
        400,
        "chain id and committee",
    ),
}


@pytest.mark.parametrize("bad", BAD_POSTS)
def test_what_is_wrong_is_one_line_and_changes_nothing(quiet: tuple[Group, httpx.Client], bad: str) -> None:
    group, http = quiet
    body, status, words = BAD_POSTS[bad]
    before = group.replicas[0].app.digest()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = http.post("/messages", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert group.replicas[0].app.digest() == before
    assert group.replicas[0].sequence == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orders/1", 404),
        ("/orders/1/validations", 404),
        (f"/models/0x{'00' * 32}", 404),
        ("/models/0x00", 422),
        ("/orders/-1", 422),
        ("/orders?phase=never", 422),
        ("/orders?limit=100000", 422),
        ("/orders?after=0x00", 400),
        ("/orders?after=0x000", 400),
        ("/orders?client=0x70997970c51812dc3A010C7d01b50e0d17dc79C8", 400),
        (f"/proofs/orders/1/{checksum(ACCOUNTS[0])}?record=0x{'00' * 32}", 404),
        (f"/proofs/nodes/{checksum(ACCOUNTS[0])}/client", 404),
        ("/receipts/0x12", 422),
        (f"/receipts/0x{'00' * 32}?wait=1000", 422),
        ("/nothing", 404),
        ("/docs", 404),
    ],
)
def test_what_is_not_there_is_one_line(quiet: tuple[Group, httpx.Client], path: str, status: int) -> None:
    _, http = quiet
    answer = http.get(path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.json()["error"]


def test_a_wrong_method_is_one_line(http: httpx.Client) -> None:
    answer = http.put("/messages")
    assert (answer.status_code, list(answer.json())) == (405, ["error"])


def test_sizes_and_rates_are_bounded() -> None:
    limits = ApiLimits(body_bytes=1_500, unchecked=Rate(1, 8), accounts=Rate(1, 3), addresses=Rate(1, 12))
    with served(limits=limits) as (group, http):
        answer = http.post("/messages", json={"messages": [GOOD] * 5})
        assert (answer.status_code, "1500 bytes" in answer.json()["error"]) == (413, True)

        def stream() -> Iterator[bytes]:
            yield b'{"messages": ["0x'
            for _ in range(100):
                yield b"00" * 100

        assert http.post("/messages", content=stream()).status_code == 413, "whatever the header says"
        nodes = [message(VERIFIER, nonce, replace(NODE, endpoint="", resources="")) for nonce in range(9)]
        assert http.post("/messages", json={"messages": nodes[:3]}).status_code == 200
        answer = http.post("/messages", json={"messages": nodes[3:6]})
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
        answer = http.post("/messages", json={"messages": nodes[6:9]})
        assert (answer.status_code, "address" in answer.json()["error"]) == (429, True)
        assert group.replicas[0].sequence == 1
        codes = [http.get("/state").status_code for _ in range(12)]
        assert codes[0] == 200
        assert codes[-1] == 429


def test_only_who_is_admitted_writes() -> None:
    reader = ChainReader(
        has_bond=lambda account: account == ACCOUNTS[PROVIDER],
        client_of=lambda oid: ACCOUNTS[CLIENT] if oid == 1 else None,
    )
    cases: list[tuple[int, Body, int]] = [
        (CLIENT, order(1), 200),
        (CLIENT, order(2), 403),
        (VERIFIER, order(1), 403),
        (PROVIDER, claim(), 200),
        (VERIFIER, claim(), 403),
        (7, NODE, 200),
        (7, RewardProposal(bytes(120)), 200),
        (PROVIDER, RewardProposal(bytes(120)), 403),
    ]
    with served(admission=ChainAdmission(reader, [ACCOUNTS[7]])) as (group, http):
        for nonce, (who, body, status) in enumerate(cases):
            answer = http.post("/messages", json={"messages": [message(who, nonce, body)]})
            assert answer.status_code == status, answer.text
        assert group.replicas[0].sequence == sum(status == 200 for _, _, status in cases)


def test_what_the_chain_said_is_remembered_for_a_while() -> None:
    asked: list[Account] = []
    now = [0.0]

    def has_bond(account: Account) -> bool:
        asked.append(account)
        return len(asked) > 1

    admission = ChainAdmission(ChainReader(has_bond, lambda _: None), [], seconds=60, clock=lambda: now[0])
    request = application().check(sign(DOMAIN, KEYS[0], 1, NODE).encode())

    def ask() -> str | None:
        return asyncio.run(admission.refusal(request))

    assert "bond" in str(ask())
    assert ask() is None, "a refusal is looked up again"
    assert ask() is None
    assert len(asked) == 2
    now[0] = 61.0
    assert ask() is None
    assert len(asked) == 3


def test_health_status_and_what_to_sign_for(group: Group, http: httpx.Client) -> None:
    about = http.get("/about").json()
    assert (about["chainId"], about["committee"]) == (DOMAIN.chain_id, checksum(DOMAIN.committee))
    assert (about["replicas"], about["faulty"]) == (4, 1)
    status = http.get("/status").json()
    assert [peer["api"] for peer in status["peers"]] == [member.api for member in MEMBERSHIP.members]
    assert http.get("/health").json() == {"ok": True, "reason": None}
    group.replicas[0].links = 2
    answer = http.get("/health")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)


def routes_of(part: Any) -> Iterator[tuple[str, str]]:
    for route in part.routes:
        if hasattr(route, "original_router"):
            yield from routes_of(route.original_router)
        else:
            yield from ((route.path, method) for method in route.methods)


def test_the_description_is_that_of_the_routes(group: Group, http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    routes = set(routes_of(create_app(group.replicas[0], group.replicas[0].app, MEMBERSHIP)))
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert routes - {("/openapi.json", "GET"), ("/openapi.json", "HEAD")} == described
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert "429" in operation["responses"], where
            for parameter in operation.get("parameters", []):
                assert parameter["description"], f"{where} {parameter['name']}"
    for name, described_model in document["components"]["schemas"].items():
        if name not in ("HTTPValidationError", "ValidationError"):
            assert described_model.get("description"), name
