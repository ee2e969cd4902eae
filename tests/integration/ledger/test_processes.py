"""Four replicas as real processes: killed under load, restarted, starved, and met with wrong keys."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.ledger.local_group import Door, LocalGroup
from offchain.ledger.submissions import SETTLED

MODULE = "tests.integration.ledger.counter"
TIMEOUT = 700
"""Milliseconds until a replica gives the primary up."""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[LocalGroup]:
    with LocalGroup(tmp_path, 4, module=MODULE, group={"timeout": TIMEOUT, "status_every": 200, "interval": 8}) as four:
        yield four


def request(name: str) -> bytes:
    return b"ok " + name.encode().ljust(120, b".")


@dataclass
class Client:
    """Sends requests one after another, each until it has a receipt, to whichever replica answers."""

    group: LocalGroup
    name: str
    replicas: list[int]
    stop: threading.Event
    acknowledged: dict[bytes, bytes] = field(default_factory=dict)
    """Request to result."""
    times: list[float] = field(default_factory=list)

    def run(self) -> None:
        doors = [Door(self.group.folder / f"{index}.sock", timeout=4 * TIMEOUT / 1000) for index in self.replicas]
        turn = number = 0
        while not self.stop.is_set():
            wanted = request(f"{self.name} {number}")
            try:
                (receipt,) = doors[turn].submit([wanted])
            except Retryable:
                turn = (turn + 1) % len(doors)
                time.sleep(0.02)
                continue
            self.acknowledged[wanted] = receipt.result
            self.times.append(time.monotonic())
            number += 1
        for door in doors:
            door.close()


class Load:
    """Clients in threads."""

    def __init__(self, group: LocalGroup, replicas: list[list[int]]) -> None:
        self.stop = threading.Event()
        self.clients = [Client(group, f"client {i}", chosen, self.stop) for i, chosen in enumerate(replicas)]
        self.threads = [threading.Thread(target=client.run) for client in self.clients]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    @property
    def acknowledged(self) -> dict[bytes, bytes]:
        return {sent: result for client in self.clients for sent, result in client.acknowledged.items()}

    def wait_for(self, more: int) -> float:
        """Waits until so many more requests were acknowledged; the longest pause between two of them meanwhile."""
        begun, target = time.monotonic(), len(self.acknowledged) + more
        while len(self.acknowledged) < target:
            assert time.monotonic() < begun + 30, "the group makes no progress"
            time.sleep(0.01)
        times = [begun, *(at for client in self.clients for at in client.times if at > begun)]
        times.sort()
        return max(after - before for before, after in pairwise(times))


def numbered(number: int) -> bytes:
    """The counter's result for a new request."""
    return b"new" + number.to_bytes(8, "big")


def order_of(door: Door) -> list[bytes]:
    """Requests in the order in which the replica executed them for the first time."""
    return [
        sent
        for _, _, requests, results in door.executed()
        for sent, result in zip(requests, results, strict=True)
        if result[:3] == b"new"
    ]


def level(group: LocalGroup) -> None:
    """Waits until all replicas have executed the same, and with the same result."""
    deadline = time.monotonic() + 60
    while len(found := {group.doors[index].digest() for index in range(4)}) > 1:
        assert len({executed for executed, _ in found}) > 1, "replicas differ"
        assert time.monotonic() < deadline, "replicas stay behind"
        time.sleep(0.05)


def test_the_primary_is_killed_under_load_and_comes_back(group: LocalGroup) -> None:
    group.start()
    with Load(group, [[1, 2, 3], [2, 3, 1], [3, 1, 2]]) as load:
        load.wait_for(60)
        group.kill(0)
        outage = load.wait_for(60)
        assert all(group.doors[index].status()["view"] > 0 for index in (1, 2, 3))
        # It comes back from its journal while the others go on, past checkpoints that it has not seen.
        load.wait_for(100)
        group.spawn(0)
        load.wait_for(60)
        group.wait_connected()
    acknowledged = load.acknowledged
    level(group)

    orders = [order_of(group.doors[index]) for index in (1, 2, 3)]
    assert orders[0] == orders[1] == orders[2]
    assert len(set(orders[0])) == len(orders[0]), "a request was executed twice"
    numbers = {sent: number for number, sent in enumerate(orders[0], start=1)}
    assert acknowledged.keys() <= numbers.keys(), "an acknowledged request was lost"
    # Those without a result were sent again after the replica that had them was killed.
    moved = {sent for sent, result in acknowledged.items() if result and result != numbered(numbers[sent])}
    assert not moved, "an acknowledged request stands elsewhere"
    # Two time-outs, and the slowness of a busy machine.
    assert outage < 2 * TIMEOUT / 1000 + 2


def test_a_backup_is_killed_at_any_moment_and_keeps_its_word(group: LocalGroup) -> None:
    """Again and again, with nothing synced but what the journal synced; the others never see it contradict itself."""
    group.start()
    with Load(group, [[0, 1, 2], [1, 2, 0]]) as load:
        for _ in range(4):
            load.wait_for(15)
            group.kill(3)
            group.spawn(3)
            group.wait_connected()
        load.wait_for(15)
    level(group)
    assert sum(group.doors[index].status()["accusations"] for index in range(4)) == 0


def test_the_whole_group_is_killed_and_forgets_nothing(group: LocalGroup) -> None:
    group.start()
    sent = [request(str(number)) for number in range(40)]
    results = [group.doors[i % 4].submit([each])[0].result for i, each in enumerate(sent)]
    assert results == [numbered(number) for number in range(1, 41)]
    for index in range(4):
        group.kill(index)
    group.start()
    level(group)
    assert group.doors[2].submit(sent) == [SETTLED] * 40
    assert group.doors[1].submit([sent[7], request("later")])[1].result == numbered(41)


def test_a_replica_that_stands_still_holds_nobody_up(group: LocalGroup) -> None:
    """Frozen, so that its links stay open and nothing is read; then it goes on and catches up."""
    group.start()
    group.send_signal(2, signal.SIGSTOP)
    big = [b"ok " + os.urandom(4_000) for _ in range(400)]
    for start in range(0, len(big), 100):
        assert all(r.result[:3] == b"new" for r in group.doors[1].submit(big[start : start + 100]))
    group.send_signal(2, signal.SIGCONT)
    level(group)
    assert group.doors[2].submit(big[:3]) == [SETTLED] * 3


def test_with_two_of_four_down_it_waits_and_then_goes_on(group: LocalGroup) -> None:
    group.start()
    group.doors[0].submit([request("before")])
    group.kill(2)
    group.kill(3)
    impatient = Door(group.folder / "0.sock", timeout=1.5)
    with pytest.raises(Retryable, match="nobody answers"):
        impatient.submit([request("in between")])
    impatient.close()
    group.spawn(2)
    group.wait_connected()
    # Replica 0 spreads its bundle when it has a quorum again: that may be before we ask another one, or after.
    (receipt,) = group.doors[1].submit([request("in between")])
    assert receipt == SETTLED or receipt.result[3:] == numbered(2)[3:]
    assert sum(request("in between") in batch[2] for batch in group.doors[1].executed()) <= 2
    assert group.doors[1].submit([request("after")])[0].result == numbered(3), "it was executed once"


def test_wrong_requests_keys_and_journals_are_refused(group: LocalGroup) -> None:
    group.start()
    with pytest.raises(Rejected, match="not valid"):
        group.doors[0].submit([request("good"), b"bad"])
    with pytest.raises(Rejected, match="not valid"):
        group.doors[0].submit([b"ok" + bytes(8 << 10)])
    assert group.doors[0].submit([request("good")])[0].result == numbered(1)
    assert group.stop(3) == 0, "a clean stop"

    folder = group.folder
    # Another member's key: the journal is not its.
    (folder / "3.key").write_text(group.keys[2].hex())
    group.spawn(3)
    assert group.wait_end(3) == 2
    assert "journal of another member" in group.log(3).splitlines()[-1]
    # A stranger's key.
    (folder / "3.key").write_text("11" * 32)
    group.spawn(3)
    assert group.wait_end(3) == 2
    assert "is no member" in group.log(3).splitlines()[-1]
    # A journal that was cut.
    (folder / "3.key").write_text(group.keys[3].hex())
    journal = folder / "3.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-1])
    group.spawn(3)
    assert group.wait_end(3) == 2
    assert "shorter than it was" in group.log(3).splitlines()[-1]
    journal.write_bytes(whole)
    group.start(3)
    # A second process for the same replica.
    second = subprocess.run(
        [sys.executable, "-m", MODULE, str(folder / "3.json")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert second.returncode == 2
    assert b"another process runs this replica" in second.stderr.splitlines()[-1]
    assert not any(key.hex() in group.log(index) for key in group.keys for index in range(4))
