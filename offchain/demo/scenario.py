"""What happens in the demonstration: who takes part, how skilled and how honest they are, and what is ordered."""

from dataclasses import dataclass
from enum import Enum, auto

from offchain.model.search import SearchSettings
from offchain.types import TOKEN, Wei


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """One order of the client. Times in seconds; `model` is the shorthand of an architecture."""

    title: str
    source: str
    model: str
    reward: Wei
    train_seconds: int
    reveal_seconds: int
    validate_seconds: int
    challenge_seconds: int
    minimum_score_ppm: int
    minimum_validators: int = 2
    held_out: float = 0.2


@dataclass(frozen=True, slots=True)
class ProviderPlan:
    """A provider and how hard it tries; one that is not `honest` claims models that it never reveals."""

    name: str
    search: SearchSettings
    honest: bool = True


class Conduct(Enum):
    """What a validator does with the scores that it has found."""

    HONEST = auto()
    SECRETIVE = auto()
    """commits to them and never reveals them"""
    FLIPS = auto()
    """reports one of them false by a single sample"""
    COPIES = auto()
    """reports somebody else's, moved a little"""
    CONSPIRES = auto()
    """says with its friends that the favourite's model is the best, and lies about all others too"""


@dataclass(frozen=True, slots=True)
class ValidatorPlan:
    """A validator. `orders`: the numbers of those it serves, counted from 1; None for all."""

    name: str
    conduct: Conduct = Conduct.HONEST
    orders: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Interruption:
    """A power cut: the process of the aggregator `name` is killed at the first event `after`, of whomever, and started
    again `seconds` later."""

    name: str
    after: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """The whole cast. `bond`: what each worker bonds, in wei. `favourite`: whose model conspirators praise.

    `liar`: the aggregator that lies about rewards; `update_seconds`: from when on an order that is sealed is due to be
    in a root, so that one root can pay several.
    """

    orders: tuple[OrderPlan, ...]
    providers: tuple[ProviderPlan, ...]
    validators: tuple[ValidatorPlan, ...]
    aggregators: tuple[str, ...]
    bond: Wei
    seed: int
    verifiers: tuple[str, ...] = ()
    favourite: str = ""
    interruption: Interruption | None = None
    liar: str = ""
    update_seconds: int = 4

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody who needs a key, the client first."""
        providers = (plan.name for plan in self.providers)
        validators = (plan.name for plan in self.validators)
        return ("client", *providers, *validators, *self.verifiers, *self.aggregators)


DIGITS = Scenario(
    orders=(
        OrderPlan(
            title="handwritten digits, dense network",
            source="digits",
            model="mlp:64",
            reward=Wei(100 * TOKEN),
            train_seconds=22,
            reveal_seconds=6,
            validate_seconds=12,
            challenge_seconds=8,
            minimum_score_ppm=800_000,
        ),
        OrderPlan(
            title="handwritten digits, convolutional network",
            source="digits",
            model="cnn:16-32",
            reward=Wei(250 * TOKEN),
            train_seconds=32,
            reveal_seconds=6,
            validate_seconds=12,
            challenge_seconds=8,
            minimum_score_ppm=900_000,
        ),
        OrderPlan(
            title="breast cancer, dense network",
            source="breast_cancer",
            model="mlp:16",
            reward=Wei(80 * TOKEN),
            train_seconds=26,
            reveal_seconds=6,
            validate_seconds=12,
            challenge_seconds=8,
            minimum_score_ppm=800_000,
        ),
    ),
    providers=(
        ProviderPlan("novice", SearchSettings(configurations=1, first_cycle=1, max_epochs=1, fine_tune_epochs=0)),
        ProviderPlan("skilled", SearchSettings(configurations=2, first_cycle=2, max_epochs=8, fine_tune_epochs=0)),
        ProviderPlan("expert", SearchSettings()),
        ProviderPlan("no-show", SearchSettings(configurations=1, first_cycle=1, max_epochs=1), honest=False),
    ),
    validators=(
        ValidatorPlan("vera", orders=(1, 2)),
        ValidatorPlan("victor", orders=(1, 2)),
        ValidatorPlan("viola", orders=(1, 2)),
        ValidatorPlan("vanish", Conduct.SECRETIVE, orders=(1, 2)),
        ValidatorPlan("felix", Conduct.FLIPS, orders=(1,)),
        ValidatorPlan("echo", Conduct.COPIES, orders=(2,)),
        ValidatorPlan("mallory", Conduct.CONSPIRES, orders=(3,)),
        ValidatorPlan("moriarty", Conduct.CONSPIRES, orders=(3,)),
    ),
    verifiers=("verity",),
    favourite="novice",
    aggregators=("ada", "alan", "alonzo", "ananias"),
    liar="ananias",
    update_seconds=25,
    interruption=Interruption("alonzo", after="seal", seconds=10.0),
    bond=Wei(1_000 * TOKEN),
    seed=7,
)
"""Two orders for scikit-learn's handwritten digits (1,797 images of 8 x 8 pixels), each with a lying validator among
honest ones, and one for its breast cancer data (569 rows of 30 numbers) that only conspirators score. One verifier."""
