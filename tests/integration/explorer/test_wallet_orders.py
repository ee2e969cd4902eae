"""An order's whole life from the browsers of those who take part: put, test data released, a lie challenged, paid out.

Providers and validators are the workers of the house; client, verifier and winner sign everything in their wallets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.dispute.state import Verdict
from offchain.protocol.lifecycle import Phase
from offchain.protocol.settlement import Outcome
from offchain.roles.lies import Defence, FlipOneSample
from offchain.types import TOKEN
from tests.integration.explorer.wallet_stage import Person, person, served_with_desk, wallet_of
from tests.integration.roles.court_stage import NAMES, OID, Courthouse, good_provider, liar, poor_provider, validator
from tests.integration.roles.stage import PURSE, admit, set_stage

POOR, GOOD = 0, 1
REWARD = 300 * TOKEN


@dataclass
class Scene:
    """`url`: the explorer's; `house`: everybody else, and the chain."""

    url: str
    house: Courthouse


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Anvil.start(AnvilOptions()) as anvil:
        client, folder = anvil.client(), tmp_path_factory.mktemp("orders")
        stage = set_stage(client, folder)
        accounts = dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))
        admit(stage, accounts)
        with served_with_desk(client, stage.contracts, stage.store, folder / "home") as url:
            yield Scene(url, Courthouse(stage, accounts))


def points(samples: int = 240) -> bytes:
    """Three clouds of points on a line, one after the other, as a table."""
    rows = [f"{i % 3 * 4 + i % 7 / 3},{i % 3 * 2 - i % 5 / 3},{i % 11 / 5},{'abc'[i % 3]}" for i in range(samples)]
    return "\n".join(["height,width,depth,kind", *rows]).encode()


def test_an_order_from_the_browser_to_its_payment(scene: Scene, browser: Browser) -> None:
    house = scene.house
    contracts = house.stage.contracts
    client, verifier, winner = (
        wallet_of(house.client, house.accounts[name]) for name in ("client", "verifier0", "provider1")
    )
    with person(browser, scene.url, client) as somebody:
        put(somebody)
        order = contracts.order(OID)
        assert (order.client, order.terms.reward) == (client.key.address, REWARD)
        for build, name in ((poor_provider, "provider0"), (good_provider, "provider1")):
            house.work(name, build)
        house.travel_to("train_end")
        release(somebody)
        for build, name in ((poor_provider, "provider0"), (good_provider, "provider1")):
            house.work(name, build)
        house.travel_to("reveal_end")
        verify(somebody)
    for end in ("score_commit_end", "score_reveal_end"):
        house.work("validator0", liar(FlipOneSample(GOOD), Defence.STORY))
        for name in ("validator1", "validator2"):
            house.work(name, validator)
        house.travel_to(end)
    with person(browser, scene.url, verifier) as somebody:
        challenge(somebody, house)
    travel(house.client, 2 * contracts.order(OID).terms.challenge_seconds)  # the dispute has stretched the window
    with person(browser, scene.url, winner) as somebody:
        seal_and_claim(somebody, house)
    assert contracts.settlement(OID).outcome == Outcome.WON
    earned = contracts.token_balance(winner.key.address) - PURSE + 200 * TOKEN
    assert earned > REWARD * 8 // 10


def put(somebody: Person) -> None:
    page = somebody.page
    somebody.tab.open("/put")
    somebody.connect()
    somebody.press("Prepare the order")
    expect(page.get_by_label("Training data")).to_have_accessible_description(
        "CSV, Parquet, NPZ, MNIST idx images or a CIFAR-10 batch. Choose the file with your training data."
    )
    page.get_by_label("Training data").set_input_files(
        {"name": "points.csv", "mimeType": "text/csv", "buffer": points()}
    )
    page.get_by_label("Label column").fill("colour")
    page.get_by_label("Model", exact=True).fill("mlp:8")
    page.get_by_label("Title").fill("Three <b>clouds</b>")
    page.get_by_label("Reward in tokens").fill("300")
    for label, text in (
        ("Time to train", "15m"),
        ("Then to reveal", "15m"),
        ("Then to score", "30m"),
        ("Then to challenge", "15m"),
    ):
        page.get_by_label(label).fill(text)
    somebody.press("Prepare the order")
    expect(page.get_by_role("alert").filter(has_text="colour")).to_be_visible()
    page.get_by_label("Label column").fill("kind")
    somebody.press("Prepare the order")
    expect(page.locator("main")).to_contain_text("Your order, ready to be put")
    expect(page.locator("main")).to_contain_text("Three <b>clouds</b>")
    somebody.press("Put the order for 300 ASY")
    assert somebody.lines()["amount"] == "300 ASY"
    somebody.sign_permit()
    expect(somebody.dialog).to_contain_text("OrderBook.putWithPermit")
    shown = somebody.lines()
    assert shown["terms › reward"] == "300 ASY"
    assert shown["terms › time to train"] == "15 minutes"
    assert somebody.tab.axe() == []
    somebody.confirm()
    page.wait_for_url("**/orders/1")
    expect(page.locator("h1")).to_contain_text("Three <b>clouds</b>")
    assert [method for method in somebody.wallet.methods() if method.startswith(("eth_sign", "eth_send"))] == [
        "eth_signTypedData_v4",
        "eth_sendTransaction",
    ], "one signature and one transaction"


def release(somebody: Person) -> None:
    """The desk puts the release into the inbox; the button counts it."""
    expect(somebody.page.get_by_role("button", name="1 waiting in the inbox")).to_be_visible()
    somebody.tab.open("/inbox")
    lying_desk(somebody)
    expect(somebody.page.locator(".inbox-item")).to_contain_text("Release the test set of an order")
    somebody.press("Look and sign")
    assert "test root" in somebody.lines()
    somebody.confirm()
    somebody.sent("final")


def lying_desk(somebody: Person) -> None:
    """A server that hands out a call to somewhere else: the page does not let it be signed."""

    def lie(route: Route) -> None:
        answer = route.fetch()
        outbox = answer.json()
        for item in outbox["items"]:
            item["call"]["to"] = "0x" + "66" * 20
        route.fulfill(response=answer, json=outbox)

    somebody.page.route("**/desk/outbox?*", lie)
    expect(somebody.page.locator(".inbox-item")).to_contain_text("A call that this page cannot explain")
    somebody.press("Look and sign")
    expect(somebody.dialog.get_by_role("alert")).to_contain_text("is none of this deployment's contracts: not signed.")
    expect(somebody.dialog.get_by_role("button", name="Confirm in the wallet")).to_have_count(0)
    somebody.press("Cancel", within=somebody.dialog)
    somebody.page.unroute("**/desk/outbox?*")


def verify(somebody: Person) -> None:
    """First against a server that changes one bit of every file."""
    somebody.tab.open("/orders/1")

    def spoil(route: Route) -> None:
        answer = route.fetch()
        body = answer.body()
        route.fulfill(response=answer, body=body[:-1] + bytes([body[-1] ^ 1]))

    somebody.page.route("**/api/content/*", spoil)
    somebody.press(f"Verify model {GOOD} in this browser")
    expect(somebody.page.locator(".verifier").get_by_role("alert").last).to_contain_text("is not what its CID")
    somebody.page.unroute("**/api/content/*")
    somebody.press(f"Verify model {GOOD} in this browser")
    main = somebody.page.locator("main")
    expect(main).to_contain_text(f"Verified: every hash of model {GOOD} is right.")
    expect(main).to_contain_text("what the contract says, read through your wallet")
    with somebody.page.expect_download() as saved:
        main.locator(".verifier").get_by_role("link", name="weights.safetensors").first.click()
    assert Path(saved.value.path()).stat().st_size > 100


def challenge(somebody: Person, house: Courthouse) -> None:
    """One false score among the true ones is found, challenged, and every move of the dispute signed in the wallet."""
    page = somebody.page
    somebody.tab.open("/orders/1")
    somebody.connect()
    somebody.press("Examine the scores")
    expect(page.locator(".challenge")).to_contain_text("1 false")
    page.get_by_label("Put the true score").check()
    somebody.press(f"Challenge model {GOOD}")
    expect(somebody.dialog).to_contain_text("DisputeCourt.counter")
    assert somebody.lines()["validator"].startswith(house.address("validator0"))
    somebody.confirm()
    somebody.sent("final")
    somebody.tab.open("/inbox")
    while house.cases()[0].is_open:
        house.work("validator0", liar(FlipOneSample(GOOD), Defence.STORY))
        if not house.cases()[0].is_open:
            break
        page.get_by_role("button", name="Look and sign").click()
        expect(somebody.dialog).to_contain_text("Dispute")
        somebody.confirm()
        expect(page.get_by_role("button", name="Look and sign")).to_have_count(0)
    assert house.cases()[0].dispute.verdict is Verdict.FALSE


def seal_and_claim(somebody: Person, house: Courthouse) -> None:
    """Nobody has to wait for aggregators for ever: the winner seals, settles and claims."""
    page, contracts = somebody.page, house.stage.contracts
    somebody.tab.open("/orders/1")
    somebody.connect()
    somebody.press("Seal the order")
    somebody.confirm()
    somebody.sent("final")
    assert contracts.phase(OID) is Phase.SEALED
    travel(house.client, 60)
    somebody.tab.open(f"/accounts/{somebody.wallet.key.address}")
    somebody.press("Settle order 1: 249 ASY for you", within=page.locator(".claims"))
    expect(somebody.dialog).to_contain_text("RewardTreasury.payDirect")
    somebody.confirm()
    somebody.sent("final")
    expect(page.locator(".claims")).to_contain_text("credited to you")
    somebody.press("Claim", within=page.locator(".claims"))
    expect(somebody.dialog).to_contain_text("RewardTreasury.claimRewards")
    somebody.confirm()
    somebody.sent("final")
    expect(page.locator("main")).to_contain_text("There is nothing to claim now")
