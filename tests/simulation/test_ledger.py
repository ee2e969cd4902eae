"""Groups of replicas under seeded faults and lies: they agree, lose nothing, and go on when the faults stop."""

from collections import Counter
from dataclasses import fields, replace

import pytest

from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.types import ReplicaId
from tests.simulation.ledger_checker import Stalled, Violation
from tests.simulation.ledger_disk import RecordDisk
from tests.simulation.ledger_driver import Result, build, plan_of, run_seed
from tests.simulation.ledger_network import Weather
from tests.simulation.ledger_records import RecordsSecrets
from tests.simulation.ledger_scenarios import TACTICS, scenario
from tests.simulation.ledger_tactics_data import FalseHistory, Flood, Garbage, Mutate, Replay, Surge
from tests.simulation.ledger_tactics_views import Hasty
from tests.simulation.ledger_villains import Villain
from tests.simulation.ledger_weight import weight

BLOCK = 250
LONG_BLOCK = 1_000

RECORDS_SIZES = {"max_bundle_bytes": 32_768, "max_request_bytes": 2_048}

REGRESSIONS = {
    "a new view that was complete too late took a replica back below the view it had left": 253,
    "a replica that left its view alone never spread its bundles again": 186,
    "bundles that were executed in a gap kept a replica from every view": 177,
}
"""Seeds that fail when the bug that others like them found is put back."""


def play_block(first: int, seeds: int) -> Counter[str]:
    """Many seeds; says all that fail, and sums up what the others went through."""
    totals: Counter[str] = Counter()
    failed = []
    for seed in range(first, first + seeds):
        try:
            add(totals, run_seed(seed))
        except Exception as error:  # noqa: BLE001 - every failure is reported with its seed
            command = f"python -m tests.simulation.ledger_driver {seed} --trace"
            failed.append(f"seed {seed}: {error!r:.500}; replay: {command}")
    assert not failed, "\n".join(failed)
    print(dict(totals))
    return totals


def add(totals: Counter[str], result: Result) -> None:
    """Sums, and the longest wait."""
    for field in fields(result):
        if field.name != "waited":
            totals[field.name] += getattr(result, field.name)
    totals[f"groups of {result.replicas}"] += 1


def check_coverage(totals: Counter[str], seeds: int) -> None:
    """The seeds reach what they are meant to reach."""
    assert {size for size in (4, 5, 7, 10) if totals[f"groups of {size}"]} == {4, 5, 7, 10}
    assert totals["executed"] > 4 * seeds
    assert totals["views"] > seeds // 2
    assert totals["crashes"] > seeds // 2
    assert totals["jumps"] > seeds // 20
    assert totals["garbage"] > seeds // 20


@pytest.mark.parametrize("block", range(2))
def test_five_hundred_seeds(block: int) -> None:
    check_coverage(play_block(block * BLOCK, BLOCK), BLOCK)


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_twenty_thousand_seeds(block: int) -> None:
    check_coverage(play_block(10_000 + block * LONG_BLOCK, LONG_BLOCK), LONG_BLOCK)


def test_the_real_records() -> None:
    """The ledger's own application instead of a register, on some of the seeds."""
    totals: Counter[str] = Counter()
    for seed in range(2_000, 2_024):
        plan = plan_of(seed)
        plan = replace(plan, sizes=plan.sizes | RECORDS_SIZES | {"chunk_bytes": 512})
        add(totals, build(plan, secrets=RecordsSecrets(b"secret")).play())
    assert totals["requests"] > 240
    assert totals["jumps"] > 0


@pytest.mark.parametrize("seed", REGRESSIONS.values(), ids=REGRESSIONS)
def test_what_once_failed(seed: int) -> None:
    run_seed(seed)


@pytest.mark.parametrize("name", TACTICS)
def test_every_kind_of_liar_in_full_strength(name: str) -> None:
    for seed in range(3):
        plan = scenario(seed, replicas=(4, 4, 7)[seed])
        liars = range(seed, seed + (plan.replicas - 1) // 3)
        build(replace(plan, villains=dict.fromkeys(liars, name))).play()


@pytest.mark.parametrize("liar", [0, 1])
def test_floods_fill_no_memory(liar: int) -> None:
    """The primary or another one does all that can fill memory, for a minute, while clients go on."""
    plan = replace(scenario(1, replicas=4), villains={liar: "flood"}, crashes=(), cuts=(), muffles=(), jumps=())
    sizes = plan.sizes | {"interval": 8, "batch_bundles": 1, "pipeline": 2, "creator_bundles": 16, "timeout": 1000}
    run = build(replace(plan, sizes=sizes, submissions=(), chaos=Weather(), real_journal=False))
    villain, queue = run.hosts[ReplicaId(liar)], run.world.queue
    assert isinstance(villain, Villain)
    villain.tactics = [
        kind(villain, villain.rng) for kind in (Flood, Surge, FalseHistory, Hasty, Replay, Mutate, Garbage)
    ]
    for host in run.hosts.values():
        host.start()
    for second in range(60):
        run.submit_one(second)
        queue.run(queue.now + 1_000, lambda: False)
    for host in run.correct:
        state = len(host.register.snapshot())
        assert host.replica is not None
        assert host.register.applied > 60
        # 64 bundles of 250 bytes each, votes, four snapshots and one that is pinned.
        assert weight(host.replica, (host.register, host.config, host.world)) < 60_000 + 5 * state
        assert sum(map(len, host.disk.read())) < 60_000 + 3 * state


class OneLess(GroupConfig):
    """A control: quorums of one less need not share a correct replica."""

    @property
    def quorum(self) -> int:
        """One too few."""
        return super().quorum - 1


def violations(
    seeds: int, villains: dict[int, str], config: type[GroupConfig] = GroupConfig, lies: bool = False
) -> int:
    """How many seeds of four replicas break a rule (not counting those that only stall)."""
    found = 0
    for seed in range(seeds):
        run = build(replace(scenario(seed, replicas=4), villains=villains), config)
        for host in run.correct:
            host.disk = RecordDisk(lies=lies)
        try:
            run.play()
        except Stalled:
            continue
        except Violation:
            found += 1
    return found


def test_control_one_liar_too_many_is_noticed() -> None:
    assert violations(10, {0: "twins", 1: "twins"})


def test_control_small_quorums_are_noticed() -> None:
    assert violations(10, {0: "twins"}, OneLess)


def test_control_lost_records_are_noticed() -> None:
    assert violations(30, {}, lies=True)
