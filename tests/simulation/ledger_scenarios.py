"""What happens in the run of a seed: sizes, weather, who lies and how, who crashes when, what clients ask for."""

from dataclasses import dataclass, replace
from random import Random

from offchain.ledger.pbft import codec
from offchain.ledger.pbft.messages import Commit, Prepare
from offchain.ledger.types import Digest, Sequence, View
from tests.simulation.ledger_network import Weather
from tests.simulation.ledger_tactics import BadBatches, Censor, Equivocate, Silent, Slow, VoteForAll, Withhold
from tests.simulation.ledger_tactics_data import (
    BadBundles,
    FalseHistory,
    FalseState,
    Flood,
    Garbage,
    Mutate,
    Replay,
)
from tests.simulation.ledger_tactics_views import BadNewView, Hasty, OneLie, TwoFaced
from tests.simulation.ledger_villains import Tactic

FORGETFUL = (
    "bad-new-view-only",
    "vote-and-forget",
    "vote-and-forget",
    "equivocate-and-lie",
    "one-lie-new-view",
    "one-lie",
    "twins",
)

TACTICS: dict[str, tuple[type[Tactic], ...]] = {
    "equivocate": (Equivocate,),
    "equivocate-one-lie": (Equivocate, OneLie),
    "equivocate-and-lie": (Equivocate, TwoFaced, BadNewView),
    "silent": (Silent,),
    "slow": (Slow,),
    "censor": (Censor,),
    "withhold": (Withhold,),
    "vote-for-all": (VoteForAll, Equivocate),
    "bad-batches": (BadBatches,),
    "two-faced": (TwoFaced, Silent),
    "one-lie": (OneLie, Slow),
    "one-lie-new-view": (OneLie, BadNewView, Withhold),
    "bad-new-view-only": (BadNewView,),
    "vote-and-forget": (VoteForAll, BadNewView),
    "bad-new-view": (BadNewView, Slow),
    "hasty": (Hasty,),
    "hasty-silent": (Hasty, Silent),
    "false-state": (FalseState,),
    "false-history": (FalseHistory, FalseState),
    "flood": (Flood,),
    "flood-silent": (Flood, Silent),
    "bad-bundles": (BadBundles,),
    "replay": (Replay, TwoFaced),
    "garbage": (Garbage,),
    "mutate": (Mutate,),
    "mutate-slow": (Mutate, Slow),
    "twins": (),
    "dead": (),
}
"""Named habits of Byzantine replicas; "twins" and "dead" are processes of another kind."""

PREPARE, COMMIT = (codec.encode(kind(View(0), Sequence(0), Digest(bytes(32))))[0] for kind in (Prepare, Commit))

SIZES = (4,) * 11 + (5,) * 4 + (7,) * 3 + (10,) * 2


@dataclass(frozen=True, slots=True)
class Crash:
    """A correct replica dies at `at`, where `doom` says, and comes back after `away`; milliseconds."""

    at: float
    replica: int
    away: float
    doom: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A client hands `requests` new requests to the `place`-th correct replica."""

    at: float
    place: int
    requests: int
    doubled: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a seed decides. `calm_at`: when the faults stop, but for the Byzantine replicas; milliseconds."""

    seed: int
    replicas: int
    sizes: dict[str, int]
    villains: dict[int, str]
    chaos: Weather
    calm: Weather
    calm_at: float
    cuts: tuple[float, ...]
    muffles: tuple[tuple[float, dict[int, float]], ...]
    """From when on which share of each kind of message is lost."""
    crashes: tuple[Crash, ...]
    jumps: tuple[tuple[float, int, int], ...]
    submissions: tuple[Submission, ...]
    real_journal: bool
    turn: float
    """How long a busy disk may let events wait, milliseconds."""


def scenario(seed: int, replicas: int | None = None, villains: int | None = None) -> Scenario:
    """The scenario of a seed; `replicas` and `villains` overrule its choice of how many."""
    rng = Random(f"scenario {seed}")
    chosen = rng.choice(SIZES)
    count = replicas or chosen
    faulty = (count - 1) // 3
    sizes = _sizes(rng)
    wild = rng.random() < 0.75
    calm_at = rng.uniform(1, 12) * sizes["timeout"] if wild else rng.uniform(0.2, 2) * sizes["timeout"]
    liars = _liars(rng, count, villains if villains is not None else min(faulty, rng.choice((0, 1, 1, 2, 3, 3))))
    return Scenario(
        seed=seed,
        replicas=count,
        sizes=sizes,
        villains=_villains(rng, liars),
        chaos=_chaos(rng) if wild else Weather(jitter=rng.choice((1, 20, 60))),
        calm=Weather(latency=rng.choice((1, 5, 20)), jitter=rng.choice((1, 10, 50))),
        calm_at=calm_at,
        cuts=tuple(sorted(rng.uniform(0, calm_at) for _ in range(rng.choice((0, 0, 1, 2, 5)) if wild else 0))),
        muffles=_muffles(rng, calm_at) if wild and rng.random() < 0.4 else (),
        crashes=_crashes(rng, count, calm_at) if wild else (),
        jumps=_jumps(rng, count, calm_at) if wild else (),
        submissions=_submissions(rng, count - len(liars), calm_at),
        real_journal=rng.random() < 0.2,
        turn=rng.choice((0.0, 0.0, 0.0, 5.0, 40.0)),
    )


def amnesia(seed: int, replicas: int | None = None) -> Scenario:
    """Few learn what was committed, then those lead who would have it forgotten."""
    rng = Random(f"amnesia {seed}")
    plan = scenario(seed, replicas)
    faulty = (plan.replicas - 1) // 3
    timeout = plan.sizes["timeout"]
    kinds = rng.choice(((COMMIT,), (PREPARE,), (PREPARE, COMMIT)))
    lost: tuple[tuple[float, dict[int, float]], ...] = (
        (0.0, dict.fromkeys(kinds, rng.choice((0.5, 0.7, 0.9)))),
        (timeout * rng.uniform(1.2, 2.5), {}),
    )
    times = sorted([60 + rng.uniform(0, 0.3) * timeout for _ in range(rng.randint(1, 4))] + [plan.calm_at + 100])
    return replace(
        plan,
        sizes=plan.sizes | {"interval": rng.choice((2, 8, 16))},
        villains=dict.fromkeys(range(1, 1 + faulty), rng.choice(FORGETFUL)),
        chaos=Weather(jitter=rng.choice((5, 50)), loss=rng.choice((0.0, 0.0, 0.05))),
        calm_at=max(plan.calm_at, timeout * 3.0),
        cuts=(),
        crashes=(),
        muffles=lost,
        submissions=tuple(Submission(at, rng.randrange(plan.replicas), 1, False) for at in times),
    )


def _sizes(rng: Random) -> dict[str, int]:
    timeout = rng.choice((500, 1000, 2000))
    return {
        "interval": rng.choice((1, 2, 4, 8, 16)),
        "pipeline": rng.choice((1, 2, 8)),
        "batch_bundles": rng.choice((1, 4, 64, 64)),
        "creator_bundles": rng.choice((16, 64)),
        "max_bundle_bytes": 4096,
        "max_request_bytes": 256,
        "chunk_bytes": rng.choice((16, 64, 4096)),
        "timeout": timeout,
        "longest_timeout": timeout * rng.choice((4, 8)),
        "status_every": timeout // rng.choice((1, 1, 2)),
        "max_drift": rng.choice((2_000, 30_000)),
    }


def _liars(rng: Random, count: int, villains: int) -> list[int]:
    """Anybody, but mostly those who lead first, or the second and so on: that's where lies do most."""
    if rng.random() < 0.35:
        return rng.sample(range(count), villains)
    first = rng.choice((0, 0, 1, 1, 2)) % (count - villains + 1)
    return list(range(first, first + villains))


def _villains(rng: Random, liars: list[int]) -> dict[int, str]:
    names = list(TACTICS)
    one = rng.choice(names)
    together = rng.random() < 0.5
    return {liar: one if together else rng.choice(names) for liar in liars}


def _chaos(rng: Random) -> Weather:
    return Weather(
        latency=rng.choice((1, 5, 50)),
        jitter=rng.choice((5, 50, 300)),
        loss=rng.choice((0, 0.01, 0.1, 0.3)),
        doubled=rng.choice((0, 0.05, 0.2)),
        stalled=rng.choice((0, 0.05, 0.2)),
        stall=rng.choice((500, 3000)),
        replayed=rng.choice((0, 0.05)),
        bandwidth=rng.choice((0, 0, 0, 20)),
    )


def _muffles(rng: Random, calm_at: float) -> tuple[tuple[float, dict[int, float]], ...]:
    """Mostly votes: that few prepare or commit, and fewer know of it, is what changes of view are dangerous for."""
    times = sorted(rng.uniform(0, calm_at) for _ in range(rng.choice((1, 2, 4))))
    return tuple(
        (at, {rng.choice((PREPARE, COMMIT, COMMIT, COMMIT, rng.randrange(1, 14))): rng.choice((0.3, 0.6, 0.8, 1.0))})
        for at in times
    )


def _crashes(rng: Random, count: int, calm_at: float) -> tuple[Crash, ...]:
    dooms = ("now", "records", "synced", "sends")
    return tuple(
        Crash(rng.uniform(0, calm_at), rng.randrange(count), rng.expovariate(1 / 600), rng.choice(dooms))
        for _ in range(rng.choice((0, 0, 1, 3, 6, 12)))
    )


def _jumps(rng: Random, count: int, calm_at: float) -> tuple[tuple[float, int, int], ...]:
    return tuple(
        (rng.uniform(0, calm_at), rng.randrange(count), rng.choice((-1, 1)) * rng.choice((100, 10_000, 10**7)))
        for _ in range(rng.choice((0, 0, 0, 1, 4)))
    )


def _submissions(rng: Random, correct: int, calm_at: float) -> tuple[Submission, ...]:
    early = rng.choice((1, 4, 8, 16, 24))
    places = [rng.uniform(0, calm_at) for _ in range(rng.choice((early, 1, 2)))]
    times = [rng.choice(places) for _ in range(early)] + [
        calm_at + rng.uniform(0, 300) for _ in range(rng.randint(1, 4))
    ]
    return tuple(
        Submission(at, rng.randrange(correct), rng.choice((1, 1, 3)), rng.random() < 0.2) for at in sorted(times)
    )
