"""What a client of a federated task asks for: the twin of `FederatedTerms` in `IFederatedTraining.sol`.

Field by field as the contract has them, so that chain access is a matter of encoding. `check` says before anything is
sent, in one line, what the contract would refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Final

from offchain.errors import Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.measures import Evidence
from offchain.federated.results import ResultShape
from offchain.federated.server_optimizer import OptimizerId, ServerOptimizer
from offchain.federated.vector_tree import MAX_DIMENSION
from offchain.proofs.draw import MAXIMUM_CHUNKS, MAXIMUM_DRAWS
from offchain.types import CidDigest, Ppm, Root, Seconds, Wei

MAX_AMOUNT: Final = 1 << 90
MAX_ROUNDS: Final = 10_000
MAX_PARTICIPANTS: Final = 128
MAX_SAMPLES: Final = 1 << 20
MAX_SCALE_BITS: Final = 24
MAX_JOIN: Final = 365 * 24 * 3600
MAX_WINDOW: Final = 30 * 24 * 3600
MAX_LEADER_SHARE: Final = Ppm(500_000)
_PPM: Final = 1_000_000
MAX_ORDERS: Final = 8
MAX_ANSWERS: Final = 4
"""Answers for one update in one round after which it is dropped without a slash."""
MAX_FAILED: Final = 3
"""Failed rounds in a row that end a task."""

NO_ROOT: Final = Root(bytes(32))
NO_TIME: Final = Seconds(0)


class Mode(IntEnum):
    """Whether updates are posted as they are, or masked (docs/secure-aggregation.md)."""

    NONE = 0
    PLAIN = 1
    SECURE = 2


class AggregationRule(IntEnum):
    """The rules that a contract can decide, numbered like `RuleId`."""

    NONE = 0
    MEAN = 1
    MEDIAN = 2
    TRIMMED_MEAN = 3
    CLIPPED_MEAN = 4
    KRUM = 5
    MULTI_KRUM = 6


class OptimizerKind(IntEnum):
    """The server optimisers, numbered like `OptimizerId`."""

    NONE = 0
    FED_AVG = 1
    FED_AVG_M = 2
    FED_ADAM = 3


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """A rule as `aggregation/rule.py` defines its terms."""

    rule: AggregationRule
    parameter: int = 0
    selected: int = 0

    @classmethod
    def of(cls, rule: Rule) -> RuleTerms:
        """Raises Rejected for a rule that no contract can decide."""
        if int(rule.id) not in list(AggregationRule):
            raise Rejected(f"rule {rule.id.name.lower().replace('_', '-')}: a contract cannot decide it; use another")
        return cls(AggregationRule(rule.id), rule.parameter, rule.selected)

    @property
    def definition(self) -> Rule:
        """The rule that computes."""
        return Rule(RuleId(self.rule), self.parameter, self.selected)

    @property
    def evidence(self) -> Evidence:
        """What a leader commits to beside the inner products."""
        if self.rule is AggregationRule.CLIPPED_MEAN:
            return Evidence.NORMS
        return Evidence.DISTANCES if self.selects else Evidence.NONE

    @property
    def selects(self) -> bool:
        """Whether a leader posts which columns were chosen."""
        return self.rule in (AggregationRule.KRUM, AggregationRule.MULTI_KRUM)


@dataclass(frozen=True, slots=True)
class OptimizerTerms:
    """A server optimiser; Q16 numbers as `server_optimizer.py` defines them."""

    kind: OptimizerKind
    learning_rate: int
    beta1: int = 0
    beta2: int = 0
    tau: int = 0

    @classmethod
    def of(cls, optimizer: ServerOptimizer) -> OptimizerTerms:
        """The terms of an optimiser."""
        return cls(OptimizerKind(optimizer.id), optimizer.lr, optimizer.beta1, optimizer.beta2, optimizer.tau)

    @property
    def definition(self) -> ServerOptimizer:
        """The optimiser that computes."""
        return ServerOptimizer(OptimizerId(self.kind), self.learning_rate, self.beta1, self.beta2, self.tau)


@dataclass(frozen=True, slots=True)
class PrivacyTerms:
    """RDP orders (thousandths) with cost of one release and limit at each, in nano-nats; none: no ledger is kept."""

    orders: tuple[int, ...] = ()
    costs: tuple[int, ...] = ()
    limits: tuple[int, ...] = ()

    def admits(self, releases: int) -> bool:
        """Whether a participant that has released so often may release once more; without orders always."""
        pairs = zip(self.costs, self.limits, strict=True)
        return not self.orders or any((releases + 1) * cost <= limit for cost, limit in pairs)


@dataclass(frozen=True, slots=True)
class FederatedWindows:
    """Durations in seconds. Those of phases that a task's mode does not have are 0."""

    join: Seconds
    keys: Seconds
    shares: Seconds
    commit: Seconds
    reveal: Seconds
    request: Seconds
    answer: Seconds
    unmask: Seconds
    aggregate: Seconds
    challenge: Seconds
    move: Seconds
    prove: Seconds = NO_TIME


@dataclass(frozen=True, slots=True)
class AccuracyTerms:
    """Proofs of accuracy that all owe in every round (docs/federated.md); without a verifier none are asked for.

    `verifier`: a registry key, 32 bytes; each proves `draws` of `chunks` test chunks under `chunk_root`. Below
    `minimum_correct` right samples an update is left out, and what exceeds `baseline` is paid.
    """

    verifier: bytes = bytes(32)
    chunk_root: Root = NO_ROOT
    chunks: int = 0
    draws: int = 0
    minimum_correct: int = 0
    baseline: int = 0

    @property
    def asked(self) -> bool:
        """Whether proofs are asked for."""
        return any(self.verifier)


@dataclass(frozen=True, slots=True)
class FederatedTerms:
    """See `IFederatedTraining.sol` for bounds and units; `reward` is for one round."""

    spec_hash: bytes
    spec_cid: CidDigest
    model_root: Root
    model_cid: CidDigest
    dimension: int
    rounds: int
    minimum_participants: int
    maximum_participants: int
    mode: Mode
    group_size: int
    scale_bits: int
    maximum_samples: int
    rule: RuleTerms
    optimizer: OptimizerTerms
    privacy: PrivacyTerms
    windows: FederatedWindows
    reward: Wei
    bond: Wei
    leader_penalty: Wei
    request_bond: Wei
    leader_share_ppm: Ppm
    allow_root: Root
    accuracy: AccuracyTerms = field(default_factory=AccuracyTerms)

    @property
    def result_shape(self) -> ResultShape:
        """How results of this task lie in their files."""
        return ResultShape(self.dimension, self.optimizer.definition.words)

    @property
    def escrow(self) -> Wei:
        """What `create` takes, in wei."""
        return Wei(self.reward * self.rounds)

    @property
    def is_secure(self) -> bool:
        """Whether updates are masked."""
        return self.mode is Mode.SECURE

    def check(self) -> None:
        """Raises Rejected, saying in one line which term is out of its bounds."""
        _within("dimension (parameters of the model)", self.dimension, 1, MAX_DIMENSION)
        _within("rounds", self.rounds, 1, MAX_ROUNDS)
        _within("maximum participants", self.maximum_participants, 2, MAX_PARTICIPANTS)
        _within("minimum participants", self.minimum_participants, 2, self.maximum_participants)
        _within("scale bits", self.scale_bits, 1, MAX_SCALE_BITS)
        _within("maximum samples", self.maximum_samples, 1, MAX_SAMPLES)
        for name in ("reward", "bond", "request_bond"):
            _within(name.replace("_", " "), getattr(self, name), 1, MAX_AMOUNT)
        _within("leader penalty", self.leader_penalty, 1, self.bond)
        _within("leader share (ppm)", self.leader_share_ppm, 0, MAX_LEADER_SHARE)
        least = least_request_bond(self.reward, self.minimum_participants, self.leader_share_ppm)
        _within(
            "request bond (4 must reach an even share of the reward, and the leader's)",
            self.request_bond,
            least,
        )
        self._check_mode()
        self._check_windows()
        self._check_privacy()
        self._check_accuracy()
        self.optimizer.definition.check()
        self._check_rule()

    def _check_mode(self) -> None:
        if self.mode is Mode.NONE:
            raise Rejected("mode: choose plain or secure")
        if self.is_secure:
            _within("group size", self.group_size, 3, self.maximum_participants)
        else:
            _within("group size (plain mode has no groups)", self.group_size, 0, 0)

    def _check_windows(self) -> None:
        unused = {"reveal"} if self.is_secure else {"keys", "shares", "unmask"}
        if not self.accuracy.asked:
            unused.add("prove")
        for window in fields(self.windows):
            length, name = getattr(self.windows, window.name), f"{window.name} window (seconds)"
            if window.name in unused:
                whose = "a task without proofs of accuracy" if window.name == "prove" else "this mode"
                _within(f"{name}, which {whose} does not have", length, 0, 0)
            else:
                _within(name, length, 1, MAX_JOIN if window.name == "join" else MAX_WINDOW)

    def _check_privacy(self) -> None:
        privacy = self.privacy
        if not len(privacy.orders) == len(privacy.costs) == len(privacy.limits) <= MAX_ORDERS:
            raise Rejected(f"privacy: {len(privacy.orders)} orders; give up to {MAX_ORDERS}, a cost and a limit each")
        if not privacy.admits(0):
            raise Rejected("privacy: not even one release fits the budget; raise epsilon or the noise")

    def _check_accuracy(self) -> None:
        asked = self.accuracy
        if not asked.asked:
            if asked != AccuracyTerms():
                raise Rejected("proofs of accuracy: no verifier; name the key of a registered one, or leave all out")
            return
        _within("test chunks", asked.chunks, 1, MAXIMUM_CHUNKS)
        _within("draws", asked.draws, 1, min(asked.chunks, MAXIMUM_DRAWS))
        _within("baseline", asked.baseline, 0)
        _within("minimum of right samples (more than the baseline)", asked.minimum_correct, asked.baseline + 1)
        commits = self.windows.keys + self.windows.shares + self.windows.commit
        _within("keys, shares and commit windows together (seconds)", commits, 1, MAX_WINDOW)

    def _check_rule(self) -> None:
        """In plain mode the fewest columns are the least participants; in secure mode the groups."""
        rule = self.rule.definition
        rule.check_terms()
        columns = self.minimum_participants
        if self.is_secure:
            columns = max(1, self.minimum_participants // self.group_size)
        try:
            rule.check(columns)
        except Rejected as error:
            raise Rejected(f"with the least participants, {self.minimum_participants}: {error}") from None


def least_request_bond(reward: Wei, minimum_participants: int, leader_share_ppm: Ppm) -> Wei:
    """What four bonds pay an honest participant that is driven out of a round its even share with.

    And no less than leading is worth, so that nobody gains from driving out the leader that was drawn.
    """
    even = -(-reward // (MAX_ANSWERS * minimum_participants))
    return Wei(max(even, -(-reward * leader_share_ppm // (MAX_ANSWERS * _PPM))))


def _within(name: str, value: int, low: int, high: int | None = None) -> None:
    if value < low or (high is not None and value > high):
        bounds = f"{low} to {high}" if high is not None else f"{low} or more"
        raise Rejected(f"{name}: {value}; give {bounds}")
