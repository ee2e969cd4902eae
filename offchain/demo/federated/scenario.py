"""What happens in the demonstration of federated training: the tasks, and who takes part how honestly."""

from dataclasses import dataclass
from enum import Enum, auto

from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.types import TOKEN, Wei

STAKE = Wei(20 * TOKEN)


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """What everybody proves of its local model: `draws` of the client's test chunks, of `samples` each.

    `minimum` and `baseline`: parts of these samples; who has proven less than the minimum is left out, and what exceeds
    the baseline is paid.
    """

    samples: int
    draws: int
    minimum: float
    baseline: float


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """One task of the client. `partition`: how its data are spread (`federated/partition.py`); `reward` for a round.

    `secure`: updates are masked, in groups of all; `proofs`: the round is led by who has proven the best model.
    """

    title: str
    source: str
    model: str
    rule: Rule
    rounds: int
    reward: Wei
    partition: str
    held_out: float = 0.25
    secure: bool = False
    proofs: ProofPlan | None = None


class Conduct(Enum):
    """What a participant is like."""

    HONEST = auto()
    CRASHES = auto()
    """honest; its worker is killed in the middle of a round and started again a round later"""
    LABEL_FLIP = auto()
    """trains on labels that it has changed"""
    SIGN_FLIP = auto()
    """sends the opposite of what it learned"""
    FREE_RIDER = auto()
    """trains nothing and hopes to be paid"""
    LYING_LEADER = auto()
    """has staked most, so it is likely to lead; then it posts an aggregate of its own"""
    CLAIMS_TOO_MUCH = auto()
    """says that its model has one sample more right than it has"""
    COPIES_PROOFS = auto()
    """trains nothing; commits to what another has committed to, and sends the other's proofs"""

    @property
    def is_hostile(self) -> bool:
        """Whether it works against the others."""
        return self not in (Conduct.HONEST, Conduct.CRASHES)


@dataclass(frozen=True, slots=True)
class Member:
    """A participant and its stake in each task, in wei."""

    name: str
    conduct: Conduct = Conduct.HONEST
    stake: Wei = STAKE


@dataclass(frozen=True, slots=True)
class FederatedScenario:
    """The whole cast. `watchers` take no part; they recompute every posting and challenge what is wrong."""

    tasks: tuple[TaskPlan, ...]
    members: tuple[Member, ...]
    watchers: tuple[str, ...]
    bond: Wei
    verifier_bond: Wei
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody who needs a key, the client first."""
        return ("client", *(member.name for member in self.members), *self.watchers)


HOSPITALS = FederatedScenario(
    tasks=(
        TaskPlan(
            title="breast cancer, dense network",
            source="breast_cancer",
            model="mlp:16",
            rule=Rule(RuleId.MEDIAN),
            rounds=4,
            reward=Wei(24 * TOKEN),
            partition="dirichlet:1",
        ),
        TaskPlan(
            title="handwritten digits, dense network",
            source="digits",
            model="mlp:32",
            rule=Rule(RuleId.MULTI_KRUM, parameter=340_000, selected=340_000),
            rounds=5,
            reward=Wei(36 * TOKEN),
            partition="balanced:1",
        ),
    ),
    members=(
        Member("hospital-1"),
        Member("hospital-2"),
        Member("hospital-3"),
        Member("hospital-4"),
        Member("hospital-5"),
        Member("hospital-6"),
        Member("hospital-7"),
        Member("crasher", Conduct.CRASHES),
        Member("flipper", Conduct.LABEL_FLIP),
        Member("inverter", Conduct.SIGN_FLIP),
        Member("rider", Conduct.FREE_RIDER),
        Member("forger", Conduct.LYING_LEADER, stake=Wei(16 * STAKE)),
    ),
    watchers=("watcher",),
    bond=STAKE,
    verifier_bond=Wei(200 * TOKEN),
    seed=7,
)
"""Twelve participants, four of them hostile, train one model on scikit-learn's breast cancer data (569 rows of 30
numbers) and one on its handwritten digits (1,797 images of 8 x 8 pixels)."""

PROVERS = FederatedScenario(
    tasks=(
        TaskPlan(
            title="handwritten digits, proven",
            source="digits",
            model="mlp:16",
            rule=Rule(RuleId.MEAN),
            rounds=2,
            reward=Wei(36 * TOKEN),
            partition="balanced:1",
            secure=True,
            proofs=ProofPlan(samples=16, draws=2, minimum=0.25, baseline=0.1),
        ),
    ),
    members=(
        Member("hospital-1"),
        Member("hospital-2"),
        Member("hospital-3"),
        Member("hospital-4"),
        Member("hospital-5"),
        Member("hospital-6"),
        Member("braggart", Conduct.CLAIMS_TOO_MUCH, stake=Wei(16 * STAKE)),
        Member("copycat", Conduct.COPIES_PROOFS),
    ),
    watchers=(),
    bond=STAKE,
    verifier_bond=Wei(200 * TOKEN),
    seed=7,
)
"""Eight participants whose updates nobody sees: sums are masked, and models are proven. One has staked most and claims
too much, one copies proofs."""
