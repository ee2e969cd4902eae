"""Puts the client's tasks on chain."""

from offchain.demo.federated.scenario import FederatedScenario, TaskPlan
from offchain.demo.federated.stage import FederatedStage, Holding
from offchain.federated.manifest import LocalTerms
from offchain.federated.terms import FederatedWindows
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.manifest import Preprocessing
from offchain.roles.federated_client import TaskRequest, create_task, prepare_task
from offchain.types import Seconds, TaskId

WINDOW = Seconds(120)
"""Of every kind: long, for nobody waits for an end when all are done (see `conductor.py`)."""

LOCAL = LocalTerms(epochs=4, batch_size=16, learning_rate=0.1)


def create_tasks(scenario: FederatedScenario, stage: FederatedStage) -> tuple[TaskId, ...]:
    """Escrows the rewards and puts all tasks; their numbers in the scenario's order. Raises like `create_task`."""
    client = stage.contexts["client"]
    numbers = []
    for plan, holding in zip(scenario.tasks, stage.holdings, strict=True):
        prepared = prepare_task(client.store, _request(scenario, plan, holding))
        numbers.append(create_task(stage.contracts, client.sender, prepared.terms, intent=plan.title))
    return tuple(numbers)


def _request(scenario: FederatedScenario, plan: TaskPlan, holding: Holding) -> TaskRequest:
    everybody = len(scenario.members)
    return TaskRequest(
        title=plan.title,
        spec=spec_from_shorthand(plan.model, input_shape=holding.test.shape, outputs=len(holding.classes)),
        classes=holding.classes,
        rounds=plan.rounds,
        reward=plan.reward,
        bond=scenario.bond,
        windows=FederatedWindows(
            join=WINDOW,
            keys=Seconds(0),
            shares=Seconds(0),
            commit=WINDOW,
            reveal=WINDOW,
            request=WINDOW,
            answer=WINDOW,
            unmask=Seconds(0),
            aggregate=WINDOW,
            challenge=WINDOW,
            move=WINDOW,
        ),
        preprocessing=Preprocessing(**holding.quantiser.model_dump()),
        local=LOCAL,
        minimum_participants=2 * everybody // 3,
        maximum_participants=everybody,
        rule=plan.rule,
        maximum_samples=1,
        seed=scenario.seed,
    )
