"""The two processes of the speed benchmark, and the environment of Flower's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from offchain.bench.federated_worker import Answer, Job
from offchain.errors import Retryable

FLOWER = "1.41.0"
"""The version of Flower that is measured."""

ROOT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = Path(".build") / f"flower-{FLOWER}"
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Side:
    """A running worker."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, job: Job) -> Answer:
        """Has a job done. Raises Retryable if the process dies of it."""
        requests, answers = _pipes(self.process)
        try:
            requests.write(json.dumps(job) + "\n")
            requests.flush()
        except BrokenPipeError:
            raise Retryable(self._died(job)) from None
        line = answers.readline()
        if not line:
            raise Retryable(self._died(job))
        answer: Answer = json.loads(line)
        return answer

    def _died(self, job: Job) -> str:
        return f"bench federated: the process of {self.name} ended in {job.get('rule', 'its data')}; is there memory?"


@contextmanager
def our_side() -> Iterator[Side]:
    """Our rules, in this interpreter's environment."""
    with _running("Assay", Path(sys.executable), "offchain.bench.federated_ours") as side:
        yield side


@contextmanager
def flower_side() -> Iterator[Side]:
    """Flower's rules, in an environment of their own, which is made if it is missing."""
    with _running("Flower", _flower_python(), "offchain.bench.federated_flower") as side:
        yield side


@contextmanager
def _running(name: str, python: Path, module: str) -> Iterator[Side]:
    environment = {**os.environ, **_THREADS, "PYTHONPATH": str(ROOT), "FLWR_TELEMETRY_ENABLED": "0"}
    process = subprocess.Popen(
        [str(python), "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield Side(name, process)
    finally:
        process.kill()
        process.wait()
        for pipe in _pipes(process):
            with suppress(BrokenPipeError):
                pipe.close()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018
    return process.stdin, process.stdout


def _flower_python() -> Path:
    """The interpreter of Flower's environment. Raises Retryable if pip cannot install it."""
    python = _ENVIRONMENT / "bin" / "python"
    ready = _ENVIRONMENT / "ready"
    if not ready.exists():
        venv.create(_ENVIRONMENT, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", f"flwr=={FLOWER}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise Retryable(f"bench federated: Flower {FLOWER} can't be installed into {_ENVIRONMENT}: {reason}")
        ready.touch()
    return python.absolute()
