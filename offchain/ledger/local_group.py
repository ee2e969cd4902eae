"""A whole group of replica processes on this machine, for tests and benchmarks: files, processes, and their doors."""

import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from offchain.errors import Rejected, Retryable
from offchain.ledger.identity import Address, Identity
from offchain.ledger.membership import Endpoint, Member, Membership
from offchain.ledger.submissions import Receipt
from offchain.ledger.types import Millis
from offchain.ledger.types import Sequence as SequenceNumber

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
STARTS_WITHIN = 120.0


class Door:
    """A client of one replica's control socket. One call at a time."""

    def __init__(self, path: Path, timeout: float | None = None) -> None:
        """`timeout`: seconds to wait for an answer; None: for ever."""
        self._path = path
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._file: Any = None

    def ask(self, **fields: object) -> dict[str, Any]:
        """One operation of `control`. Raises Retryable when nobody answers, and what the node answers."""
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.settimeout(self._timeout)
                self._socket.connect(str(self._path))
                self._file = self._socket.makefile("rwb")
            self._file.write(json.dumps(fields).encode() + b"\n")
            self._file.flush()
            line = self._file.readline()
        except OSError as error:
            self.close()
            raise Retryable(f"{self._path}: nobody answers ({error})") from error
        if not line:
            self.close()
            raise Retryable(f"{self._path}: hung up")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise (Retryable if answer["kind"] == "Retryable" else Rejected)(answer["error"])
        return answer

    def submit(self, requests: Sequence[bytes]) -> list[Receipt]:
        """See LedgerNode.submit."""
        answer = self.ask(op="submit", requests=[request.hex() for request in requests])
        return [Receipt(SequenceNumber(s), Millis(t), bytes.fromhex(result)) for s, t, result in answer["receipts"]]

    def wait_for(self, requests: int) -> float:
        """When (CLOCK_MONOTONIC, seconds) the replica had executed so many requests in all; waits for it."""
        return float(self.ask(op="wait", requests=requests)["at"])

    def status(self) -> dict[str, Any]:
        """NodeStatus as an object."""
        found: dict[str, Any] = self.ask(op="status")["status"]
        return found

    def executed(self, since: int = 0) -> list[tuple[int, int, list[bytes], list[bytes]]]:
        """Sequence, time, requests and results of what the process has executed and remembers."""
        batches = self.ask(op="executed", since=since)["batches"]
        return [(s, t, [bytes.fromhex(r) for r in rs], [bytes.fromhex(r) for r in out]) for s, t, rs, out in batches]

    def digest(self) -> tuple[int, bytes]:
        """What the replica has executed, and the digest of its application's state then."""
        answer = self.ask(op="digest")
        return answer["executed"], bytes.fromhex(answer["digest"])

    def close(self) -> None:
        """Hangs up."""
        for each in (self._file, self._socket):
            if each is not None:
                try:
                    each.close()
                except OSError:
                    continue
        self._file = self._socket = None


class LocalGroup:
    """Replicas as processes; `module` is run with each one's config. A context manager that ends them all."""

    def __init__(
        self,
        folder: Path,
        replicas: int,
        *,
        module: str = "offchain.ledger.process",
        chain_id: int = 31337,
        committee: Address = Address(bytes(19) + b"\x01"),  # noqa: B008 (immutable)
        journal: bool = True,
        group: dict[str, int] | None = None,
    ) -> None:
        """Makes keys and configs in `folder`. `group`: fields of GroupConfig."""
        self.folder = folder
        self._module = module
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.keys = [secrets.token_bytes(32) for _ in range(replicas)]
        ports = free_ports(2 * replicas)
        members = tuple(
            Member(Identity(key).address, Endpoint(HOST, ports[2 * i], f"http://{HOST}:{ports[2 * i + 1]}"))
            for i, key in enumerate(self.keys)
        )
        self.membership = Membership(chain_id, committee, members)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "members.json").write_text(self.membership.to_json(), encoding="utf-8")
        for index, key in enumerate(self.keys):
            key_file = folder / f"{index}.key"
            key_file.touch(mode=0o600)
            key_file.write_text(key.hex(), encoding="ascii")
            config = {
                "membership": "members.json",
                "key": key_file.name,
                "journal": f"{index}.journal" if journal else None,
                "control": f"{index}.sock",
                "endsWithInput": True,  # so that none outlives a test or benchmark that is killed
                "group": group or {},
            }
            (folder / f"{index}.json").write_text(json.dumps(config), encoding="utf-8")
        self.doors = [Door(folder / f"{index}.sock") for index in range(replicas)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for index in list(self._processes):
            self.kill(index)
        for door in self.doors:
            door.close()

    def start(self, *indices: int) -> None:
        """Starts these replicas, or all; returns when each sees all that run."""
        chosen = indices or tuple(range(len(self.keys)))
        for index in chosen:
            self.spawn(index)
        self.wait_connected()

    def spawn(self, index: int) -> None:
        """Starts a replica's process and doesn't wait."""
        with (self.folder / f"{index}.log").open("ab") as log:
            command = [sys.executable, "-m", self._module, str(self.folder / f"{index}.json")]
            self._processes[index] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.PIPE)

    def wait_connected(self) -> None:
        """Raises Retryable with a replica's last words when it ends, or they don't find each other."""
        # A hundred interpreters and five thousand handshakes take minutes where others work too.
        deadline = time.monotonic() + STARTS_WITHIN + 3 * len(self._processes)
        for index in list(self._processes):
            while not self._sees_all(index):
                if self._processes[index].poll() is not None or time.monotonic() > deadline:
                    raise Retryable(f"replica {index} did not come up: {self.log(index)[-2000:]}")
                time.sleep(0.02)

    def _sees_all(self, index: int) -> bool:
        try:
            connected = self.doors[index].status()["connected"]
        except Retryable:
            return False
        return all(connected[other] for other in self._processes)

    def kill(self, index: int) -> None:
        """As kill -9 does."""
        self._end(index, signal.SIGKILL)

    def stop(self, index: int) -> int:
        """As SIGTERM does; the exit code."""
        return self._end(index, signal.SIGTERM)

    def send_signal(self, index: int, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT, for instance."""
        self._processes[index].send_signal(number)

    def pid(self, index: int) -> int:
        """Of a replica's process."""
        return self._processes[index].pid

    def log(self, index: int) -> str:
        """What the replica logged."""
        return (self.folder / f"{index}.log").read_text(encoding="utf-8", errors="replace")

    def wait_end(self, index: int) -> int:
        """Waits for a process that ends by itself; its exit code."""
        return self._processes.pop(index).wait(timeout=30)

    def _end(self, index: int, number: signal.Signals) -> int:
        process = self._processes.pop(index)
        process.send_signal(number)
        self.doors[index].close()
        return process.wait(timeout=30)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on now, below those that systems give to callers."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server((HOST, port)):
            found += [] if port in found else [port]
    return found
