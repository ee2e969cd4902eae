"""A replica whose journal was cut at any byte refuses to start, or never contradicts what it had said by then."""

from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from offchain.errors import Rejected
from offchain.ledger.journal import Journal
from offchain.ledger.pbft.effects import (
    Broadcast,
    Connected,
    Effect,
    Received,
    Send,
    Submitted,
    TimedOut,
    Timer,
)
from offchain.ledger.pbft.messages import Status
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.types import Digest, ReplicaId, Sequence
from tests.simulation.ledger_checker import Checker, Votes
from tests.simulation.ledger_disk import JournalDisk, Records
from tests.simulation.ledger_driver import Run, build
from tests.simulation.ledger_hosts import Host
from tests.simulation.ledger_register import Register
from tests.simulation.ledger_scenarios import scenario
from tests.unit.ledger.crash_disk import CrashDisk

GUARD = JournalDisk.PATH.with_name(JournalDisk.PATH.name + ".guard")
SEEDS = (3, 27, 44, 47)


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before a step is written: the files, and all that had left the replica until then."""

    files: dict[Path, bytes]
    said: Votes


class WatchedDisk(JournalDisk):
    """Remembers every moment."""

    def __init__(self, votes: Votes) -> None:
        super().__init__()
        self.votes = votes
        self.moments: list[Moment] = []

    def write(self, effects: Records, sync: bool) -> None:
        """Remembers first."""
        self.moments.append(self.moment())
        super().write(effects, sync)

    def moment(self) -> Moment:
        """The present one."""
        files = {path: bytes(inode.durable) for path, inode in self.disk.durable_names.items()}
        return Moment(files, deepcopy(self.votes))


def watched_run(seed: int) -> tuple[Run, Host, list[Moment]]:
    """A run with crashes and view changes, and all moments of one correct replica."""
    plan = scenario(seed, replicas=4, villains=1)
    run = build(replace(plan, real_journal=True))
    host = run.correct[0]
    disk = WatchedDisk(run.world.checker.votes[host.me])
    host.disk = disk
    run.play()
    return run, host, [*disk.moments, disk.moment()]


def test_cut_at_every_byte() -> None:
    refused = resumed = 0
    for seed in SEEDS:
        run, host, moments = watched_run(seed)
        for before, after in pairwise(moments):
            refused += cut_after_the_guard(before, after)
            resumed += cut_before_the_guard(run, host, before, after)
    assert refused > 10_000
    assert resumed > 100


def grown(before: Moment, after: Moment) -> range:
    """The bytes that a step appended; all, if the journal began anew."""
    old, new = before.files.get(JournalDisk.PATH, b""), after.files[JournalDisk.PATH]
    return range(len(old) if old and new.startswith(old) else 0, len(new))


def cut_after_the_guard(before: Moment, after: Moment) -> int:
    """Votes may have left on what is missing."""
    new = after.files[JournalDisk.PATH]
    return sum(is_refused({**after.files, JournalDisk.PATH: new[:cut]}) for cut in grown(before, after))


def cut_before_the_guard(run: Run, host: Host, before: Moment, after: Moment) -> int:
    """The tail was being written: the guard is still the old one, and nothing had left."""
    new, appended = after.files[JournalDisk.PATH], grown(before, after)
    if not appended.start:
        return 0
    lives = {opened({**before.files, JournalDisk.PATH: new[:cut]}) for cut in (*appended, len(new))}
    for records in lives:
        speak(run, host, records, deepcopy(before.said))
    return len(lives)


def opened(files: dict[Path, bytes]) -> tuple[bytes, ...]:
    """The records that a start finds in these files. Raises Rejected."""
    return Journal.open(JournalDisk.PATH, JournalDisk.OWNER, CrashDisk(files))[1]


def is_refused(files: dict[Path, bytes]) -> bool:
    """Asserts that no replica starts from them."""
    with pytest.raises(Rejected):
        opened(files)
    return True


def speak(run: Run, host: Host, records: tuple[bytes, ...], votes: Votes) -> None:
    """Lets the restored replica say all it can be made to say; the checker knows what it had said before."""
    replica = Replica.restore(
        host.config, Register(run.world.secrets), run.world.secrets.signer(host.me), list(records)
    )
    now = host.clock.wall()
    peers = host.peers
    effects: list[Effect] = replica.start(now)
    behind = Status(replica.view, False, Sequence(0), Digest(bytes(32)), Sequence(0))
    for peer in peers:
        effects += replica.handle(Connected(peer), now)
        effects += replica.handle(Received(ReplicaId(peer), behind), now)
    effects += replica.handle(Submitted((run.world.secrets.request(9, 9, b"after the crash"),)), now)
    for _ in range(4):
        effects += replica.handle(TimedOut(Timer.PROGRESS), now)
        effects += replica.handle(TimedOut(Timer.STATUS), now)
    checker = Checker(frozenset({host.me}), host.config.replicas)
    checker.votes[host.me] = votes
    for effect in effects:
        if isinstance(effect, Broadcast | Send):
            checker.sent(host.me, effect.message)
    assert max(votes.changes) >= replica.view, "it has left its view, and said so"
