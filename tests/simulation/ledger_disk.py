"""Simulated disks: what was not synced may be lost, from any byte on, when the process is killed."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from offchain.ledger.journal import Journal
from offchain.ledger.pbft.effects import Persist, Restart
from tests.unit.ledger.crash_disk import CrashDisk, PowerLossError

Records = list[Persist | Restart]


class Disk(Protocol):
    """Where one replica's journal lies. As in the node, records are synced only when a message follows them."""

    def read(self) -> list[bytes]:
        """The records that a start finds."""

    def write(self, effects: Records, sync: bool) -> None:
        """All records of one step."""

    def tear(self, effects: Records, rng: Random) -> None:
        """Killed while writing and syncing them."""

    def lose(self, rng: Random) -> None:
        """Killed; what was not synced may be lost."""


@dataclass(slots=True)
class RecordDisk:
    """The journal as records, without a file: quick.

    `lies`: a control of the checker; the disk says that it has synced, and has not.
    """

    records: list[bytes] = field(default_factory=list)
    synced: int = 0
    lies: bool = False

    def read(self) -> list[bytes]:
        """The records that a start finds, and syncs, for it may repeat what they promise."""
        self.synced = len(self.records)
        return list(self.records)

    def write(self, effects: Records, sync: bool) -> None:
        """All records of one step."""
        for effect in effects if not self.lies else ():
            if isinstance(effect, Restart):
                self.records, sync = list(effect.records), True
            else:
                self.records.append(effect.record)
        if sync:
            self.synced = len(self.records)

    def tear(self, effects: Records, rng: Random) -> None:
        """Some of the records arrive, the next one is torn and so is cut off at recovery."""
        self.write(effects[: rng.randint(0, len(effects))], sync=False)

    def lose(self, rng: Random) -> None:
        """Some of what was not synced."""
        del self.records[rng.randint(self.synced, len(self.records)) :]


class JournalDisk:
    """The real journal on a disk in memory: power may fail at each write, and what was not synced is lost."""

    PATH = Path("/replica/journal")
    OWNER = bytes(32)

    def __init__(self) -> None:
        self.disk = CrashDisk()
        self.journal: Journal | None = None

    def read(self) -> list[bytes]:
        """What the real journal recovers from what a loss of power left."""
        if self.journal is not None:
            self.disk = CrashDisk(self.disk.after_loss(self.disk.changes))
        self.journal, records = Journal.open(self.PATH, self.OWNER, self.disk)
        return list(records)

    def write(self, effects: Records, sync: bool) -> None:
        """As the node does."""
        assert self.journal is not None
        records: list[bytes] = []
        restart = False
        for effect in effects:
            if isinstance(effect, Restart):
                restart, records = True, list(effect.records)
            else:
                records.append(effect.record)
        if restart:
            self.journal.restart(records)
        elif sync:
            self.journal.append(records)
        else:
            self.journal.write(records)

    def tear(self, effects: Records, rng: Random) -> None:
        """Power fails before one of the next changes of the disk."""
        self.disk.dies_at = self.disk.changes + rng.randint(0, 4)
        try:
            self.write(effects, sync=True)
        except PowerLossError:
            return

    def lose(self, rng: Random) -> None:
        """At the next reading."""
