"""Reports about orders played on a real chain: every outcome, hostile words, missing content, a real browser."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.enums import Role
from offchain.dispute.state import Side, Stage, Verdict
from offchain.protocol.lifecycle import Phase
from offchain.protocol.settlement import Outcome
from offchain.reports.document import Note, Section
from offchain.reports.gathering import gather_network, gather_order
from offchain.reports.html import render
from offchain.reports.indexed import Indexed, up_to_date
from offchain.reports.network import network_document, network_json
from offchain.reports.order import order_document, order_json
from offchain.reports.order_money import balances, flows_of
from offchain.reports.story import Confusion, Missing, OrderStory
from offchain.roles.client import prepare_order, put_order
from offchain.roles.context import RoleContext
from offchain.roles.lies import FlipOneSample
from offchain.storage.store import open_store
from offchain.types import OrderId
from tests.integration.cli.support import call
from tests.integration.explorer.browsing import AXE, find_chromium, launched
from tests.integration.roles import court_stage
from tests.integration.roles.court_stage import WINDOWS, Courthouse, courthouse, liar, validator, verifier
from tests.integration.roles.stage import PURSE, blobs, request
from tests.integration.roles.test_disputes import end_the_window
from tests.unit.reports.reading import read

WON, OPEN, CANCELLED, REFUNDED, SHARED = (OrderId(number) for number in range(1, 6))
GOOD = 1
TITLE = "<script>alert('title')</script> & \"friends\""
CLASSES = ("<b>a</b>", "b' onclick='x", "c&amp;{{7*7}}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    """An order with a won dispute, one that is open with a hostile title, and one for each other end."""
    with courthouse(tmp_path_factory.mktemp("reports")) as built:
        false = liar(FlipOneSample(GOOD))
        court_stage.score(built, {"validator0": validator, "validator1": validator, "validator2": false})
        court_stage.play(built, {"verifier0": verifier, "validator2": false})
        end_the_window(built)
        built.work("client", court_stage.client_worker)
        put(built, train_seconds=100_000)
        put(built)
        contracts = built.stage.contracts
        send(built, "cancel", contracts.book.functions.cancel(CANCELLED))
        put(built)
        built.travel_to("train_end", REFUNDED)
        send(built, "seal", contracts.proof.functions.seal(REFUNDED))
        put(built)
        built.work("provider1", court_stage.good_provider)  # for the open one, too
        built.travel_to("train_end", SHARED)
        built.work("provider1", court_stage.good_provider)
        built.travel_to("reveal_end", SHARED)
        send(built, "seal", contracts.proof.functions.seal(SHARED))
        assert contracts.phase(OPEN) == Phase.TRAINING
        assert contracts.settlement(SHARED).outcome is Outcome.SHARED
        yield built


def put(house: Courthouse, **changes: Any) -> None:
    data = replace(blobs(), classes=CLASSES)

    def act(context: RoleContext) -> None:
        put_order(context, prepare_order(context, request(data, title=TITLE, **{**WINDOWS, **changes})))

    house.act += 1
    house.mortal("client").alive(act)


def send(house: Courthouse, key: str, function: Any) -> None:
    house.mortal("client").alive(lambda context: context.sender.send(f"{key}:{house.act}", function) and None)


@dataclass
class Told:
    """The chain as of one block, and the stories of its orders."""

    house: Courthouse
    indexed: Indexed

    def story(self, oid: OrderId) -> OrderStory:
        return gather_order(self.house.stage.contracts, self.house.stage.store, self.indexed, oid)


@pytest.fixture(scope="module")
def told(house: Courthouse) -> Iterator[Told]:
    with up_to_date(house.stage.contracts, None, receipts=True) as indexed:
        yield Told(house, indexed)


def notes(section: Section) -> list[str]:
    found = [block.text for block in section.blocks if isinstance(block, Note)]
    return found + [text for inner in section.sections for text in notes(inner)]


def test_the_money_sums_to_zero_and_is_what_everybody_has(told: Told) -> None:
    house, contracts = told.house, told.house.stage.contracts
    nets: dict[str, int] = {}
    pending: dict[str, int] = {}
    for oid in (WON, OPEN, CANCELLED, REFUNDED, SHARED):
        page = told.story(oid).page
        found = balances(flows_of(page))
        assert sum(balance.net for balance in found) == 0
        for balance in found:
            nets[balance.who] = nets.get(balance.who, 0) + balance.net
        if page.settlement is not None and page.settlement.outcome in (Outcome.WON, Outcome.SHARED):
            for payout in page.settlement.payouts:
                pending[payout.account] = pending.get(payout.account, 0) + payout.amount
    assert nets["escrow"] == contracts.total_escrow() > 0
    for name in house.accounts:
        who = house.address(name)
        # Bonds were paid for out of the purse; what was won waits in the treasury.
        assert house.wealth(name) - PURSE == nets.get(who, 0) - pending.get(who, 0), name
    assert nets["burned"] > 0


def test_an_order_that_was_won_is_told_whole(told: Told) -> None:
    story = told.story(WON)
    assert isinstance(story.check, Confusion)
    settled = told.house.stage.contracts.settlement(WON)
    assert story.check.score == settled.score
    assert sum(map(sum, story.check.counts)) == story.check.samples
    document = order_document(story)
    found = read(render(document))
    text = "\n".join(found.texts)
    assert "Order 1: blobs" in text
    assert "Won by provider 2 with model 1" in text
    assert "the one that the order was settled by" in text
    assert "Validators disagreed about model 1." in text
    assert "the score was proven false" in text
    assert "contract computed" in text
    assert "Self-reported" in text
    assert "sgd, rate 0.05" in text
    assert not [note for section in document.sections for note in notes(section)]
    disputes = next(section for section in document.sections if section.id == "disputes")
    assert [inner.title for inner in disputes.sections] == ["Dispute 1"]
    assert not isinstance(story.spending, Missing)
    payers = {item.payer for item in story.spending}
    assert {told.house.address(name) for name in ("client", "provider0", "validator2", "verifier0")} <= payers
    assert sum(item.gas for item in story.spending) == story.page.gas.total
    assert {"put", "claim", "reveal", "commit scores", "seal", "compute"} <= {item.action for item in story.spending}


@pytest.mark.parametrize(
    ("oid", "says"),
    [
        (OPEN, "Open: training."),
        (CANCELLED, "Cancelled by its client before anybody claimed."),
        (REFUNDED, "Refunded: no model was eligible."),
        (SHARED, "Shared among 1 provider: there was no test data to score by; not paid yet."),
    ],
)
def test_every_other_end_is_told_and_hostile_words_stay_words(told: Told, oid: OrderId, says: str) -> None:
    document = order_document(told.story(oid))
    html = render(document)
    found = read(html)
    assert says in found.texts
    assert f"Order {oid}: {TITLE}" in found.texts
    assert "<script" not in html


def test_what_was_not_played_is_told_too(told: Told) -> None:
    """Void models, places taken, slashed sheets, disputes that are open or timed out: made of the real page."""
    story = told.story(WON)
    page = story.page
    assert page.settlement is not None
    first, second, third = page.sheets
    taken = replace(third.scores[GOOD], holder=told.house.address("verifier0"), score=48, live=True)
    abstained = replace(second.scores[0], score=None, revealed=None)
    sheets = (
        replace(first, slashed=True, scores=()),
        replace(second, scores=(abstained, second.scores[GOOD])),
        replace(third, scores=(third.scores[0], taken)),
    )
    models = (replace(page.models[0], voided=True, eligible=False, score=None), page.models[GOOD])
    claims = (replace(page.claims[0], slashed=True), replace(page.claims[1], slashed=True, revealed=False))
    (row,) = page.disputes
    closed = replace(row, timed_out=True, verdict=Verdict.STANDS, counter=3)
    undecided = replace(row, id=2, stage=Stage.TRACE, on_turn=Side.DEFENDANT, winner=None, closed_at=None)
    direct = replace(page.settlement, paid_how="direct")
    changed = replace(
        page, sheets=sheets, models=models, claims=claims, disputes=(closed, undecided), settlement=direct
    )
    curves = {0: None, 1: Missing("malformed")}
    document = order_document(replace(story, page=changed, curves=curves, spending=Missing("no receipts")))
    text = "\n".join(read(render(document)).texts)
    for words in (
        "2 claims, 2 models revealed, 1 eligible, 1 void.",
        "void: its data could not be had",
        "revealed model 0, bond slashed",
        "slashed: not revealed",
        "abstained",
        "47 (97.92%) ≠ ✗; now 48 (100.00%), by verifier 1",
        "because the other side let its time run out: the score stands",
        "and says it is 3 (6.25%)",
        "it is the defendant's turn until",
        "The moves of this dispute are not here.",
        "The provider has published no account of the training.",
        "malformed",
        "no receipts",
        "tax returned",
    ):
        assert words in text, words


def test_content_that_is_not_there_is_said_to_be_missing(told: Told, tmp_path: Path) -> None:
    with open_store(f"local:{tmp_path / 'empty'}") as nothing:
        story = gather_order(told.house.stage.contracts, nothing, told.indexed, WON)
    document = order_document(story)
    read(render(document))
    said = [note for section in document.sections for note in notes(section)]
    assert len(said) == 4
    assert all("not here" in note for note in said)
    assert document.title == "Order 1"


def test_the_network_ends_where_the_contracts_are(told: Told) -> None:
    contracts = told.house.stage.contracts
    story = gather_network(contracts, told.indexed)
    economy = story.economy
    assert sum(track.last for track in economy.stakes.values()) == contracts.token_balance(contracts.vault.address)
    for role, track in economy.stakes.items():
        bonds = [contracts.bond(told.house.address(name), role) for name in told.house.accounts]
        assert track.last == sum(bond.bonded + bond.exiting for bond in bonds)
    assert economy.escrow.last == contracts.total_escrow() == story.network.escrow
    assert economy.orders.last == contracts.order_count() == 5
    assert story.network.supply == contracts.token_supply()
    assert economy.outcomes == {"won": 1, "cancelled": 1, "refunded": 1, "shared": 1}
    rewards = {name: track.last for name, track in economy.rewards.items()}
    earned = rewards["providers"] + rewards["validators"] + rewards["aggregators"]
    assert earned == contracts.token_balance(contracts.addresses.reward_treasury) - refund(contracts)
    assert (economy.slashed.last, economy.burned.last) == (story.network.slashed, story.network.burned)
    assert economy.stakes[Role.AGGREGATOR].last == 0
    read(render(network_document(story)))
    told_again = json.loads(json.dumps(network_json(story)))
    assert told_again["tracks"]["escrow"][-1][1] == contracts.total_escrow()


def refund(contracts: Any) -> int:
    """What the client of the refunded order has not withdrawn yet."""
    return int(contracts.credited(contracts.order(REFUNDED).client))


def test_the_command_writes_a_file_and_tells_machines_the_same(told: Told, tmp_path: Path) -> None:
    house, home = told.house, tmp_path / "home"
    (home / "deployments").mkdir(parents=True)
    shutil.copy(house.stage.folder / "addresses.json", home / "deployments" / "31337.json")
    url = house.client.provider.endpoint_uri  # type: ignore[attr-defined]
    where = {"ASSAY_HOME": str(home), "ASSAY_RPC": url, "ASSAY_STORE": f"local:{house.stage.folder / 'store'}"}
    path = tmp_path / "report.html"
    answer = call(["report", "1", "-o", str(path)], where)
    assert answer.code == 0, answer
    assert read(path.read_text()).texts
    answer = call(["report", "1", "--json"], where)
    machine = json.loads(answer.out)
    assert machine == json.loads(json.dumps(order_json(told.story(WON))))
    assert sum(balance["net"] for balance in machine["balances"]) == 0
    for words, says in (
        (["report"], "OID, or --task TASK, or --network"),
        (["report", "1", "--network"], "OID, or --task TASK, or --network"),
        (["report", "9"], "no such order"),
        (["report", "1", "-o", str(tmp_path)], "a directory"),
        (["report", "1", "-o", str(tmp_path / "no" / "x.html")], "there is no directory"),
    ):
        answer = call(words, where)
        assert answer.code == 2, words
        assert says in answer.err


def test_a_browser_opens_reports_without_asking_anybody(told: Told, tmp_path: Path) -> None:
    if find_chromium() is None or not AXE.exists():
        pytest.skip("no Chromium (apt-get install chromium), or no axe-core (npm install)")
    files = {
        "order.html": render(order_document(told.story(WON))),
        "hostile.html": render(order_document(told.story(OPEN))),
        "network.html": render(network_document(gather_network(told.house.stage.contracts, told.indexed))),
    }
    troubles: list[str] = []
    with launched() as browser:
        for scheme, name in (("light", "order.html"), ("dark", "network.html"), ("dark", "hostile.html")):
            page = browser.new_page(viewport={"width": 320, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
            page.on("console", lambda message: troubles.append(message.text))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("dialog", lambda dialog: troubles.append(dialog.message))
            page.on("request", lambda found: found.url.startswith("file:") or troubles.append(found.url))
            (tmp_path / name).write_text(files[name], encoding="utf-8")
            page.goto((tmp_path / name).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
            page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true })")
            assert page.pdf().startswith(b"%PDF")
            assert troubles == []
            page.evaluate(AXE.read_text(encoding="utf-8"))
            bad = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            shown = [(item["id"], item["nodes"][0]["html"][:200]) for item in bad]
            assert not [item for item in bad if item["impact"] in ("serious", "critical")], (name, shown)
            page.close()
