"""A short scenario with every kind of participant, honest and not, on both development chains."""

import io
import json
from contextlib import AbstractContextManager
from typing import Any

import psutil
import pytest
from rich.console import Console

from offchain.chain.devnet import find_anvil
from offchain.cli.demo_tables import print_report
from offchain.demo.play import play
from offchain.demo.scenario import Conduct, Interruption, OrderPlan, ProviderPlan, Scenario, ValidatorPlan
from offchain.demo.stage import Stage
from offchain.model.search import SearchSettings
from offchain.types import TOKEN, Wei
from tests.integration.hurry import Expected, hurry

QUICK = SearchSettings(configurations=1, first_cycle=4, max_epochs=4, fine_tune_epochs=0)

SHORT = Scenario(
    orders=(
        OrderPlan(
            title="short",
            source="digits",
            model="mlp:32",
            reward=Wei(100 * TOKEN),
            train_seconds=600,
            reveal_seconds=300,
            validate_seconds=600,
            challenge_seconds=20,
            minimum_score_ppm=500_000,
            minimum_validators=1,
        ),
    ),
    providers=(ProviderPlan("good", QUICK), ProviderPlan("absent", QUICK, honest=False)),
    validators=(ValidatorPlan("val"), ValidatorPlan("mute", Conduct.SECRETIVE)),
    aggregators=("a1", "a2", "a3", "a4"),
    interruption=Interruption("a3", after="advance-epoch", seconds=2.0),
    liar="a4",
    bond=Wei(1_000 * TOKEN),
    seed=3,
)

HAPPENS = Expected(claims=2, reveals=1, score_commits=2, score_reveals=1)


@pytest.mark.parametrize("chain", ["anvil", pytest.param("embedded", marks=pytest.mark.long)])
def test_an_order_lives_and_everybody_gets_what_they_earned(chain: str) -> None:
    if chain == "anvil":
        assert find_anvil() is not None, "npm packages are missing"

    def beside(stage: Stage) -> AbstractContextManager[None]:
        return hurry(stage.contracts, HAPPENS)

    report = json.loads(json.dumps(play(SHORT, chain, Console(file=io.StringIO()), beside=beside)))
    accounts = {name: account for account, name in report["names"].items()}
    (order,) = report["orders"]
    assert order["outcome"] == "won"
    assert order["winner"] == accounts["good"]
    _check_money(report, order, accounts)
    _check_accuracy(order, accounts)
    _check_processes(report["aggregators"])
    _check_roots(report, accounts)
    actions = {
        "claim",
        "reveal",
        "release-test",
        "commit-scores",
        "reveal-scores",
        "seal",
        "announce",
        "post-root",
        "slash-equivocation",
    }
    assert actions <= report["gas"].keys()
    shown = io.StringIO()
    print_report(report, Console(file=shown, width=100))
    assert "difference 0 wei" in shown.getvalue()


def _check_money(report: dict[str, Any], order: dict[str, Any], accounts: dict[str, str]) -> None:
    reward = 100 * TOKEN
    tax = reward * 20_000 // 1_000_000
    assert sum(order["payouts"].values()) == reward - tax
    assert order["payouts"][accounts["val"]] == reward * 150_000 // 1_000_000
    aggregators = [report["earned"].get(accounts[name], 0) for name in ("a1", "a2", "a3", "a4")]
    assert sum(aggregators) == tax
    slashed = {slash["account"]: slash for slash in report["slashed"]}
    assert slashed.keys() == {accounts["absent"], accounts["mute"], accounts["a4"]}
    assert slashed[accounts["absent"]]["amount"] == 10 * TOKEN
    assert slashed[accounts["mute"]]["amount"] == 5 * TOKEN
    assert slashed[accounts["a4"]]["amount"] == SHORT.bond
    books = report["conservation"]
    assert books["difference"] == 0
    assert books["minted"] == books["held"] + books["burned"]
    bounties = sum(report["bounties"].values())
    assert books["burned"] == 15 * TOKEN + SHORT.bond - bounties


def _check_processes(aggregators: dict[str, Any]) -> None:
    """Four processes; one was killed and went on as another process; all ended in order and are gone."""
    lives = {item["name"]: item["lives"] for item in aggregators["processes"]}
    assert {name: [life["status"] for life in found] for name, found in lives.items()} == {
        "a1": [0],
        "a2": [0],
        "a3": [137, 0],
        "a4": [0],
    }
    processes = [life["process"] for found in lives.values() for life in found]
    assert len({*processes}) == 5
    assert not any(psutil.pid_exists(process) for process in processes)
    assert aggregators["killed"]["process"] == lives["a3"][0]["process"]


def _check_roots(report: dict[str, Any], accounts: dict[str, str]) -> None:
    """One root pays the order, three of four sign it, all who earned pull it; the liar convinced nobody."""
    part = report["aggregators"]
    (root,) = part["roots"]
    assert root["orders"] == [1]
    assert root["signatures"] == 3
    assert part["refuted"] == 0
    pulled = {claim["account"]: claim["amount"] for claim in part["claims"]}
    assert pulled == report["earned"]
    assert accounts["good"] in pulled
    assert part["lies"]["propose-false-root"] >= 1
    assert part["lies"]["equivocate"] == 1
    assert part["slashed"] == [{"account": accounts["a4"], "amount": SHORT.bond}]


def _check_accuracy(order: dict[str, Any], accounts: dict[str, str]) -> None:
    scored = order["scores_ppm"][accounts["good"]] / 1_000_000
    assert order["integer_accuracy"] == pytest.approx(scored, abs=1e-6)
    assert order["integer_accuracy"] > 0.8
    assert abs(order["float_accuracy"] - order["integer_accuracy"]) < 0.02
