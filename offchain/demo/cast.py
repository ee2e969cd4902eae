"""Makes the workers that a scenario asks for."""

from typing import TypeVar

from offchain.demo.scenario import Conduct, ProviderPlan, Scenario, ValidatorPlan
from offchain.demo.stage import Stage
from offchain.errors import Bug
from offchain.roles.adversaries import LyingValidator, SecretiveProvider, SecretiveValidator
from offchain.roles.client import ClientOptions, ClientWorker
from offchain.roles.lies import Conspiracy, CopyWithNoise, FlipOneSample, Lie, leaked_from
from offchain.roles.order_view import OrderView
from offchain.roles.provider import ProviderOptions, ProviderWorker
from offchain.roles.validator import ValidatorOptions, ValidatorWorker
from offchain.roles.verifier import VerifierOptions, VerifierWorker
from offchain.roles.worker import Worker

SLANDER = 2
"""By how many samples conspirators make the others' models out worse."""

AnyValidator = TypeVar("AnyValidator", bound=ValidatorWorker)


def cast_workers(scenario: Scenario, stage: Stage) -> dict[str, Worker]:
    """The workers by name, but for the aggregators: they are processes."""
    cast: dict[str, Worker] = {
        "client": ClientWorker(stage.contexts["client"], ClientOptions(archive=stage.archive)),
    }
    cast |= {plan.name: _provider(plan, stage) for plan in scenario.providers}
    cast |= {plan.name: _validator(plan, scenario, stage) for plan in scenario.validators}
    # On a chain of play money gas has no price, and every lie is worth a challenge.
    always = VerifierOptions(always=True)
    cast |= {name: VerifierWorker(stage.contexts[name], always) for name in scenario.verifiers}
    return cast


def _provider(plan: ProviderPlan, stage: Stage) -> Worker:
    make = ProviderWorker if plan.honest else SecretiveProvider
    return make(stage.contexts[plan.name], ProviderOptions(skill=plan.search))


def _validator(plan: ValidatorPlan, scenario: Scenario, stage: Stage) -> Worker:
    context, options = stage.contexts[plan.name], ValidatorOptions()
    match plan.conduct:
        case Conduct.HONEST:
            return _serving(ValidatorWorker, plan)(context, options)
        case Conduct.SECRETIVE:
            return _serving(SecretiveValidator, plan)(context, options)
        case _:
            return _serving(LyingValidator, plan)(context, options, lie=_lie(plan.conduct, scenario, stage))


def _lie(conduct: Conduct, scenario: Scenario, stage: Stage) -> Lie:
    match conduct:
        case Conduct.FLIPS:
            return FlipOneSample()
        case Conduct.COPIES:
            copied = next(plan.name for plan in scenario.validators if plan.conduct is Conduct.HONEST)
            return CopyWithNoise(leaked_from(stage.contexts[copied].journal))
        case Conduct.CONSPIRES:
            return Conspiracy(stage.contexts[scenario.favourite].account, slander=SLANDER)
        case _:
            raise Bug(f"{conduct.name} is no lie")


def _serving(base: type[AnyValidator], plan: ValidatorPlan) -> type[AnyValidator]:
    """The kind of worker, made to leave alone all orders but those of the plan."""
    if plan.orders is None:
        return base
    orders = frozenset(plan.orders)

    class Serving(base):  # type: ignore[valid-type, misc]
        def _advance(self, view: OrderView) -> None:
            if view.oid in orders:
                super()._advance(view)

    return Serving
