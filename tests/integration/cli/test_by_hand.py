"""The README's walk: an order from the data to the rewards, by real processes of the `assay` executable.

Commands that end at once run in this process instead: twenty interpreters that start would cost more than all the rest.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.contracts import AssayContracts
from offchain.cli.session import load_settings, open_session
from offchain.ledger.local_group import free_ports
from offchain.protocol.lifecycle import Phase
from offchain.roles.summary import summarise
from offchain.types import OrderId
from tests.integration.cli.support import call
from tests.integration.hurry import Expected, hurry

ASSAY = Path(sys.executable).with_name("assay")
WINDOWS = ("--train-seconds", "10m", "--reveal-seconds", "5m", "--validate-seconds", "10m", "--challenge-seconds", "2m")
"""Long ones, out of which the clock is moved when all has happened."""
AGGREGATORS = ("dev5", "dev6", "dev7", "dev8")
PATIENCE = 400.0


@dataclass
class Household:
    """Processes that share one home, on a chain of their own."""

    folder: Path
    rpc: str = ""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Leaves `assay WORDS…` running, as `name`; its output goes to a file."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen([ASSAY, *words], stdout=log, stderr=log, env=self._environment)
        self.running[name] = process
        return process

    def log(self, name: str) -> Path:
        """What a running process has printed."""
        return self.folder / f"{name}.log"

    def says(self, name: str, word: str) -> bool:
        """Whether a running process has printed `word`."""
        return word in self.log(name).read_text()

    def __call__(self, *words: str) -> str:
        """Standard output of `assay WORDS…`, run here, which must succeed."""
        answer = call(words, self._variables)
        assert answer.code == 0, f"assay {' '.join(words)}: {answer.out}{answer.err}"
        return answer.out

    def executable(self, *words: str) -> str:
        """The same in a process of its own."""
        ended = subprocess.run([ASSAY, *words], capture_output=True, text=True, env=self._environment, timeout=120)
        assert ended.returncode == 0, f"assay {' '.join(words)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def wait_for(self, what: str, there: Callable[[], Any], deadline: float) -> Any:
        """What `there` gives as soon as it is true, unless somebody has died."""
        while time.monotonic() < deadline:
            dead = [name for name, process in self.running.items() if process.poll() is not None]
            assert not dead, f"{dead[0]} died: {self.log(dead[0]).read_text()}"
            found = there()
            if found:
                return found
            time.sleep(0.3)
        raise AssertionError(f"{what} did not happen in time")

    def stop(self) -> dict[str, int]:
        """Asks all to end; their exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(60) for name, process in self.running.items()}

    def contracts(self) -> AssayContracts:
        """The contracts as the household knows them."""
        return open_session(load_settings(home=self.folder / "home", rpc=self.rpc)).contracts

    @property
    def _variables(self) -> dict[str, str]:
        names = {"ASSAY_HOME": "home", "ASSAY_PASSWORD_FILE": "password"}
        paths = {name: str(self.folder / place) for name, place in names.items()}
        return {**paths, **({"ASSAY_RPC": self.rpc} if self.rpc else {})}

    @property
    def _environment(self) -> dict[str, str]:
        # Six processes with torch in them share two cores here.
        return {**os.environ, **self._variables, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    (tmp_path / "password").write_text("secret\n")
    house = Household(tmp_path)
    try:
        yield house
    finally:
        for process in house.running.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def test_an_order_from_put_to_the_rewards(household: Household, tmp_path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    household.start("devnet", "devnet", "--port", "0")
    household.rpc = household.wait_for("the chain", lambda: _url(household.log("devnet")), deadline)
    household("keys", "dev")
    household("deploy")
    household("keys", "fund", *(f"dev{index}" for index in range(1, 10)))
    roles = {"dev2": "provider", "dev3": "validator", "dev4": "validator", "dev9": "verifier"}
    roles |= dict.fromkeys(AGGREGATORS, "aggregator")
    for key, role in roles.items():
        household("stake", "add", role, "1000", "--key", key)
    flags = {key: ("--listen", f"127.0.0.1:{port}") for key, port in zip(AGGREGATORS, free_ports(4), strict=True)}
    flags["dev9"] = ("--always",)
    for key, role in {**roles, "dev1": "client"}.items():
        household.start(key, role, "run", "--key", key, *flags.get(key, ()))
    household.wait_for("the workers", lambda: all(household.says(key, "Ctrl-C") for key in [*roles, "dev1"]), deadline)

    table = tmp_path / "points.csv"
    rows = [f"{i % 3 * 2 + i % 7 / 10},{i % 3 - i % 5 / 10},{'abc'[i % 3]}" for i in range(240)]
    table.write_text("\n".join(["height,width,kind", *rows]) + "\n")
    order = ("--train", str(table), "--label", "kind", "--model", "mlp:8", "--reward", "100", *WINDOWS)
    placed = json.loads(household.executable("put", "--key", "dev1", *order, "--yes", "--json"))
    assert placed["order_id"] == 1  # by `client run`, which has the key

    # A provider dies without a word in the middle of it, and goes on where it was.
    household.wait_for("a claim", lambda: household.says("dev2", "claim"), deadline)
    household.running["dev2"].kill()
    household.running["dev2"].wait()
    household.start("dev2", "provider", "run", "--key", "dev2")

    _check_ledger(household)

    # Before the challenges end the verifier has scored it too.
    examined = {Phase.CHALLENGE: lambda: household.says("dev9", "examined")}
    happens = Expected(claims=1, reveals=1, score_commits=2, score_reveals=2, also=examined)
    contracts = household.contracts()
    with hurry(contracts, happens):
        household.wait_for("the payment", lambda: summarise(contracts, OrderId(1)).paid, deadline)
    shown = json.loads(household("show", "1", "--json"))
    keys = {entry["name"]: entry["address"] for entry in json.loads(household("keys", "list", "--json"))}
    assert (shown["outcome"], shown["winner"]) == ("won", keys["dev2"])
    assert set(shown["payouts"]) == {keys["dev2"], keys["dev3"], keys["dev4"]}
    assert sum(shown["payouts"].values()) + shown["tax"] == 100 * 10**18

    assert json.loads(household("disputes", "--json")) == []

    _check_rewards(household, keys, shown)
    files = json.loads(household("get", "1", "--format", "onnx", "--out", str(tmp_path / "model"), "--json"))["files"]
    assert [Path(name).name for name in files] == ["model_integer.onnx", "model_float.onnx"]
    assert all(Path(name).stat().st_size > 100 for name in files)

    household.executable("claim-rewards", "--key", "dev0", "--for", "dev2")
    bonds = {entry["key"]: entry for entry in json.loads(household("stake", "show", "--json"))}
    assert bonds["dev2"]["tokens"] == 9_000 * 10**18 + shown["payouts"][keys["dev2"]]
    assert bonds["dev2"]["provider"]["bonded"] == 1_000 * 10**18  # nothing was slashed

    codes = household.stop()
    assert codes == dict.fromkeys(codes, 0), {name: household.log(name).read_text() for name, c in codes.items() if c}
    assert not any("Traceback" in household.log(name).read_text() for name in codes)


def _check_ledger(household: Household) -> None:
    """Four replicas, which know what they were told: while the order is in training by their clocks, too."""
    household("ledger", "submit", "1", "--key", "dev1")
    household("ledger", "submit", "1", "--key", "dev2")
    replicas = json.loads(household("ledger", "status", "--json"))
    assert [replica["error"] for replica in replicas] == [None] * len(AGGREGATORS)
    assert [order["oid"] for order in json.loads(household("ledger", "orders", "--json"))] == [1]
    household("ledger", "show", "1")


def _check_rewards(household: Household, keys: dict[str, str], shown: dict[str, Any]) -> None:
    """A root paid, three of four members signed it, and the winner can pull what it says."""
    assert "root" in household("rewards", "--roots")
    found = {entry["key"]: entry for entry in json.loads(household("rewards", "--json"))}
    assert found["dev2"]["claimable"] == shown["payouts"][keys["dev2"]]
    assert sum(found[key]["claimable"] for key in AGGREGATORS) == shown["tax"]


def _url(log: Path) -> str:
    line: Sequence[str] = log.read_text().split()
    return next((word for word in line if word.startswith("http://")), "") if "Next," in line else ""
