"""Somebody follows docs/testnet.md to the letter, against the rehearsal chain, and ends with a paid order.

What is changed is in `Newcomer`: the node's URL, and the faucet's page. Where the page says that one waits, the chain's
clock is moved on as soon as all that is expected has happened.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from offchain.chain.addresses import read_addresses
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import Anvil
from offchain.errors import Retryable
from offchain.protocol.lifecycle import ENDED
from offchain.roles.summary import summarise
from offchain.types import TOKEN, OrderId
from tests.integration.chain.support import Proxy
from tests.integration.hurry import Expected, hurry
from tests.integration.rehearsal.nodes import Habits, PublicNodes
from tests.integration.rehearsal.voyage import TESTNET, rehearsal_chain

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "testnet.md"
NODE = re.compile(r"^export ASSAY_RPC=https://\S+$", re.MULTILINE)
TERMINAL = "# in a terminal of its own"
UNTIL = "# until it says: "
FAUCET_COINS = 3 * 10**17
PATIENCE = 400.0
FIRST = OrderId(1)

PUBLIC = Habits(lags=(0, 0, 1), log_blocks=500, batch=50, per_second=100, finality=3, busy=0.002, cut=0.001, lost=0.001)
"""One address of a pool: three times the documented limit of requests, for five workers that live much faster."""


def blocks() -> list[str]:
    """The framed blocks of the page in order."""
    return re.findall(r"^```shell\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@dataclass
class Newcomer:
    """A person with a home directory of its own, a browser for the faucet, and some terminals."""

    folder: Path
    rpc: str
    setup: str = ""
    said: str = ""
    terminals: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, block: str) -> str:
        """Runs a block in a terminal that is new; what it printed."""
        words = ["bash", "-eo", "pipefail", "-c", f"{self.setup}\n{block}"]
        ended = subprocess.run(
            words, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE
        )
        output = ended.stdout.decode()
        self.said += f"{block}{output}\n"
        assert ended.returncode == 0, self.said
        return output

    def leave_running(self, block: str) -> None:
        log = self.folder / f"terminal{len(self.terminals)}.log"
        with log.open("wb") as output:
            words = ["bash", "-eo", "pipefail", "-c", f"{self.setup}\n{block}"]
            terminal = subprocess.Popen(
                words, cwd=ROOT, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        self.terminals.append(terminal)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("terminal*.log")))

    def all_well(self) -> None:
        assert all(terminal.poll() is None for terminal in self.terminals), self.logs()

    def stop(self) -> None:
        for terminal in self.terminals:
            if terminal.poll() is None:
                os.killpg(terminal.pid, signal.SIGTERM)
        for terminal in self.terminals:
            try:
                terminal.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(terminal.pid, signal.SIGKILL)
                terminal.wait()

    @property
    def home(self) -> Path:
        return self.folder / "assay-testnet"

    def address(self, name: str) -> str:
        """As `assay keys list` has printed it."""
        found = re.search(rf"\b{name}\b\W+(0x[0-9a-fA-F]{{40}})", self.said)
        assert found, self.said
        return found[1]

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
        return {**kept, "HOME": str(self.folder), "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "200"}


def contracts_of(anvil: Anvil, newcomer: Newcomer) -> AssayContracts:
    """Past all proxies, for the clock and the checks."""
    client = anvil.client()
    return AssayContracts(client, read_addresses(newcomer.home / "deployments" / f"{TESTNET}.json"))


@contextmanager
def time_flies(contracts: AssayContracts) -> Iterator[None]:
    """Windows end once all has happened in them; after the order the hours until the pay go by in seconds."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(1.0):
            try:
                if contracts.order_count() and contracts.phase(FIRST) in ENDED and not summarise(contracts, FIRST).paid:
                    contracts.client.request("evm_increaseTime", 600)
            except Retryable:
                continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        with hurry(contracts, Expected(claims=1, reveals=1, score_commits=2, score_reveals=2)):
            yield
    finally:
        stop.set()
        thread.join()


def wait_for(there: Callable[[], bool], newcomer: Newcomer) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():
        newcomer.all_well()
        assert time.monotonic() < deadline, newcomer.said + newcomer.logs()
        time.sleep(0.5)


def follow(page: list[str], newcomer: Newcomer, anvil: Anvil) -> None:
    """All of the page, from the first block to the last."""
    first, *rest = page
    newcomer.setup, replaced = NODE.subn(f"export ASSAY_RPC={newcomer.rpc}", first)
    assert replaced == 1, "the one line that is not taken literally"
    before = next(place for place, block in enumerate(rest) if "assay put" in block)
    for block in rest[:before]:
        if block.startswith(TERMINAL):
            newcomer.leave_running(block)
            continue
        newcomer.run(block)
        if "assay keys list" in block:  # here one goes to the faucet's page, and waits a minute
            anvil.client().request("anvil_setBalance", newcomer.address("owner"), hex(FAUCET_COINS))
            anvil.client().request("anvil_mine", hex(20))
    contracts = contracts_of(anvil, newcomer)
    wait_for(lambda: newcomer.logs().count("Ctrl-C stops it") == len(newcomer.terminals), newcomer)
    with time_flies(contracts):
        for block in rest[before:]:
            if UNTIL in block:
                wait_for(lambda: summarise(contracts, FIRST).paid, newcomer)
                word = block.splitlines()[0].removeprefix(UNTIL)
                wait_for(lambda block=block, word=word: word in newcomer.run(block), newcomer)
            else:
                newcomer.run(block)


def check(folder: Path, block_seconds: float, habits: Habits) -> None:
    with rehearsal_chain(block_seconds) as anvil, Proxy(anvil.url) as proxy:
        nodes = PublicNodes(anvil.url, habits)
        proxy.before = nodes.answer
        newcomer = Newcomer(folder, proxy.url)
        try:
            follow(blocks(), newcomer, anvil)
            newcomer.all_well()
        finally:
            newcomer.stop()
        assert "Traceback" not in newcomer.said + newcomer.logs()
        _check_paid(newcomer, contracts_of(anvil, newcomer))
        assert nodes.counts.requests > 100


def _check_paid(newcomer: Newcomer, contracts: AssayContracts) -> None:
    shown = summarise(contracts, FIRST)
    trainer, judges = newcomer.address("trainer"), {newcomer.address("judge1"), newcomer.address("judge2")}
    assert shown.winner == trainer
    payouts = {payout.account: payout.amount for payout in shown.payouts}
    assert set(payouts) == {trainer, *judges}
    assert sum(payouts.values()) + shown.tax == 50 * TOKEN
    assert contracts.token_balance(trainer) == (2000 - 200) * TOKEN + payouts[trainer]
    files = sorted(path.name for path in (newcomer.home / "model").iterdir())
    assert files == ["model_float.onnx", "model_integer.onnx"]


@pytest.mark.long
def test_a_newcomer_gets_from_the_faucet_to_a_paid_order(tmp_path: Path) -> None:
    check(tmp_path, 0.45, PUBLIC)


@pytest.mark.long
@pytest.mark.parametrize("block_seconds", [0.75, 3.0])
def test_the_same_with_slower_blocks(tmp_path: Path, block_seconds: float) -> None:
    check(tmp_path, block_seconds, replace(PUBLIC, split=True, batch=1, lags=(0, 1, 2)))
