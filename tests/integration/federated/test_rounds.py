"""A federated task on a real chain: a leader that lies, an update that is withheld, and everybody else is paid."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Role
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.local_data import load_local
from offchain.federated.round_rules import Intent
from offchain.federated.task_state import TaskPhase, indices
from offchain.reports.gathering_task import gather_task
from offchain.reports.html import render
from offchain.reports.indexed import up_to_date
from offchain.reports.order_money import balances
from offchain.reports.task import Progress, task_document, task_flows
from offchain.roles.federated_adversaries import LyingLeader, SilentLeader, Withholder, WrongMeasures
from offchain.roles.federated_client import fetch_trained
from offchain.roles.federated_deeds import FederatedOptions
from offchain.roles.federated_participant import FederatedWorker
from offchain.roles.federated_summary import summarise
from offchain.types import TOKEN, TaskId
from tests.integration.federated.stage import (
    PURSE,
    STAKE,
    VERIFIER_BOND,
    Cast,
    Reborn,
    admit,
    context,
    leader_of,
    options,
    put_task,
    request,
    worker,
)
from tests.integration.roles.stage import Stage, set_stage
from tests.unit.reports.reading import read

MEMBERS = [f"p{number}" for number in range(5)]


def people() -> dict[str, LocalAccount]:
    return dict(zip(["client", *MEMBERS, "watcher"], dev_accounts(8)[1:], strict=True))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Anvil.start(AnvilOptions()) as anvil:
        made = set_stage(anvil.client(), tmp_path)
        admit(made, people())
        yield made


@pytest.mark.parametrize("mortals", [1, pytest.param(3, marks=pytest.mark.long)])
def test_two_rounds_with_a_lying_leader_and_a_withheld_update(stage: Stage, mortals: int) -> None:
    """And `mortals` of the honest three are killed at every write and send, and started again."""
    accounts = people()
    task = put_task(stage, accounts["client"], request(len(MEMBERS), rounds=2), str(mortals))
    contexts = {name: context(stage, name, accounts[name]) for name in MEMBERS}
    chosen = {name: options(stage, name, place, len(MEMBERS)) for place, name in enumerate(MEMBERS)}
    cast = Cast(stage, task, {name: worker(contexts[name], task, chosen[name]) for name in MEMBERS})

    view = cast.play(lambda view: view.phase is TaskPhase.COMMIT)
    order = [next(name for name in MEMBERS if contexts[name].account == one.account) for one in view.participants]
    withholder = order[0]
    liar = order[leader_of(view, [1, 2, 3, 4])]
    honest = [name for name in MEMBERS if name not in (withholder, liar)]
    cast.workers = {
        withholder: worker(contexts[withholder], task, chosen[withholder], Withholder),
        liar: worker(contexts[liar], task, chosen[liar], LyingLeader),
        **{name: worker(contexts[name], task, chosen[name]) for name in honest[mortals:]},
    }
    for name in honest[:mortals]:
        stage.close(contexts[name])
        cast.workers[name] = Reborn(stage, name, accounts[name], task, chosen[name])
    if mortals > 1:
        alone = FederatedOptions(stage.folder / "watcher", Intent(patience=5))
        cast.workers["watcher"] = worker(context(stage, "watcher", accounts["watcher"]), task, alone)
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    cast.play(lambda view: all(one.excluded or one.gone for one in view.participants))

    story = cast.federation.story(task, stage.client.head())
    assert story.results() == [1, 2]
    assert [event.arguments["index"] for event in story.named("Dropped")] == [0]
    assert {event.arguments["index"] for event in story.named("Excluded")} == {0, order.index(liar)}
    assert len(story.named("LeaderWrong")) == 1
    for number in (1, 2):
        record = cast.federation.record(task, number)
        assert set(indices(record.included)) >= {order.index(name) for name in honest}
    for name in MEMBERS:
        account = contexts[name].account
        bonds = [stage.contracts.bond(account, role) for role in (Role.PARTICIPANT, Role.VERIFIER)]
        kept = STAKE if name in honest else 0
        assert [(bond.bonded, bond.locked) for bond in bonds] == [(kept, 0), (VERIFIER_BOND, 0)], name
        earned = sum(e.arguments["amount"] for e in story.named("RewardPaid") if e.arguments["account"] == account)
        assert stage.contracts.token_balance(account) >= PURSE - STAKE - VERIFIER_BOND + earned
        assert earned > 0 or name not in honest, name
        assert earned == 0 or name != withholder
    paid = sum(event.arguments["amount"] for event in story.named("RewardPaid"))
    assert 23 * TOKEN < paid <= 24 * TOKEN
    told = list(summarise(stage.contracts, task).told(str))
    assert any("it was right" in line for line in told)
    assert any("contract computed" in line for line in told)
    trained = fetch_trained(cast.federation, stage.store, task)
    assert trained.round == 2
    assert trained.result.root == cast.view().state.model_root
    check_report(stage, task, {name: made.account for name, made in contexts.items()})
    for reborn in (one for one in cast.workers.values() if isinstance(one, Reborn)):
        assert set(reborn.killer.seen) >= {"record:update", "journal:intent", "broadcast", "journal:outcome"}
        assert reborn.killer.deaths > 20
    for name, one in cast.workers.items():
        one.close() if isinstance(one, Reborn) else stage.close(one.context)
        assert name != "watcher" or one.is_done


def check_report(stage: Stage, task: TaskId, accounts: dict[str, ChecksumAddress]) -> None:
    """What `assay report --task` tells of it is what everybody has, and what the models are worth."""
    contracts = stage.contracts
    with up_to_date(contracts, None) as indexed:
        told = gather_task(contracts, stage.store, indexed, task, load_local("sklearn:breast_cancer"))
    accuracies = [one.accuracy for one in told.progress.values() if isinstance(one, Progress)]
    assert len(accuracies) == 3, told.progress
    assert accuracies[2] is not None
    assert accuracies[2] > 0.6
    nets = {balance.who: balance.net for balance in balances(task_flows(told))}
    assert sum(nets.values()) == 0
    for name, account in accounts.items():
        bonds = sum(contracts.bond(account, role).bonded for role in (Role.PARTICIPANT, Role.VERIFIER))
        assert contracts.token_balance(account) + bonds - PURSE == nets.get(account, 0), name
    found = read(render(task_document(told)))
    assert "Federated task 1" in found.texts
    assert any("contract computed" in text for text in found.texts)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "rule", "event"),
    [
        (WrongMeasures, Rule(RuleId.CLIPPED_MEAN, 1 << 14), "LeaderWrong"),
        (WrongMeasures, Rule(RuleId.KRUM, 200_000), "LeaderWrong"),
        (LyingLeader, Rule(RuleId.MULTI_KRUM, 200_000, 500_000), "LeaderWrong"),
        (LyingLeader, Rule(RuleId.MEAN), "LeaderWrong"),
        (SilentLeader, Rule(RuleId.MEDIAN), "LeaderReplaced"),
    ],
)
def test_leaders_that_are_found_out(stage: Stage, kind: type[FederatedWorker], rule: Rule, event: str) -> None:
    accounts = people()
    asked = request(len(MEMBERS), rounds=1, rule=rule)
    task = put_task(stage, accounts["client"], asked, "found-out")
    contexts = {name: context(stage, name, accounts[name]) for name in MEMBERS}
    chosen = {name: options(stage, name, place, len(MEMBERS)) for place, name in enumerate(MEMBERS)}
    cast = Cast(stage, task, {name: worker(contexts[name], task, chosen[name]) for name in MEMBERS})
    view = cast.play(lambda view: view.phase is TaskPhase.COMMIT)
    leads = view.participants[leader_of(view, range(5))].account
    name = next(name for name in MEMBERS if contexts[name].account == leads)
    cast.workers[name] = worker(contexts[name], task, chosen[name], kind)
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    story = cast.federation.story(task, stage.client.head())
    assert story.results() == [1]
    assert [found.arguments["index"] for found in story.named(event)] == [leader_of(view, range(5))]
    assert len(story.named("Excluded")) == (event == "LeaderWrong")
    for made in contexts.values():
        stage.close(made)
