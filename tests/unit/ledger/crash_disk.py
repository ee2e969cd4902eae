"""A disk in memory that loses power: at a chosen write, and with it any part of what was not synced."""

import random
from pathlib import Path


class PowerLossError(Exception):
    """The machine went down; not an OSError, so that nobody handles it."""


class Inode:
    def __init__(self, data: bytes = b"") -> None:
        self.durable = data
        self.now = bytearray(data)
        self.pending: list[tuple[int, bytes] | int] = []

    def after_loss(self, chance: random.Random) -> bytes:
        """Any of the pending writes may have reached the disk, whole or in part, or left only a longer file."""
        data = bytearray(self.durable)
        for change in self.pending:
            fate = chance.choice(("lost", "whole", "torn", "zeros"))
            if isinstance(change, int):
                if fate != "lost":
                    del data[change:]
                continue
            offset, written = change
            if fate == "torn":
                written = written[: chance.randrange(len(written) + 1)]
            elif fate == "zeros":
                written = bytes(len(written))
            if fate != "lost":
                put(data, offset, written)
        return bytes(data)


def put(data: bytearray, offset: int, written: bytes) -> None:
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(written)] = written


class CrashDisk:
    """Implements `offchain.ledger.disk.Disk`. Power fails before the change number `dies_at` (from 0)."""

    def __init__(self, files: dict[Path, bytes] | None = None, dies_at: int | None = None) -> None:
        self.durable_names = {path: Inode(data) for path, data in (files or {}).items()}
        self.names = dict(self.durable_names)
        self.renames: list[dict[Path, Inode]] = []
        self.dies_at = dies_at
        self.changes = 0
        self.locked: set[Path] = set()

    def step(self) -> None:
        if self.dies_at is not None and self.changes >= self.dies_at:
            raise PowerLossError
        self.changes += 1

    def after_loss(self, seed: int) -> dict[Path, bytes]:
        """What a restart may find."""
        chance = random.Random(seed)
        # Names change in order: some first part of the changes reached the disk.
        names = chance.choice([self.durable_names, *self.renames])
        return {path: inode.after_loss(chance) for path, inode in names.items()}

    def exists(self, path: Path) -> bool:
        return path in self.names

    def open(self, path: Path) -> "CrashFile":
        if path not in self.names:
            self.step()
            self.rename({**self.names, path: Inode()})
        return CrashFile(self, self.names[path])

    def replace(self, source: Path, target: Path) -> None:
        self.step()
        names = {**self.names, target: self.names[source]}
        del names[source]
        self.rename(names)

    def remove(self, path: Path) -> None:
        if path in self.names:
            self.step()
            self.rename({name: inode for name, inode in self.names.items() if name != path})

    def rename(self, names: dict[Path, Inode]) -> None:
        self.names = names
        self.renames.append(names)

    def sync_folder(self, folder: Path) -> None:
        self.step()
        self.durable_names, self.renames = self.names, []

    def lock(self, path: Path) -> "CrashFile | None":
        if path in self.locked:
            return None
        self.locked.add(path)
        return CrashFile(self, Inode(), on_close=lambda: self.locked.discard(path))


class CrashFile:
    def __init__(self, disk: CrashDisk, inode: Inode, on_close: object = None) -> None:
        self.disk, self.inode, self.on_close = disk, inode, on_close

    def read(self) -> bytes:
        return bytes(self.inode.now)

    def write(self, offset: int, data: bytes) -> None:
        self.disk.step()
        put(self.inode.now, offset, data)
        self.inode.pending.append((offset, data))

    def truncate(self, length: int) -> None:
        self.disk.step()
        del self.inode.now[length:]
        self.inode.pending.append(length)

    def sync(self) -> None:
        self.disk.step()
        self.inode.durable, self.inode.pending = bytes(self.inode.now), []

    def close(self) -> None:
        if callable(self.on_close):
            self.on_close()
