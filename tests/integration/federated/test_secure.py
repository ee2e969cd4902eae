"""Secure mode on a real chain: nobody sees an update, the rule works on groups, who drops out is worked round."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Role
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.game.material import Material
from offchain.federated.round_rules import TaskView
from offchain.federated.task_state import TaskPhase
from offchain.federated.terms import FederatedWindows, Mode
from offchain.roles.federated_adversaries import LyingDeeds, Mute
from offchain.roles.federated_deeds import Deeds
from offchain.roles.federated_participant import FederatedWorker
from offchain.types import Seconds
from tests.integration.federated.stage import STAKE, Cast, Reborn, admit, context, options, put_task, request, worker
from tests.integration.roles.stage import Stage, set_stage

MEMBERS = [f"p{number}" for number in range(6)]
WINDOWS = FederatedWindows(*(Seconds(length) for length in (600, 600, 600, 600, 0, 600, 600, 600, 600, 600, 300)))


def people() -> dict[str, LocalAccount]:
    return dict(zip(["client", *MEMBERS], dev_accounts(8)[1:], strict=True))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Anvil.start(AnvilOptions()) as anvil:
        made = set_stage(anvil.client(), tmp_path)
        admit(made, people())
        yield made


@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.long)])
def test_groups_sum_in_secret_and_a_dropout_is_unmasked(stage: Stage, killed: bool) -> None:
    """Six in two groups; one falls silent once it has dealt its shares, one is killed at every write and send."""
    accounts = people()
    asked = request(
        6, rounds=1, mode=Mode.SECURE, group_size=3, windows=WINDOWS, rule=Rule(RuleId.MEAN), minimum_participants=4
    )
    task = put_task(stage, accounts["client"], asked, "secure")
    chosen = {name: options(stage, name, place, len(MEMBERS)) for place, name in enumerate(MEMBERS)}
    cast = Cast(stage, task, {})
    for name in MEMBERS:
        if name == "p0" and killed:
            cast.workers[name] = Reborn(stage, name, accounts[name], task, chosen[name])
        else:
            kind = Mute if name == "p5" else FederatedWorker
            cast.workers[name] = worker(context(stage, name, accounts[name]), task, chosen[name], kind)
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    cast.play(lambda view: all(one.gone for one in view.participants))
    story = cast.federation.story(task, stage.client.head())
    assert story.results() == [1]
    assert len(story.named("MaskedPosted")) == 5
    assert len(story.named("SharesPosted")) == 6
    assert len(story.named("RewardPaid")) == 5
    assert not story.named("LeaderReplaced")
    for one in cast.workers.values():
        assert stage.contracts.bond(one.context.account, Role.PARTICIPANT).free == STAKE
        stage.close(one.context)


class FirstLies(FederatedWorker):
    """Lies if it is the round's first leader."""

    class Lie(LyingDeeds):
        """See there."""

        def _to_post(self, view: TaskView, honest: Material) -> Material:
            return super()._to_post(view, honest) if view.round.attempt == 0 else honest

    conduct: ClassVar[type[Deeds]] = Lie


@pytest.mark.long
def test_the_others_object_to_a_leader_that_lies_about_sums(stage: Stage) -> None:
    accounts = people()
    asked = request(6, rounds=1, mode=Mode.SECURE, group_size=3, windows=WINDOWS, rule=Rule(RuleId.MEAN))
    task = put_task(stage, accounts["client"], asked, "secure")
    cast = Cast(stage, task, {})
    for place, name in enumerate(MEMBERS):
        chosen = options(stage, name, place, len(MEMBERS))
        cast.workers[name] = worker(context(stage, name, accounts[name]), task, chosen, FirstLies)
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    story = cast.federation.story(task, stage.client.head())
    assert story.results() == [1]
    assert len(story.named("Objected")) >= 4
    (deposed,) = story.named("LeaderReplaced")
    first, second = story.named("ResultPosted")
    assert first.arguments["leader"] == deposed.arguments["index"] != second.arguments["leader"]
    for one in cast.workers.values():
        stage.close(one.context)
