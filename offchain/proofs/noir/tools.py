"""The programs behind the proofs: Node, the npm packages of Noir and of the Solidity compiler, and Barretenberg (`bb`).

They come with `npm install` in the project's directory. Who has none can do everything but make and check such proofs.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from offchain.errors import Rejected, Retryable

VERSIONS = {
    "@aztec/bb.js": "5.0.0",
    "@noir-lang/noir_wasm": "1.0.0-beta.26",
    "@noir-lang/noir_js": "1.0.0-beta.26",
    "solc": "0.8.30",
}
"""npm packages. Any other version makes another verifier, under another key of the registry."""

WAY_OUT = (
    "run `npm install` in Assay's directory, or name a directory with its node_modules by --proof-tools or "
    "ASSAY_PROOF_TOOLS"
)
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
SYSTEMS = {"linux": "linux", "darwin": "macos"}
TOOL_SECONDS = 3_600.0
KILLED = -9
LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are. `modules`: the node_modules directory with the packages of `VERSIONS`."""

    node: Path
    modules: Path
    bb: Path

    def script(self, name: str, *arguments: Path | str, seconds: float = TOOL_SECONDS) -> "Finished":
        """Runs a script of this package under Node; its first argument is the modules' directory."""
        with resources.as_file(resources.files("offchain.proofs.noir") / name) as path:
            words = [str(self.node), str(path), str(self.modules), *map(str, arguments)]
            return run_program(words, {}, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended. `seconds`: wall-clock time; `peak_bytes`: the most memory it had."""

    code: int
    output: str
    complaint: str
    seconds: float
    peak_bytes: int

    @property
    def last_words(self) -> str:
        """The last line that says something, for an error's message."""
        said = self.complaint if self.complaint.strip() else self.output
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"exit code {self.code}"

    def succeeded(self, what: str) -> "Finished":
        """Itself; raises Retryable when the program was killed, Rejected when it failed, both naming `what`."""
        if self.code == KILLED:
            raise Retryable(f"{what} was killed: there is not enough memory, or it took too long; try a smaller chunk")
        if self.code != 0:
            raise Rejected(f"{what} failed: {self.last_words}")
        return self


def find_tools(folder: Path | None = None) -> Tools:
    """The tools below `folder`, else beside or above the working directory or this package.

    Raises Rejected, with the way out, when something is missing, of another version, or does not run.
    """
    node = shutil.which("node")
    if node is None:
        raise Rejected(
            f"proofs need Node.js 20 or later, and there is no `node` on the PATH: install it, then {WAY_OUT}"
        )
    modules = _find_modules(folder)
    for package, version in VERSIONS.items():
        _require_version(modules, package, version)
    bb = modules / "@aztec" / "bb.js" / "build" / _platform() / "bb"
    if not bb.is_file():
        raise Rejected(f"{bb}: no such program; {WAY_OUT}")
    try:
        run_program([str(bb), "--version"], {}, seconds=60).succeeded("Barretenberg")
    except OSError as error:
        raise Rejected(f"{bb} does not run here ({error.strerror}); {WAY_OUT}") from error
    return Tools(Path(node), modules, bb)


def _find_modules(folder: Path | None) -> Path:
    if folder is not None:
        places = [folder, folder.parent] if folder.name == "node_modules" else [folder]
    else:
        places = [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents]
    for place in places:
        if (place / "node_modules" / "@aztec" / "bb.js").is_dir():
            return (place / "node_modules").absolute()  # as Node wants it
    where = "here or above" if folder is None else f"in {folder}"
    raise Rejected(f"proofs need Barretenberg (npm's @aztec/bb.js), which is not {where}: {WAY_OUT}")


def _require_version(modules: Path, package: str, expected: str) -> None:
    try:
        actual = json.loads((modules / package / "package.json").read_text(encoding="utf-8")).get("version")
    except (OSError, ValueError, AttributeError) as error:
        raise Rejected(f"proofs need npm's {package} {expected}, which is not in {modules}: {WAY_OUT}") from error
    if actual != expected:
        raise Rejected(f"proofs need npm's {package} {expected}, found {actual} in {modules}: {WAY_OUT}")


def _platform() -> str:
    machine, system = ARCHITECTURES.get(platform.machine().lower()), SYSTEMS.get(sys.platform)
    if machine is None or system is None:
        raise Rejected(f"Barretenberg has no program for {sys.platform} on {platform.machine()}; use Linux or macOS")
    return f"{machine}-{system}"


def run_program(command: Sequence[str], environment: Mapping[str, str], *, seconds: float) -> Finished:
    """Runs a program to its end, and kills it after `seconds`. It sees nothing of our environment but `environment`."""
    # A home of its own: Barretenberg would keep, and look for, a reference string in the user's.
    with (
        tempfile.TemporaryDirectory(prefix="assay-tool-") as home,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as complaints,
    ):
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=complaints, env={"HOME": home, **environment}
        )
        code, peak = _wait(process, seconds)
        taken = time.perf_counter() - started
        return Finished(code, _text(out.fileno()), _text(complaints.fileno()), taken, peak)


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> tuple[int, int]:
    """Exit code (negative: the signal), and the peak of its memory in bytes."""
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    peak = _PeakMemory(process.pid)
    peak.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        timer.cancel()
        peak.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, peak.bytes or usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class _PeakMemory(threading.Thread):
    """Looks at a process's high-water mark now and then: what Linux says at its end counts our own memory too."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._stopped = threading.Event()
        self.bytes = 0

    def run(self) -> None:
        """Until `stop`, or the process is gone."""
        while self._look() and not self._stopped.wait(LOOK_SECONDS):
            pass

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self.join()

    def _look(self) -> bool:
        try:
            found = re.search(r"^VmHWM:\s+(\d+) kB$", self._status.read_text(encoding="ascii"), re.MULTILINE)
        except (OSError, ValueError):
            return False
        if found is not None:
            self.bytes = max(self.bytes, int(found[1]) * 1024)
        return found is not None


def _text(descriptor: int, most: int = 2**20) -> str:
    """What was written to a file, its last `most` bytes."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, most, max(0, size - most)).decode("utf-8", errors="replace")
