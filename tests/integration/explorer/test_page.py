"""The page in a real browser: a dispute's and an order's whole story, live changes, a reorganisation, a server that is
gone, keyboards, narrow screens, and axe-core on every view."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from offchain.chain.contracts import AssayContracts
from offchain.chain.court import Court
from offchain.chain.devnet import travel
from offchain.protocol.settlement import Outcome
from offchain.roles.client import prepare_order, put_order
from offchain.roles.context import RoleContext
from offchain.roles.dispute_summary import DisputeSummary, summarise_disputes
from offchain.roles.lies import FlipOneSample
from tests.integration.chain.support import with_confirmations
from tests.integration.explorer.browsing import PATIENCE_MS, Tab, opened
from tests.integration.explorer.serving import serving
from tests.integration.roles.court_stage import (
    OID,
    WINDOWS,
    Courthouse,
    client_worker,
    courthouse,
    good_provider,
    liar,
    play,
    score,
    validator,
    verifier,
)
from tests.integration.roles.stage import blobs, request

expect.set_options(timeout=PATIENCE_MS)

FINALITY = 3
GOOD = 1
HOSTILE = '<img src=x onerror="document.title=1"> & "blobs"'
"""A title from the chain's point of view is anybody's text."""
VIEWS = (
    "/",
    "/orders",
    "/orders/1",
    "/disputes",
    "/disputes/1",
    "/events",
    "/tasks",
    "/rewards",
    "/parameters",
    "/nowhere",
)
RICHEST = ("/", "/orders/1", "/disputes/1")


@dataclass
class Scene:
    """Order 1 is sealed, with a liar who was found out; what tests add is undone after each."""

    house: Courthouse
    url: str
    dispute: DisputeSummary

    @property
    def contracts(self) -> AssayContracts:
        return self.house.stage.contracts

    def short(self, name: str) -> str:
        address = self.house.address(name)
        return f"{address[:6]}…{address[-4:]}"

    def put(self, title: str) -> None:
        """Another order of the client's."""

        def act(context: RoleContext) -> None:
            put_order(context, prepare_order(context, request(blobs(), title=title, minimum_validators=2, **WINDOWS)))

        self.house.mortal("client").alive(act)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    """`browser` first: where there is none, nothing is played in vain."""
    with courthouse(tmp_path_factory.mktemp("page")) as house:
        false = liar(FlipOneSample(GOOD))
        score(house, {"validator0": validator, "validator1": validator, "validator2": false})
        play(house, {"verifier0": verifier, "validator2": false})
        facts, windows = house.stage.contracts.facts(OID), house.stage.contracts.windows(OID)
        travel(house.client, max(windows.challenge_end, facts.challenge_until) - house.client.now())
        house.work("client", client_worker)
        assert house.stage.contracts.settlement(OID).outcome is Outcome.WON
        served = AssayContracts(with_confirmations(house.client, FINALITY), house.stage.contracts.addresses)
        with serving(served, house.stage.store) as explorer:
            (dispute,) = summarise_disputes(Court(house.stage.contracts))
            yield Scene(house, explorer.url, dispute)


@pytest.fixture
def tab(scene: Scene, browser: Browser) -> Iterator[Tab]:
    with opened(browser, scene.url) as found:
        yield found


@pytest.fixture
def undone(scene: Scene) -> Iterator[None]:
    """The chain as it was before the test."""
    snapshot = scene.house.client.request("evm_snapshot")
    scene.house.act += 1
    yield
    scene.house.client.request("evm_revert", snapshot)


def panel(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def row(table: Locator, header: str) -> Locator:
    return table.get_by_role("row").filter(has=table.page.get_by_role("rowheader", name=header))


def test_the_order_page_says_what_the_contracts_say(scene: Scene, tab: Tab) -> None:
    contracts, page = scene.contracts, tab.page
    settlement, samples = contracts.settlement(OID), contracts.test_set(OID).sample_count
    winning = f"{100 * settlement.score / samples:.2f}%"
    tab.open("/orders/1")
    expect(page).to_have_title("Order 1: blobs · Assay")
    expect(panel(page, "Standing")).to_contain_text("Won")
    expect(panel(page, "Standing")).to_contain_text(winning)
    race = row(panel(page, "The race"), scene.short("provider1"))
    expect(race).to_contain_text("Winner")
    expect(race).to_contain_text(winning)
    scores = panel(page, "Scores")
    expect(scores).to_contain_text("3 of 3 validators have shown their scores; they agree on 2 of 2 models.")
    said = scores.get_by_role("row").filter(has=page.get_by_role("rowheader", name="1 ")).get_by_role("cell")
    texts = said.all_inner_texts()
    assert sum("(as agreed)" in text and winning in text for text in texts) == 2, texts
    assert [text for text in texts if "(removed)" in text], "the liar's score is there, struck out"
    expect(panel(page, "Money")).to_contain_text("What went into escrow has come out of it, to the wei.")
    expect(panel(page, "Learning curves").get_by_role("img")).to_be_visible()
    files = panel(page, "Verified downloads")
    with page.expect_download() as download:
        files.get_by_role("link", name="weights.safetensors", exact=True).first.click()
    assert Path(download.value.path()).stat().st_size > 0
    gas = panel(page, "Gas")
    expect(gas).to_contain_text("Order put")


def test_the_dispute_page_descends_to_the_step_that_the_contract_computed(scene: Scene, tab: Tab) -> None:
    page, dispute = tab.page, scene.dispute
    step = next(move for move in dispute.moves if move.name == "Computed")
    claimed, computed = (part.rsplit(" ", 1)[1] for part in step.text.split(", contract"))
    tab.open("/disputes")
    page.get_by_role("link", name="Dispute 1").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    narrowing = panel(page, "How the disagreement narrows")
    expect(narrowing.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(f"contract computed {computed}, claimed was {claimed}")
    )
    expect(narrowing).to_contain_text("They differ: the score is false.")
    expect(narrowing).to_contain_text("This browser has computed the same as the contract.")
    moves = panel(page, "Move by move").locator(".move")
    expect(moves).to_have_count(len(dispute.moves))
    for shown, move in zip(moves.all(), dispute.moves, strict=True):
        # The index knows no shape of a tensor: it numbers elements where the summary has coordinates.
        expect(shown).to_contain_text(move.text.rsplit(": ", 1)[-1])
    expect(panel(page, "Standing")).to_contain_text(scene.short("verifier0"))


def test_an_account_shows_what_it_lost(scene: Scene, tab: Tab) -> None:
    page, who = tab.page, scene.house.address("validator2")
    tab.open(f"/accounts/{who}")
    expect(page.locator(".whole-address")).to_contain_text(who)
    order = scene.contracts.order(OID)
    lost = row(panel(page, "Slashes"), "Validator")
    expect(lost).to_contain_text(f"{order.minimum_v_stake // 10**18} ASY")
    expect(panel(page, "Disputes").get_by_role("link", name="dispute 1")).to_be_visible()


@pytest.mark.usefixtures("undone")
def test_orders_and_claims_appear_as_they_happen_and_go_when_the_chain_forgets_them(scene: Scene, tab: Tab) -> None:
    page, client = tab.page, scene.house.client
    tab.pardon("/api/orders/2")
    tab.open("/")
    expect(page.get_by_text("No order is open.")).to_be_visible()
    before = client.request("evm_snapshot")
    scene.put(HOSTILE)
    card = page.get_by_role("article", name="Order 2")
    expect(card).to_contain_text("Nobody has claimed yet.")
    expect(card.get_by_role("heading")).to_have_text(f"#2 {HOSTILE}")
    expect(card.get_by_role("timer")).to_contain_text("min")
    scene.house.work("provider1", good_provider)
    expect(card.get_by_role("listitem")).to_contain_text([scene.short("provider1")])
    expect(page.get_by_role("status").filter(has_text="1 open order")).to_be_attached()
    # The page is still open when the chain forgets the order and goes on without it.
    client.request("evm_revert", before)
    client.request("anvil_mine", "0x4")
    expect(page.get_by_text("The chain was reorganised from block")).to_be_visible()
    expect(page.get_by_text("No order is open.")).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("The chain was reorganised")).to_have_count(0)


def test_a_server_that_is_gone_is_said_and_found_again(scene: Scene, browser: Browser) -> None:
    stage = scene.house.stage
    with serving(stage.contracts, stage.store) as first:
        port = int(first.url.rsplit(":", 1)[1])
        opening = opened(browser, first.url)
        tab = opening.__enter__()
        tab.pardon("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY")
        tab.open("/orders/1")
    gone = tab.page.get_by_text("No connection to the explorer's server")
    expect(gone).to_be_visible()
    expect(panel(tab.page, "The race")).to_be_visible()
    with serving(stage.contracts, stage.store, port=port):
        expect(gone).to_have_count(0)
        opening.__exit__(None, None, None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible_and_fits_a_narrow_screen(scene: Scene, browser: Browser, scheme: str) -> None:
    narrow = scheme == "dark"
    size = {"width": 320, "height": 640} if narrow else {"width": 1200, "height": 900}
    account = f"/accounts/{scene.house.address('provider1')}"
    with opened(browser, scene.url, viewport=size, color_scheme=scheme) as tab:
        found: dict[str, list[str]] = {}
        tab.open("/orders")
        for path in (*(VIEWS if narrow else RICHEST), account):
            tab.go(path)
            found[path] = tab.axe()
            assert tab.overflow() <= 0, path
            levels = [int(level[1]) for level in tab.page.evaluate(HEADINGS)]
            assert levels[0] == 1
            assert levels.count(1) == 1, path
            assert all(after - before <= 1 for before, after in pairwise(levels)), (path, levels)
        assert not {path: violations for path, violations in found.items() if violations}


HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => heading.tagName)"


def test_a_keyboard_is_enough(scene: Scene, tab: Tab) -> None:
    page = tab.page
    tab.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    tab.open("/")
    tab_to(page, "Orders")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Orders")).to_be_focused()
    tab_to(page, "Order number or account address")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Order 1")).to_be_focused()
    tab_to(page, "Training loss")
    page.keyboard.press("Space")
    expect(page.get_by_role("img", name="Training loss by epoch")).to_be_visible()
    tab_to(page, "Dispute 1")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is seen"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Dispute 1")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Order 1")).to_be_visible()


MOST_TABS = 120


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until what has that name has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(NAME) == name:
            return
    raise AssertionError(f"{name!r} is not reached by Tab")


NAME = """(it => it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText?.trim() ?? it.innerText?.trim() ?? '')(
  document.activeElement)"""
