"""Puts the client's tasks on chain."""

from offchain.demo.federated.scenario import FederatedScenario, ProofPlan, TaskPlan
from offchain.demo.federated.stage import FederatedStage, Holding
from offchain.federated.manifest import LocalTerms
from offchain.federated.terms import FederatedWindows, Mode
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.manifest import Preprocessing
from offchain.roles.federated_accuracy import AccuracyRequest, publish_verifier
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
        prepared = prepare_task(client.store, _request(scenario, plan, holding, stage))
        if prepared.accuracy is not None:
            publish_verifier(stage.contracts, client.sender, prepared.accuracy.verifier)
        numbers.append(create_task(stage.contracts, client.sender, prepared.terms, intent=plan.title))
    return tuple(numbers)


def _request(scenario: FederatedScenario, plan: TaskPlan, holding: Holding, stage: FederatedStage) -> TaskRequest:
    everybody = len(scenario.members)
    proven = None if plan.proofs is None else _proofs(plan.proofs, holding, stage)
    return TaskRequest(
        title=plan.title,
        spec=spec_from_shorthand(plan.model, input_shape=holding.test.shape, outputs=len(holding.classes)),
        classes=holding.classes,
        rounds=plan.rounds,
        reward=plan.reward,
        bond=scenario.bond,
        windows=_windows(secure=plan.secure, proven=proven is not None),
        mode=Mode.SECURE if plan.secure else Mode.PLAIN,
        group_size=everybody if plan.secure else 0,
        accuracy=proven,
        preprocessing=Preprocessing(**holding.quantiser.model_dump()),
        local=LOCAL,
        minimum_participants=2 * everybody // 3,
        maximum_participants=everybody,
        rule=plan.rule,
        maximum_samples=1,
        seed=scenario.seed,
    )


def _windows(*, secure: bool, proven: bool) -> FederatedWindows:
    masked = WINDOW if secure else Seconds(0)
    return FederatedWindows(
        join=WINDOW,
        keys=masked,
        shares=masked,
        commit=WINDOW,
        reveal=Seconds(0) if secure else WINDOW,
        request=WINDOW,
        answer=WINDOW,
        unmask=masked,
        aggregate=WINDOW,
        challenge=WINDOW,
        move=WINDOW,
        prove=WINDOW if proven else Seconds(0),
    )


def _proofs(plan: ProofPlan, holding: Holding, stage: FederatedStage) -> AccuracyRequest:
    """The client's own part is the test set; the last block's hash shuffles it."""
    return AccuracyRequest(
        test=holding.test,
        systems=stage.systems,
        minimum=plan.minimum,
        baseline=plan.baseline,
        beacon=bytes(stage.client.head().hash),
        samples=plan.samples,
        draws=plan.draws,
    )
