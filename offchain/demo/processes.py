"""A worker as a process of its own: started, listened to, killed, and never left behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from eth_typing import ChecksumAddress

from offchain.errors import Bug
from offchain.roles.context import Report, WorkerEvent
from offchain.types import OrderId

STOP_SECONDS = 15.0
"""How long a process may take to end in order."""

# The worker must die with us, also when we are killed: the shell sees the end of its standard input, whatever the
# cause. A line there names the signal to end it with.
SUPERVISE = (
    'exec 3<&0; "$@" </dev/null 3<&- & child=$!; exec >/dev/null 2>&1; '
    'read how <&3; kill -s "${how:-TERM}" "$child"; wait "$child"'
)

Fail = Callable[[BaseException], None]


@dataclass(slots=True)
class Life:
    """One run of the program. `process`: its id, once it has said so; `status`: as `wait` gives it, once it is over.

    `transactions`: that came to their end in this run, `reverted` among them; `roots_signed`: as an aggregator.
    """

    process: int | None = None
    transactions: int = 0
    reverted: int = 0
    roots_signed: int = 0
    status: int | None = None


class WorkerProcess:
    """`python -m MODULE ARGUMENTS --json` of one account, whose events come out in this process.

    `report` is called from a thread of its own, `fail` from there too, when the process ends without being told to.
    """

    def __init__(
        self,
        account: ChecksumAddress,
        command: Sequence[str],
        log: Path,
        *,
        report: Report,
        fail: Fail,
    ) -> None:
        """`command`: the module and its arguments; `log`: where its standard error goes."""
        self.account = account
        self.lives: list[Life] = []
        self._command = (sys.executable, "-m", *command)
        self._log = log
        self._report = report
        self._fail = fail
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None
        self._told_to_end = False

    def start(self) -> None:
        """Starts it, for the first time or again."""
        life = Life()
        self._told_to_end = False
        with self._log.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", SUPERVISE, "assay-supervisor", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for us; we stop it when we are done with it
            )
        self._process = process
        self.lives.append(life)
        self._listener = threading.Thread(target=self._listen, args=(process.stdout, life), daemon=True)
        self._listener.start()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end("KILL")

    def stop(self) -> None:
        """Ends it in order; by force when it does not come to its end. Nothing when it is not running."""
        self._end("TERM")

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._told_to_end = True
        try:
            _tell(process.stdin, how)
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.lives[-1].status = process.returncode
        if self._listener is not None:
            self._listener.join()

    def _listen(self, output: IO[str], life: Life) -> None:
        try:
            for line in output:
                self._hear(json.loads(line), life)
        except (ValueError, KeyError) as error:
            self._fail(Bug(f"{' '.join(self._command[2:])} said something that is no event: {error}"))
            return
        if not self._told_to_end:
            self._fail(Bug(f"{' '.join(self._command[2:])} ended: {self._last_words()}"))

    def _hear(self, fields: dict[str, Any], life: Life) -> None:
        role, oid, what = fields.pop("role"), fields.pop("oid"), fields.pop("what")
        if what == "started":
            life.process = fields["process"]
        life.transactions += "gas" in fields or what == "reverted"
        life.reverted += what == "reverted"
        if what == "sign-root":
            life.roots_signed += 1
        self._report(WorkerEvent(role, self.account, None if oid is None else OrderId(oid), what, fields))

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "without a word"


def _tell(supervisor: IO[str] | None, how: str) -> None:
    if supervisor is not None:
        with suppress(BrokenPipeError), supervisor:
            supervisor.write(how + "\n")
