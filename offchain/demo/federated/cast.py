"""Makes the workers that a scenario asks for."""

from typing import ClassVar

from offchain.demo.federated.scenario import Conduct, FederatedScenario
from offchain.demo.federated.stage import FederatedStage
from offchain.errors import Bug
from offchain.federated.attacks.base import Knowledge
from offchain.federated.attacks.free_rider import NoTraining
from offchain.federated.attacks.label_flip import LabelFlip
from offchain.federated.attacks.sign_flip import SignFlip
from offchain.federated.round_rules import Intent
from offchain.roles.context import RoleContext
from offchain.roles.federated_adversaries import LyingLeader, Overclaimer, ProofCopier, poisoner
from offchain.roles.federated_deeds import FederatedOptions
from offchain.roles.federated_participant import FederatedWorker
from offchain.types import TaskId


class Idle(NoTraining):
    """A free-rider that does not even look at what others did: it sends nothing but zeros."""

    knowledge: ClassVar[Knowledge] = Knowledge.OWN


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
            options = FederatedOptions(folder, intent, data=holding.parts[place], systems=stage.systems)
            return _kind(member.conduct, len(holding.classes))(context, task, options)
    watches = name in scenario.watchers
    # The client measures the model on its own data after each round; nobody trains on them.
    test = None if watches else holding.test
    return FederatedWorker(
        context, task, FederatedOptions(folder, Intent(watches=True), test=test, systems=stage.systems)
    )


def _kind(conduct: Conduct, classes: int) -> type[FederatedWorker]:
    match conduct:
        case Conduct.HONEST | Conduct.CRASHES:
            return FederatedWorker
        case Conduct.LYING_LEADER:
            return LyingLeader
        case Conduct.LABEL_FLIP:
            return poisoner(LabelFlip(classes))
        case Conduct.SIGN_FLIP:
            return poisoner(SignFlip())
        case Conduct.FREE_RIDER:
            return poisoner(Idle())
        case Conduct.CLAIMS_TOO_MUCH:
            return Overclaimer
        case Conduct.COPIES_PROOFS:
            return ProofCopier
        case _:
            raise Bug(f"nobody plays {conduct.name}")
