"""`assay challenge`, `assay disputes` and what `assay show` tells of a dispute, on a chain with a liar on it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from offchain.chain.devnet import ANVIL_CHAIN_ID
from offchain.dispute.state import Verdict
from offchain.roles.lies import FlipOneSample
from tests.integration.cli.support import PASSWORD, Answer, Cli, assert_refused, call
from tests.integration.roles.court_stage import NAMES, Courthouse, courthouse, liar, play, score, validator, verifier

LIAR = liar(FlipOneSample(1))
HONEST, FALSE, OTHER = "validator0", "validator1", "verifier1"


@dataclass(frozen=True)
class Desk:
    """A command line at which everybody's keys lie, called like the participants."""

    house: Courthouse
    cli: Cli

    def __call__(self, *words: str) -> Answer:
        """`assay WORDS…`; names of participants become those of their keys."""
        keys = {name: f"dev{index}" for index, name in enumerate(NAMES, start=1)}
        store = ["--store", f"local:{self.house.stage.folder / 'store'}"] if words[0] in ("challenge", "show") else []
        return self.cli(*(keys.get(word, word) for word in words), *store)


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One validator of two has scored the second model one sample too well or too badly."""
    folder = tmp_path_factory.mktemp("desk")
    with courthouse(folder / "stage") as house:
        score(house, {HONEST: validator, FALSE: LIAR})
        home, rpc = folder / "home", house.client.endpoint
        (folder / "password").write_text(PASSWORD + "\n")
        cli = Cli(home, rpc, house.client, house.stage.contracts)
        made = call(["keys", "dev", "--count", str(len(NAMES) + 1)], cli.environment)
        assert made.code == 0, made
        addresses = home / "deployments" / f"{ANVIL_CHAIN_ID}.json"
        addresses.parent.mkdir(parents=True)
        addresses.write_text((house.stage.folder / "addresses.json").read_text())
        yield Desk(house, cli)


@pytest.fixture
def desk(building: Desk) -> Iterator[Desk]:
    snapshot = building.house.client.request("evm_snapshot")
    building.house.act += 1
    for journal in (building.cli.home / "journals").glob("*"):
        journal.unlink()
    yield building
    assert building.house.client.request("evm_revert", snapshot)


def test_nothing_is_challenged_that_is_true_or_cannot_be(desk: Desk) -> None:
    with desk.cli.unchanged():
        assert "none" in desk("disputes").out
        assert json.loads(desk("disputes", "--json").out) == []
        assert_refused(desk("challenge", "1", HONEST, "--key", OTHER), "dev5", "all scores are true")
        assert_refused(desk("challenge", "1", FALSE, "--model", "0", "--key", OTHER), "the score is true")
        assert_refused(desk("challenge", "1", FALSE, "--model", "2", "--key", OTHER), "--model 2", "models 0 to 1")
        assert_refused(desk("challenge", "1", "client", "--key", OTHER), "no scores")
        assert_refused(desk("challenge", "1", "nobody", "--key", OTHER), "nobody")
        assert_refused(desk("challenge", "2", FALSE, "--key", OTHER), "OID 2", "no such order")
        assert_refused(desk("challenge", "1", FALSE, "--force", "--key", OTHER), "--force", "--model")
        assert_refused(desk("challenge", "1", FALSE, "--key", "client"), "verifier", "stake add verifier")
        assert_refused(desk("disputes", "--id", "1"), "--id 1", "no such dispute")
        assert_refused(desk("disputes", "--oid", "9"), "no such order")


def test_a_challenge_is_opened_by_hand_played_by_a_verifier_and_told_in_words(desk: Desk) -> None:
    opened = desk("challenge", "1", FALSE, "--key", "verifier0")
    assert opened.code == 0, opened
    assert "dispute 1 is open: model 1 scores 48" in opened.out
    assert "assay verifier run --key" in opened.out
    again = desk("challenge", "1", FALSE, "--key", "verifier0", "--json")
    assert json.loads(again.out)["id"] == 1, "the same dispute, not another"

    (waiting,) = json.loads(desk("disputes", "--oid", "1", "--json").out)
    assert (waiting["stage"], waiting["on_turn"], waiting["verdict"]) == ("sums", "defendant", "none")
    assert waiting["score"] == 47

    play(desk.house, {"verifier0": verifier, FALSE: LIAR})
    (told,) = json.loads(desk("show", "1", "--json").out)["disputes"]
    assert told["verdict"] == "false"
    assert [move["side"] for move in told["moves"]][:3] == ["challenger", "defendant", "challenger"]
    texts = [move["text"] for move in told["moves"]]
    assert texts[0] == "challenges the score 47 of model 1"
    assert any(text.startswith("picks node 1 dense") for text in texts)
    step = next(text for text in texts if "contract computed" in text)
    assert step.startswith("node 1 dense, element [")
    assert "defendant says" in step
    assert all(
        move["gas"] > 20_000 for move in told["moves"] if move["move"] not in ("Computed", "Closed", "Countered")
    )
    assert told["gas"] == sum(move["gas"] for move in told["moves"]) < 3_000_000
    order = desk.house.stage.contracts.order(1)  # type: ignore[arg-type]
    assert (told["paid"] + told["burned"], told["paid"]) == (order.minimum_v_stake, order.minimum_v_stake // 2)

    shown = " ".join(desk("show", "1").out.split())
    assert "defendant says" in shown
    assert "2.5 tokens to dev8, 2.5 burned" in shown
    assert "false" in " ".join(desk("disputes").out.split())


def test_a_challenge_is_played_to_its_end_by_the_command_itself(desk: Desk) -> None:
    stop = threading.Event()

    def defend() -> None:
        while not stop.is_set():
            desk.house.work(FALSE, LIAR)
            stop.wait(0.2)

    liar_at_work = threading.Thread(target=defend)
    liar_at_work.start()
    try:
        played = desk("challenge", "1", FALSE, "--key", "verifier0", "--take-place", "--play", "--json")
    finally:
        stop.set()
        liar_at_work.join()
    assert played.code == 0, played
    told = json.loads(played.out)
    assert (told["verdict"], told["counter"], told["true_score"]) == ("false", 48, 48)
    (case,) = desk.house.cases()
    assert case.dispute.verdict is Verdict.FALSE
    assert_refused(desk("challenge", "1", FALSE, "--model", "1", "--key", OTHER), "the score is true")
