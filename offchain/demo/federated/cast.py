"""Makes the workers that a scenario asks for."""

from offchain.demo.federated.scenario import Conduct, FederatedScenario
from offchain.demo.federated.stage import FederatedStage
from offchain.errors import Bug
from offchain.federated.attacks.registry import attack_named
from offchain.federated.round_rules import Intent
from offchain.roles.context import RoleContext
from offchain.roles.federated_adversaries import LyingLeader, poisoner
from offchain.roles.federated_deeds import FederatedOptions
from offchain.roles.federated_participant import FederatedWorker
from offchain.types import TaskId

ATTACKS = {Conduct.LABEL_FLIP: "label-flip", Conduct.SIGN_FLIP: "sign-flip", Conduct.FREE_RIDER: "free-rider"}


def make_worker(
    scenario: FederatedScenario, stage: FederatedStage, context: RoleContext, name: str, number: int, task: TaskId
) -> FederatedWorker:
    """The worker of account `name` in the scenario's task `number` (from 0), which is `task` on chain.

    Members take part, watchers only look and challenge, and the client drives its task on if nobody does.
    """
    folder, holding = stage.folder / "own" / name / str(number), stage.holdings[number]
    folder.mkdir(parents=True, exist_ok=True)
    for place, member in enumerate(scenario.members):
        if member.name == name:
            honest = not member.conduct.is_hostile
            intent = Intent(stake=member.stake, watches=honest)
            options = FederatedOptions(folder, intent, data=holding.parts[place])
            return _kind(member.conduct)(context, task, options)
    watches = name in scenario.watchers
    # The client measures the model on its own data after each round; nobody trains on them.
    test = None if watches else holding.test
    return FederatedWorker(context, task, FederatedOptions(folder, Intent(watches=True), test=test))


def _kind(conduct: Conduct) -> type[FederatedWorker]:
    match conduct:
        case Conduct.HONEST | Conduct.CRASHES:
            return FederatedWorker
        case Conduct.LYING_LEADER:
            return LyingLeader
        case Conduct.LABEL_FLIP | Conduct.SIGN_FLIP | Conduct.FREE_RIDER:
            return poisoner(attack_named(ATTACKS[conduct]))
        case _:
            raise Bug(f"nobody plays {conduct.name}")
