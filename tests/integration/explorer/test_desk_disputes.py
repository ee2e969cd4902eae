"""A false score challenged by a wallet through the desk, over real HTTP; every move of the dispute from the outbox."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.availability import Availability
from offchain.chain.devnet import travel
from offchain.dispute.requests import Item, RequestStatus, Target
from offchain.dispute.state import Side, Verdict
from offchain.roles.lies import Defence, FlipOneSample
from offchain.roles.request_data import ask
from tests.integration.explorer.desk_stage import PATIENCE, Wallet, await_true, desk_place, served
from tests.integration.roles.court_stage import OID, Courthouse, client_worker, courthouse, liar, score
from tests.integration.roles.stage import PARAMETERS

BAD, GOOD = 0, 1
STALL_SECONDS = PARAMETERS.stall_delay + 1


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    with courthouse(tmp_path_factory.mktemp("court")) as house:
        yield house


def test_data_that_is_asked_for_is_shown_from_the_outbox(house: Courthouse, tmp_path: Path) -> None:
    """Somebody asks for a sample of the test set: the client's wallet answers before the set is void."""
    court, numbers = Availability(house.stage.contracts), list[int]()
    target = Target(OID, Item.SAMPLE, model_index=0, node=0, unit=3, chunk=0)
    house.mortal("verifier1").alive(lambda context: numbers.append(ask(context, court, target)))
    place = desk_place(house.client, house.stage.contracts, house.stage.store, tmp_path)
    with served(place) as url:
        wallet = Wallet(url, house.client, house.accounts["client"])
        item = await_true(lambda: next(iter(wallet.outbox()["items"]), None))
        request = court.request_of(numbers[0])
        assert (item["oid"], item["deadline"]) == (OID, request.deadline)
        assert "Somebody asks for data of order 1" in item["why"]
        wallet.sign_next()
        assert wallet.end(item["key"])["state"] == "done"
    assert court.request_of(numbers[0]).status is RequestStatus.ANSWERED


def test_a_false_score_is_challenged_and_the_dispute_won_from_the_outbox(house: Courthouse, tmp_path: Path) -> None:
    """Everybody lies but the wallet; in the middle its page and the server go away and come back."""
    false = liar(FlipOneSample(GOOD), Defence.STORY)
    liars = {f"validator{i}": false for i in range(2)}
    score(house, liars)
    stage, key = house.stage, house.accounts["verifier0"]
    place = desk_place(house.client, stage.contracts, stage.store, tmp_path)
    before, nonce = house.wealth("verifier0"), house.client.nonce(key.address)
    with served(place) as url:
        wallet = Wallet(url, house.client, key)
        found = examined(wallet)
        by = {(row["validator"], row["model"]): row for row in found["scores"]}
        accused = house.address("validator0")
        assert by[accused, BAD]["is_false"] is False
        assert by[accused, GOOD]["is_false"] is True
        assert by[accused, GOOD]["challengeable"]
        wanted = {"account": wallet.address, "oid": OID, "validator": accused}
        refused = wallet.post("/desk/challenges", {**wanted, "model": BAD})
        assert refused.status_code == 422
        assert refused.json() == {
            "error": "validator: its score of model 0 is true; a challenge would lose its stake",
            "field": "validator",
        }
        opening = wallet.post("/desk/challenges", {**wanted, "model": GOOD}).json()["item"]
        again = wallet.post("/desk/challenges", {**wanted, "model": GOOD}).json()["item"]
        assert again["key"] == opening["key"]
        assert opening["call"]["contract"] == "DisputeCourt"
        # The page signs and is closed before it has told anybody.
        assert wallet.sign_next(tell=False) == opening["key"]
    moves = 1
    with served(place) as url:
        wallet = Wallet(url, house.client, key)
        assert wallet.end(opening["key"])["state"] == "done"
        deadline = time.monotonic() + PATIENCE
        while house.cases()[0].is_open:
            assert time.monotonic() < deadline, wallet.outbox()
            for name, build in liars.items():
                house.work(name, build)
            item = next((each for each in wallet.outbox()["items"] if each["state"] == "waiting"), None)
            if item is None:
                time.sleep(0.1)
                continue
            dispute = house.cases()[0].dispute
            assert dispute.on_turn is Side.CHALLENGER
            assert (item["oid"], item["dispute"], item["deadline"]) == (OID, 1, dispute.deadline), item
            assert wallet.sign_next() == item["key"]
            assert wallet.end(item["key"])["state"] == "done"
            moves += 1
        assert wallet.outbox()["notes"] == []
    dispute = house.cases()[0].dispute
    assert dispute.verdict is Verdict.FALSE
    assert len(house.cases()) == 1
    assert house.client.nonce(key.address) == nonce + moves
    assert moves > 3
    assert house.wealth("verifier0") > before
    settle_directly(house, tmp_path)


def settle_directly(house: Courthouse, folder: Path) -> None:
    """There is no committee that pays: who has earned something settles the order, and takes it."""
    facts, windows = house.stage.contracts.facts(OID), house.stage.contracts.windows(OID)
    travel(house.client, max(windows.challenge_end, facts.challenge_until) + 1 - house.client.now())
    house.work("client", client_worker)
    travel(house.client, STALL_SECONDS)
    winner = house.stage.contracts.settlement(OID).winner
    name = next(name for name in house.accounts if house.address(name) == winner)
    place = desk_place(house.client, house.stage.contracts, house.stage.store, folder / name)
    with served(place) as url:
        wallet = Wallet(url, house.client, house.accounts[name])
        before = house.stage.contracts.token_balance(wallet.key.address)
        for what in ("pay_direct", "claim_rewards"):
            found = wallet.get("/desk/claims", account=wallet.address)
            (claim,) = found["calls"]
            assert claim["what"] == what
            wallet.send(claim["call"])
        assert wallet.get("/desk/claims", account=wallet.address)["calls"] == []
    earned = house.stage.contracts.token_balance(wallet.key.address) - before
    assert earned == int(claim["amount"]) > 0


def examined(wallet: Wallet) -> Any:
    """An order's examination, once it is over."""
    begun = wallet.post("/desk/examinations", {"account": wallet.address, "oid": OID})
    assert begun.status_code == 200, begun.text
    number = begun.json()["id"]
    found = await_true(lambda: _done(wallet, number))
    assert found["done"] == found["total"] == 2
    return found


def _done(wallet: Wallet, number: str) -> Any | None:
    found = wallet.get(f"/desk/examinations/{number}", wait=5)
    return found if found["state"] == "done" else None
