"""Orders with the user's own data, put by a wallet through the desk: a real chain, real HTTP, a key that signs."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from eth_account.messages import encode_typed_data

from offchain.chain.devnet import travel
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.sender import open_sender
from offchain.explorer.desk import DeskPlace
from offchain.protocol.lifecycle import Phase
from offchain.roles.client import ClientOptions, ClientWorker
from offchain.roles.context import RoleContext
from offchain.roles.records import TestSetRecord
from offchain.storage.cid import Cid
from offchain.types import TOKEN, Commitment, OrderId
from tests.integration.explorer.desk_stage import (
    FIELDS,
    Wallet,
    await_true,
    keys,
    served,
    shop,
    shop_place,
    table,
)
from tests.integration.roles.stage import Stage

REWARD = 10 * TOKEN
HOUR = 3600


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shop(tmp_path_factory.mktemp("shop")) as stage:
        yield stage


@pytest.fixture(scope="module")
def place(stage: Stage) -> DeskPlace:
    return shop_place(stage)


@pytest.fixture(scope="module")
def url(place: DeskPlace) -> Iterator[str]:
    """A desk that all tests may use which do not stop theirs."""
    with served(place) as url:
        yield url


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
    assert stage.contracts.token_balance(key.address) == balance - REWARD
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
        assert int(found["credited"]) == int(found["calls"][0]["amount"]) == REWARD
        before = stage.contracts.token_balance(wallet.key.address)
        wallet.send(found["calls"][0]["call"])
        assert wallet.get("/desk/claims", account=wallet.address)["calls"] == []
    assert stage.contracts.token_balance(wallet.key.address) - before == REWARD


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
