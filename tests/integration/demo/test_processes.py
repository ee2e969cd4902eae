"""Workers as processes: their events arrive, an end that nobody asked for is noticed, and none is left behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from eth_utils.address import to_checksum_address

from offchain.demo.processes import WorkerProcess
from offchain.roles.context import WorkerEvent

ACCOUNT = to_checksum_address("0x" + "11" * 20)


class Watcher:
    """Collects what a process tells."""

    def __init__(self, tmp_path: Path, conduct: str) -> None:
        self.events: list[WorkerEvent] = []
        self.failures: list[BaseException] = []
        command = ("tests.integration.demo.speaker", conduct)
        self.process = WorkerProcess(
            ACCOUNT, command, tmp_path / "log", report=self.events.append, fail=self.failures.append
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        self.process.start()
        try:
            yield
        finally:
            self.process.stop()

    def until(self, *, events: int = 0, failures: int = 0) -> None:
        deadline = time.monotonic() + 60
        while len(self.events) < events or len(self.failures) < failures:
            assert time.monotonic() < deadline, (self.events, self.failures)
            time.sleep(0.01)


def test_events_arrive_and_a_killed_process_starts_again(tmp_path: Path) -> None:
    watcher = Watcher(tmp_path, "lasts")
    with watcher.running():
        watcher.until(events=2)
        watcher.process.kill()
        watcher.process.start()
        watcher.until(events=4)
    first, second = watcher.process.lives
    assert [event.what for event in watcher.events] == ["started", "seal"] * 2
    assert watcher.events[1] == WorkerEvent("aggregator", ACCOUNT, watcher.events[1].oid, "seal", {"gas": 5})
    assert watcher.events[1].oid == 3
    assert (first.status, first.transactions, second.transactions) == (128 + signal.SIGKILL, 1, 1)
    assert second.status == 128 + signal.SIGTERM  # this one does not listen to it
    assert first.process != second.process
    assert not watcher.failures


@pytest.mark.parametrize(
    ("conduct", "said"), [("dies", "ended: error: the chain is gone"), ("rambles", "said something that is no event")]
)
def test_what_a_process_should_not_do_is_a_failure(tmp_path: Path, conduct: str, said: str) -> None:
    watcher = Watcher(tmp_path, conduct)
    with watcher.running():
        watcher.until(failures=1)
    assert said in str(watcher.failures[0])
    assert len(watcher.failures) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nobody_is_left_behind(tmp_path: Path, how: signal.Signals) -> None:
    """Neither by Ctrl-C nor by a kill."""
    director = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.demo.director", str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with director:
        assert director.stdout is not None
        worker = psutil.Process(int(director.stdout.readline()))
        director.send_signal(how)
        director.wait(60)
        worker.wait(60)
        assert director.stdout.read() == ""
