"""Task views for tests of pure rules."""

from dataclasses import replace
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.federated.round_rules import TaskView
from offchain.federated.task_state import Participant, RoundState, TaskPhase, TaskState, bitmap_of
from offchain.federated.terms import (
    NO_ROOT,
    AggregationRule,
    FederatedTerms,
    FederatedWindows,
    Mode,
    OptimizerKind,
    OptimizerTerms,
    PrivacyTerms,
    RuleTerms,
)
from offchain.types import TOKEN, CidDigest, Ppm, Root, Seconds, TaskId, Wei

WINDOWS = FederatedWindows(
    *(Seconds(length) for length in (600, 0, 0, 300, 200, 100, 80, 0, 120, 240, 60)),
)

TERMS = FederatedTerms(
    spec_hash=b"s" * 32,
    spec_cid=CidDigest(b"c" * 32),
    model_root=Root(b"m" * 32),
    model_cid=CidDigest(b"d" * 32),
    dimension=1500,
    rounds=3,
    minimum_participants=3,
    maximum_participants=5,
    mode=Mode.PLAIN,
    group_size=0,
    scale_bits=14,
    maximum_samples=1000,
    rule=RuleTerms(AggregationRule.MEDIAN),
    optimizer=OptimizerTerms(OptimizerKind.FED_AVG, 65_536),
    privacy=PrivacyTerms(),
    windows=WINDOWS,
    reward=Wei(12 * TOKEN),
    bond=Wei(100 * TOKEN),
    leader_penalty=Wei(10 * TOKEN),
    request_bond=Wei(1 * TOKEN),
    leader_share_ppm=Ppm(50_000),
    allow_root=NO_ROOT,
)


def account(number: int) -> ChecksumAddress:
    return to_checksum_address(number.to_bytes(20, "big"))


def participant(number: int, **changes: Any) -> Participant:
    someone = Participant(account(number + 1), Wei(100 * TOKEN), b"w" * 32, bytes(32), 10, 1, 1, False, False)
    return replace(someone, **changes)


STATE = TaskState(account(99), 1, 0, 4, 4, False, Seconds(600), 15, 0, bytes(32), bytes(32), Root(b"m" * 32), Wei(0))
ROUND = RoundState(
    *(Seconds(0),) * 10,
    *(4, 0, 0, 0),
    *(0, 0),
    *(0, 0, 0, 0),
    posting=0,
    posted=False,
    leader=0,
    result_root=NO_ROOT,
    measures_root=NO_ROOT,
    selection=0,
)


def view(phase: TaskPhase, *, now: int = 1000, terms: FederatedTerms = TERMS, **changes: Any) -> TaskView:
    """A task of four in round 1; `changes` are of the round, or `state`, `participants`, `leader`, `asked`."""
    parts = {name: changes.pop(name) for name in ("state", "participants", "leader", "asked") if name in changes}
    return TaskView(
        task=TaskId(1),
        terms=terms,
        state=parts.get("state", STATE),
        round=replace(ROUND, **{"included": bitmap_of([0, 1, 2, 3]), **changes}),
        phase=phase,
        participants=parts.get("participants", tuple(participant(number) for number in range(4))),
        leader=parts.get("leader"),
        asked=parts.get("asked", ()),
        now=Seconds(now),
    )
