"""Orders with the user's own data, put by a wallet through the desk: a real chain, real HTTP, a key that signs."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.sender import open_sender
from offchain.explorer.desk import DeskPlace
from offchain.protocol.lifecycle import Phase
from offchain.roles.client import ClientOptions, ClientWorker
from offchain.roles.context import RoleContext
from offchain.roles.records import TestSetRecord
from offchain.storage.cid import Cid
from offchain.types import TOKEN, Commitment, OrderId
from tests.integration.explorer.desk_stage import PATIENCE, Wallet, await_true, desk_place, served
from tests.integration.roles.stage import Stage, admit, set_stage

NAMES = ("client0", "client1", "client2", "provider0")
REWARD = str(10 * TOKEN)
FIELDS = {"reward": REWARD, "model": "mlp:4", "label": "kind", "min_validators": 1}
HOUR = 3600
DAY = 86_400


def table(rows: int = 60) -> bytes:
    """Three classes that a line separates."""
    lines = [f"{i % 3 * 2 + i % 7 / 10},{i % 3 - i % 5 / 10},{'abc'[i % 3]}" for i in range(rows)]
    return "\n".join(["height,width,kind", *lines]).encode()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Contracts on an Anvil that mines at once; every account has tokens."""
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), tmp_path_factory.mktemp("stage"))
        admit(stage, keys())
        yield stage


@pytest.fixture(scope="module")
def place(stage: Stage) -> DeskPlace:
    return desk_place(stage.client, stage.contracts, stage.store, stage.folder / "home")


@pytest.fixture(scope="module")
def url(place: DeskPlace) -> Iterator[str]:
    """A desk that all tests may use which do not stop theirs."""
    with served(place) as url:
        yield url


def keys() -> dict[str, LocalAccount]:
    return dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))


def prepared(wallet: Wallet, **changes: object) -> Any:
    found = wallet.prepare({**FIELDS, **changes}, {"train": ("points.csv", table())})
    assert found.get("state") == "done", found
    return found["order"]


def secrets_of(place: DeskPlace, wallet: Wallet, commitment: str) -> list[str]:
    """What nobody may learn before it is released, in all forms that an answer could have."""
    with place.journal("client", wallet.key.address) as journal:
        record = journal.find(TestSetRecord, Commitment(bytes.fromhex(commitment[2:])))
    assert record is not None
    return [record.salt.hex(), record.root.hex(), record.cid.hex(), str(Cid(record.cid))]


def released(stage: Stage, oid: int) -> list[bytes]:
    """The transactions that have released an order's test set."""
    decoder = EventDecoder.of(stage.contracts.addresses)
    logs = stage.client.request("eth_getLogs", {"fromBlock": "0x0", "address": stage.contracts.book.address})
    events = [decoder.decode(log) for log in logs]
    return [
        event.tx_hash for event in events if event and event.name == "TestReleased" and event.arguments["oid"] == oid
    ]


def claim(stage: Stage, oid: int) -> None:
    """A provider claims, so that the order goes on to its reveals."""
    sender = open_sender(stage.client, keys()["provider0"], stage.folder / "provider0")
    sender.send(f"claim:{oid}", stage.contracts.claim_model(OrderId(oid), Commitment(bytes([oid]) * 32)))
    sender.close()


def to_reveals(stage: Stage, oid: int) -> None:
    windows = stage.contracts.windows(OrderId(oid))
    travel(stage.client, windows.train_end - stage.client.now())
    assert stage.contracts.phase(OrderId(oid)) is Phase.REVEAL


def test_from_a_table_to_a_released_test_set(stage: Stage, place: DeskPlace) -> None:
    """One signature and one transaction, whose permit somebody else uses first; the server is away in between."""
    key = keys()["client0"]
    nonce, balance = stage.client.nonce(key.address), stage.contracts.token_balance(key.address)
    with served(place) as url:
        wallet = Wallet(url, stage.client, key)
        order = prepared(wallet, title="Kinds of points", train_seconds=HOUR, reveal_seconds=HOUR)
        assert (
            order["facts"] | {"title": "Kinds of points", "training_samples": 48, "test_samples": 12} == order["facts"]
        )
        secret = secrets_of(place, wallet, order["commitment"])
        asked = wallet.put(order)
        assert asked["item"]["state"] == "waiting"
        assert asked["call"]["function"] == "putWithPermit"
        front_run(stage, order, wallet)
        wallet.sign_next(tell=False)
        oid = wallet.end(asked["key"])["oid"]
        refused = wallet.post(f"/desk/orders/{order['commitment']}/put", wallet.sign_permit(order))
        assert refused.status_code == 422
        assert f"commitment: that is order {oid} already" in refused.json()["error"]
    assert stage.client.nonce(key.address) == nonce + 1
    assert stage.contracts.token_balance(key.address) == balance - int(REWARD)
    claim(stage, oid)
    with served(place) as url:
        again = Wallet(url, stage.client, key, seen=wallet.seen)
        await_true(lambda: again.outbox()["ready"])
        assert again.outbox()["items"] == []
        for text in wallet.seen:
            assert not any(word in text for word in secret), text
        assert not place.store.has(Cid(bytes.fromhex(secret[2])))  # type: ignore[arg-type]  # a digest
        to_reveals(stage, oid)
        item = again.item(f"release-test:{oid}")
        assert (item["oid"], item["deadline"]) == (oid, stage.contracts.windows(oid).reveal_end)
        assert "without it the providers share the reward" in item["why"]
        again.sign_next(tell=False)
    with served(place) as url:
        assert Wallet(url, stage.client, key).end(item["key"])["state"] == "done"
    assert stage.contracts.test_set(oid).root.hex() == secret[1]
    assert place.store.has(Cid(bytes.fromhex(secret[2])))  # type: ignore[arg-type]
    assert len(released(stage, oid)) == 1
    seal_and_claim(stage, place, oid)


def seal_and_claim(stage: Stage, place: DeskPlace, oid: int) -> None:
    """Nobody has revealed: the wallet seals the order and takes its money back."""
    windows = stage.contracts.windows(OrderId(oid))
    travel(stage.client, windows.reveal_end + HOUR - stage.client.now())
    with served(place) as url:
        wallet = Wallet(url, stage.client, keys()["client0"])
        assert wallet.get("/desk/claims", account=wallet.address)["calls"] == []
        item = wallet.item(f"seal:{oid}")
        assert (item["deadline"], item["call"]["contract"]) == (None, "ProofOfTraining")
        wallet.sign_next()
        assert wallet.end(item["key"])["state"] == "done"
        found = wallet.get("/desk/claims", account=wallet.address)
        assert [call["what"] for call in found["calls"]] == ["claim_rewards"]
        assert int(found["credited"]) == int(found["calls"][0]["amount"]) == int(REWARD)
        before = stage.contracts.token_balance(wallet.key.address)
        wallet.send(found["calls"][0]["call"])
        assert wallet.get("/desk/claims", account=wallet.address)["calls"] == []
    assert stage.contracts.token_balance(wallet.key.address) - before == int(REWARD)


def front_run(stage: Stage, order: dict[str, Any], wallet: Wallet) -> None:
    """Somebody sees the permit and uses it first."""
    said = order["permit"]["message"]
    signed = wallet.key.sign_message(encode_typed_data(full_message=order["permit"]))
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    sender = open_sender(stage.client, keys()["client2"], stage.folder / "front-runner")
    permit = stage.contracts.token.functions.permit
    call = permit(said["owner"], said["spender"], int(said["value"]), int(said["deadline"]), signed.v, r, s)
    sender.send(f"permit:{said['nonce']}:{said['owner']}", call)
    sender.close()


def test_a_worker_of_the_command_line_with_the_same_key_doubles_nothing(
    stage: Stage, place: DeskPlace, url: str
) -> None:
    """It shares the journal: puts nothing that the wallet is to put, and releases; the desk sees that it is done."""
    key = keys()["client1"]
    wallet = Wallet(url, stage.client, key)
    unsigned = prepared(wallet, title="never signed")
    order = prepared(wallet, train_seconds=HOUR, reveal_seconds=HOUR)
    front_run(stage, order, wallet)  # before the page asks for the call
    asked = wallet.put(order)
    wallet.sign_next()
    oid = wallet.end(asked["key"])["oid"]
    claim(stage, oid)
    to_reveals(stage, oid)
    item = wallet.item(f"release-test:{oid}")
    orders = stage.contracts.order_count()
    with place.journal("client", key.address) as journal:
        sender = open_sender(stage.client, key, stage.folder / "command line")
        context = RoleContext(place.client, place.contracts, sender, place.store, journal)
        worker = ClientWorker(context, ClientOptions(archive=place.archive))
        await_true(lambda: not worker.tick() and released(stage, oid))
        worker.close()
        sender.close()
    end = wallet.end(item["key"])
    assert (end["state"], end["tx_hash"]) == ("done", "0x" + released(stage, oid)[0].hex())
    assert stage.contracts.order_count() == orders
    assert len(released(stage, oid)) == 1
    assert (
        wallet.get(f"/desk/orders/{unsigned['commitment']}", account=wallet.address)["facts"]["title"] == "never signed"
    )


def test_what_the_page_reports_is_looked_at(stage: Stage, url: str) -> None:
    wallet = Wallet(url, stage.client, keys()["client2"])
    order = prepared(wallet)
    key = wallet.put(order)["key"]
    other = wallet.send({"to": wallet.address, "data": "0x", "value": "1"})
    lie = wallet.report(key, other)
    assert lie.status_code == 422
    assert lie.json()["field"] == "tx_hash"
    assert f"{other} is not this call: it goes to {wallet.address}" in lie.json()["error"]
    assert wallet.report("put::nothing", other).status_code == 404
    assert wallet.report(key, "0x12").status_code == 422
    assert wallet.report(key, "0x" + "11" * 32).json()["state"] == "sent"
    assert await_true(lambda: _note(wallet, key)) == "what was sent has disappeared, or never arrived; sign it again"
    # A new permit takes the place of the one that was not sent.
    travel(stage.client, 60)
    fresh = wallet.get(f"/desk/orders/{order['commitment']}", account=wallet.address)
    renewed = wallet.post(f"/desk/orders/{order['commitment']}/put", wallet.sign_permit(fresh))
    assert renewed.status_code == 200, renewed.text
    wrong = {**wallet.sign_permit(fresh), "deadline": int(fresh["permit"]["message"]["deadline"]) + 1}
    refused = wallet.post(f"/desk/orders/{order['commitment']}/put", wrong)
    assert (refused.status_code, refused.json()["field"]) == (422, "signature")
    travel(stage.client, 2 * HOUR)
    assert wallet.end(key)["error"] == "its time is over"
    stranger = Wallet(url, stage.client, keys()["client1"])
    theirs = stranger.post(f"/desk/orders/{order['commitment']}/put", stranger.sign_permit(fresh))
    assert (theirs.status_code, "prepared no such order" in theirs.json()["error"]) == (404, True)


def _note(wallet: Wallet, key: str) -> str | None:
    return next((item["note"] for item in wallet.outbox()["items"] if item["key"] == key), None)


@pytest.mark.long
def test_a_server_that_is_killed_goes_on_where_it_was(stage: Stage, place: DeskPlace) -> None:
    """SIGKILL between the report of a transaction and its end, with the chain at a standstill."""
    key = keys()["client0"]
    with child(stage) as url:
        wallet = Wallet(url, stage.client, key)
        asked = wallet.put(prepared(wallet))
        stage.client.request("evm_setAutomine", False)
        wallet.sign_next()
    stage.client.request("evm_setAutomine", True)
    stage.client.request("evm_mine")
    count = stage.contracts.order_count()
    with served(place) as url:
        wallet = Wallet(url, stage.client, key)
        assert wallet.end(asked["key"])["oid"] == count
        assert [item for item in wallet.outbox()["items"] if item["key"] == asked["key"]] == []


@contextmanager
def child(stage: Stage) -> Iterator[str]:
    """The desk in a process of its own, which is killed at the end."""
    words = [sys.executable, "-m", "tests.integration.explorer.desk_child", stage.client.provider.endpoint_uri]  # type: ignore[attr-defined]
    process = subprocess.Popen([*words, str(stage.folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_other_sites_and_strange_requests_are_refused(stage: Stage, url: str) -> None:
    account = keys()["client0"].address
    port = url.rpartition(":")[2]
    outbox, examinations = f"{url}/desk/outbox?account={account}", f"{url}/desk/examinations"
    own, body = {"Origin": url}, {"oid": 1, "account": account}
    with httpx.Client(timeout=PATIENCE, trust_env=False) as http:
        assert http.get(outbox).status_code == 200
        assert http.get(outbox, headers={"Host": f"localhost:{port}"}).status_code == 200
        rebound = [
            {"Host": f"assay.example:{port}"},
            {"Host": f"127.0.0.1.nip.example:{port}"},
            {"Host": "127.0.0.1:1"},
            {"Host": f"user@127.0.0.1:{port}"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ]
        for headers in rebound:
            refused = http.get(outbox, headers=headers)
            assert refused.status_code == 403, headers
            assert set(refused.json()) == {"error", "field"}
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": f"http://localhost:{port}"}):
            assert http.post(examinations, json=body, headers=headers).status_code == 403, headers
        plain = {**own, "Content-Type": "text/plain"}
        assert http.post(examinations, content=json.dumps(body), headers=plain).status_code == 415
        assert http.post(f"{url}/desk/orders", json=body, headers=own).status_code == 415
        assert http.post(examinations, json={**body, "padding": "x" * (1 << 17)}, headers=own).status_code == 413

        def endless() -> Iterator[bytes]:
            for _ in range(64):
                yield b" " * 4096

        typed = {**own, "Content-Type": "application/json"}
        assert http.post(examinations, content=endless(), headers=typed).status_code == 413
        for wrong, field in (({**body, "oid": "1"}, "oid"), ({**body, "more": 1}, "more"), ({"oid": 1}, "account")):
            answer = http.post(examinations, json=wrong, headers=own)
            assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert http.post(examinations, json={**body, "oid": 10**6}, headers=own).json()["field"] == "oid"
        mistyped = account.swapcase().replace("0X", "0x")
        assert http.get(f"{url}/desk/outbox?account={mistyped}").status_code == 422


def npz(**arrays: bytes) -> bytes:
    """An archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in arrays.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


HEADER = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 1048576), }"
BOMB = npz(x=HEADER.ljust(127) + b"\n" + bytes(1 << 20), y=b"")
HOSTILE: dict[str, tuple[dict[str, object], dict[str, tuple[str, bytes]], str, str | None]] = {
    "a bomb": ({"label": None}, {"train": ("b.npz", BOMB)}, "b.npz: x.npy: declares 1,099,511,627,776 numbers", None),
    "a pickle": ({"label": None}, {"train": ("p.npz", b"\x80\x04N.")}, "p.npz: not a readable NPZ file", None),
    "a million columns": ({}, {"train": ("w.csv", b"x," * 10**6)}, "w.csv: has", None),
    "not a number": ({}, {"train": ("n.csv", b"a,kind\n1,x\nNaN,y\n2,x\n3,y\n")}, "row 2", None),
    "no table": ({}, {"train": ("t.csv", b"\0\1\2")}, "t.csv: ", "label"),
    "no label": ({"label": None}, {"train": ("a.csv", table())}, "label is missing; the columns are", "label"),
    "another label": ({"label": "sort"}, {"train": ("a.csv", table())}, "no column 'sort' (label)", "label"),
    "a path": (
        {"label": "/etc/passwd"},
        {"train": ("train-images-idx3-ubyte", b"\0\0")},
        "label: names a col",
        "label",
    ),
    "a name that climbs": ({"model": "x"}, {"train": ("../../../points.csv", table())}, "model 'x'", "model"),
    "no data": ({}, {}, "train: give a file, or the name of one of digits", "train"),
    "a server's path": ({"train": "/etc/passwd"}, {}, "train: '/etc/passwd' is none of digits", "train"),
    "no model": ({"model": None}, {"train": ("a.csv", table())}, "give one of model and spec", "model"),
    "a spec of nothing": ({"model": None}, {"train": ("a.csv", table()), "spec": ("s.json", b"{}")}, "s.json", "spec"),
    "too little": ({"reward": "1"}, {"train": ("a.csv", table())}, "reward: 0", "reward"),
    "too much": ({"reward": "9" * 40}, {"train": ("a.csv", table())}, "reward: the order needs", "reward"),
    "no time": (
        {"train_seconds": 0},
        {"train": ("a.csv", table())},
        "train_seconds 0: the protocol allows",
        "train_seconds",
    ),
    "words for time": ({"reveal_seconds": "2m"}, {"train": ("a.csv", table())}, "reveal_seconds: ", "reveal_seconds"),
    "an unknown field": ({"price": 3}, {"train": ("a.csv", table())}, "price: ", "price"),
    "an unknown part": ({}, {"virus": ("a.csv", table())}, "no part is called 'virus'", None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_uploads_are_refused_in_one_line(stage: Stage, place: DeskPlace, url: str, name: str) -> None:
    fields, files, words, field = HOSTILE[name]
    wallet = Wallet(url, stage.client, keys()["client1"])
    found = wallet.prepare({key: value for key, value in {**FIELDS, **fields}.items() if value is not None}, files)
    assert words in found["error"]
    assert "\n" not in found["error"]
    assert str(place.journals.parent) not in found["error"]
    assert found["field"] == field
    assert [path for folder in place.journals.parent.glob("uploads-*") for path in folder.iterdir()] == []


def test_a_preparation_that_nobody_wants_is_given_up(stage: Stage, place: DeskPlace, url: str) -> None:
    wallet = Wallet(url, stage.client, keys()["client1"])
    files = {"train": ("points.csv", table(100_000))}
    request = {"request": json.dumps({"account": wallet.address, **FIELDS})}
    jobs = []
    for _ in range(3):
        answer = wallet.http.post(
            f"{url}/desk/orders", params={"wait": 0}, data=request, files=files, headers={"Origin": url}
        )
        jobs.append(answer.json()["id"])
    for number in jobs:
        assert wallet.http.delete(f"{url}/desk/preparations/{number}", headers={"Origin": url}).status_code == 200
    ends = [await_true(partial(_over, wallet, number)) for number in jobs]
    assert ends[2] == "cancelled"
    assert [path for folder in place.journals.parent.glob("uploads-*") for path in folder.iterdir()] == []


def _over(wallet: Wallet, number: str) -> str | None:
    state = str(wallet.get(f"/desk/preparations/{number}", wait=5)["state"])
    return state if state not in ("queued", "running") else None


def test_an_order_that_the_chain_forgets_is_offered_again(stage: Stage, url: str) -> None:
    """The same call with the same permit: there is one order in the end."""
    wallet = Wallet(url, stage.client, keys()["client0"])
    asked = wallet.put(prepared(wallet))
    count, snapshot = stage.contracts.order_count(), stage.client.request("evm_snapshot")
    wallet.sign_next()
    assert wallet.end(asked["key"])["oid"] == count + 1
    stage.client.request("evm_revert", snapshot)
    stage.client.request("anvil_mine", "0x3")
    item = await_true(lambda: _waiting(wallet, asked["key"]))
    assert item["call"] == asked["call"]
    assert "has disappeared" in item["note"]
    wallet.sign_next()
    assert wallet.end(asked["key"])["oid"] == count + 1
    assert stage.contracts.order_count() == count + 1
    assert wallet.outbox()["trouble"] is None


def _waiting(wallet: Wallet, key: str) -> Any:
    return next((each for each in wallet.outbox()["items"] if (each["key"], each["state"]) == (key, "waiting")), None)
