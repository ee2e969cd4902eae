"""Short federated scenarios on Anvil: a liar and a crash; proofs of accuracy, and two who cheat with them."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from offchain.cli.demo_federated_tables import print_report
from offchain.demo.federated.play import play
from offchain.demo.federated.scenario import PROVERS, STAKE, Conduct, FederatedScenario, Member, TaskPlan
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.types import TOKEN, Wei

SCENARIO = FederatedScenario(
    tasks=(
        TaskPlan(
            title="breast cancer",
            source="breast_cancer",
            model="mlp:4",
            rule=Rule(RuleId.MEDIAN),
            rounds=3,
            reward=Wei(12 * TOKEN),
            partition="iid",
        ),
    ),
    members=(
        Member("hospital"),
        Member("clinic"),
        Member("practice"),
        Member("crasher", Conduct.CRASHES),
        Member("inverter", Conduct.SIGN_FLIP),
        Member("forger", Conduct.LYING_LEADER, stake=Wei(16 * STAKE)),
    ),
    watchers=("watcher",),
    bond=STAKE,
    verifier_bond=Wei(200 * TOKEN),
    seed=3,
)


def test_the_liar_pays_the_crashed_comes_back_and_nothing_is_lost(tmp_path: Path) -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=200)
    report = json.loads(json.dumps(play(SCENARIO, "anvil", console, tmp_path)))
    print_report(report, console)
    task = report["tasks"][0]
    assert [item["round"] for item in task["rounds"] if item["final"]] == [1, 2, 3]
    assert task["rounds"][-1]["accuracy"] > 0.8
    rewards = task["rewards"]
    assert min(rewards[name] for name in ("hospital", "clinic", "practice", "crasher")) > 0
    # It may lead, and has the leader's share for that.
    assert rewards.get("inverter", 0) < rewards["hospital"] // 2
    assert report["conservation"]["difference"] == 0
    wrong = [name for item in task["rounds"] for name in item["leaders_wrong"]]
    slashed = {item["account"]: item for item in report["slashed"]}
    # Who leads is drawn by stake: the forger is likely to, and whenever it did it lost all of its stake.
    assert set(wrong) <= {"forger"}
    assert set(slashed) == set(wrong)
    if wrong:
        assert slashed["forger"]["amount"] == SCENARIO.members[-1].stake
        assert slashed["forger"]["paid_to"] not in ("", "forger")
        decided = [game for game in report["games"] if game["verdict"] == "leader_wrong"]
        assert len(decided) == 1
        assert decided[0]["computed"]["claimed"] != decided[0]["computed"]["actual"]
    assert any(event in printed.getvalue() for event in ("killed", "back"))


@pytest.mark.long
def test_the_best_proven_leads_and_who_cheats_with_proofs_pays(tmp_path: Path) -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=200)
    scenario = replace(PROVERS, tasks=(replace(PROVERS.tasks[0], rounds=1),))
    report = json.loads(json.dumps(play(scenario, "anvil", console, tmp_path)))
    print_report(report, console)
    task = report["tasks"][0]
    assert [item["final"] for item in task["rounds"]] == [True]
    honest = {member.name for member in scenario.members if not member.conduct.is_hostile}
    proven, leader = task["rounds"][0]["proven"], task["rounds"][0]["leader"]
    assert {name for name, correct in proven.items() if correct is not None} == honest
    assert proven[leader] == max(proven[name] for name in honest)
    assert set(task["rounds"][0]["included"]) == honest
    assert set(task["rewards"]) == honest
    assert {item["account"] for item in report["slashed"]} == {"braggart", "copycat"}
    assert report["conservation"]["difference"] == 0
    assert "not proven" in printed.getvalue()
