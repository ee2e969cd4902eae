"""Simulated disks: what was not synced may be lost, from any byte on, when the process is killed."""

from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Protocol

from offchain.ledger.journal import Journal
from offchain.ledger.pbft.effects import Persist, Restart
from tests.unit.ledger.crash_disk import CrashDisk, PowerLossError

Records = list[Persist | Restart]


class Disk(Protocol):
    """Where one replica's journal lies."""

    def read(self) -> list[bytes]:
        """The records that a start finds."""

    def write(self, effects: Records) -> None:
        """All records of one step, synced."""

    def tear(self, effects: Records, rng: Random) -> None:
        """Killed while writing them."""


@dataclass(slots=True)
class RecordDisk:
    """The journal as records, without a file: quick.

    `lies`: a control of the checker; the disk says that it has synced, and has not.
    """

    synced: list[bytes] = field(default_factory=list)
    lies: bool = False

    def read(self) -> list[bytes]:
        """The records that a start finds."""
        return list(self.synced)

    def write(self, effects: Records) -> None:
        """All records of one step, synced."""
        for effect in effects if not self.lies else ():
            if isinstance(effect, Restart):
                self.synced = list(effect.records)
            else:
                self.synced.append(effect.record)

    def tear(self, effects: Records, rng: Random) -> None:
        """Some of the records arrive, the next one is torn and so is cut off at recovery."""
        self.write(effects[: rng.randint(0, len(effects))])


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

    def write(self, effects: Records) -> None:
        """As the process does: one sync for what can be appended together."""
        assert self.journal is not None
        for anew, group in groupby(effects, lambda effect: isinstance(effect, Restart)):
            if anew:
                for effect in group:
                    self.journal.restart(effect.records)  # type: ignore[union-attr]
            else:
                self.journal.append([effect.record for effect in group])  # type: ignore[union-attr]

    def tear(self, effects: Records, rng: Random) -> None:
        """Power fails before one of the next changes of the disk."""
        self.disk.dies_at = self.disk.changes + rng.randint(0, 4)
        try:
            self.write(effects)
        except PowerLossError:
            return
