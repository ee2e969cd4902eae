"""A sender that dies at any boundary and starts again does everything once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil
from offchain.chain.sender import BOUNDARIES, Intended, SendPolicy, open_sender
from offchain.chain.transactions import TxCall
from offchain.types import Wei
from tests.integration.chain.conftest import funded

RECEIVERS = [to_checksum_address(f"0x{number:040x}") for number in range(0xA001, 0xA004)]
CALLS = [Intended(f"pay {n}", TxCall(receiver, b"", Wei(n + 1))) for n, receiver in enumerate(RECEIVERS)]


class Crash(BaseException):
    """Stands for the end of the process: nothing may catch it."""


def crash_at(point: int, seen: list[str]) -> Callable[[str], None]:
    """A boundary hook that crashes when it is called for the `point`-th time, counted from 0."""

    def hook(name: str) -> None:
        seen.append(name)
        if len(seen) == point + 1:
            raise Crash(name)

    return hook


def life(client: ChainClient, account: LocalAccount, folder: Path, point: int) -> tuple[list[str], bool]:
    """One life of a worker that sends CALLS, crashing at `point`: boundaries passed, and whether it survived."""
    seen: list[str] = []
    policy = SendPolicy(resend_seconds=0.0)  # looks again at once, so that replacing is among the boundaries
    sender = None
    try:
        sender = open_sender(client, account, folder, policy=policy, boundary=crash_at(point, seen))
        tickets = sender.submit_many(CALLS[:2])
        sender.step()
        client.request("evm_mine")
        tickets.append(sender.submit(CALLS[2].key, CALLS[2].call))
        client.request("evm_mine")
        sender.wait_all(tickets)
    except Crash:
        return seen, False
    finally:
        if sender is not None:
            sender.close()
    return seen, True


@pytest.mark.parametrize("point", range(14))
def test_crash_at_every_boundary(manual: ChainClient, tmp_path: Path, point: int) -> None:
    account = funded(manual, tmp_path)
    manual.request("evm_mine")
    before = [manual.balance(receiver) for receiver in RECEIVERS]
    seen, survived = life(manual, account, tmp_path, point)
    if not survived:
        _, survived = life(manual, account, tmp_path, 10**6)
    assert survived
    assert set(seen) <= set(BOUNDARIES)
    gained = [manual.balance(receiver) - old for receiver, old in zip(RECEIVERS, before, strict=True)]
    assert gained == [1, 2, 3]
    assert manual.nonce(account.address) == 3


def test_the_crash_points_cover_every_boundary(manual: ChainClient, tmp_path: Path) -> None:
    account = funded(manual, tmp_path)
    manual.request("evm_mine")
    seen, survived = life(manual, account, tmp_path, 10**6)
    assert survived
    assert set(seen) == set(BOUNDARIES)
    assert len(seen) <= 14


CHILD = """
import os, signal, sys
from pathlib import Path
from eth_account import Account
from offchain.chain.client import connect
from offchain.chain.contracts import load_error_decoder
from offchain.chain.sender import open_sender
from offchain.chain.transactions import TxCall

url, key, folder, victim = sys.argv[1:]
def boundary(name):
    if name == victim:
        os.kill(os.getpid(), signal.SIGKILL)
client = connect(url, errors=load_error_decoder())
sender = open_sender(client, Account.from_key(key), Path(folder), boundary=boundary)
sender.send("pay", TxCall("0x000000000000000000000000000000000000A00F", b"", 5))
print(client.nonce(sender.address))
"""


@pytest.mark.parametrize("victim", ["journal:intent", "broadcast", "journal:outcome", "done"])
def test_a_killed_process_restarts_without_double_action(shared_anvil: Anvil, tmp_path: Path, victim: str) -> None:
    client = shared_anvil.client()
    account = funded(client, tmp_path)
    before = client.balance("0x000000000000000000000000000000000000A00F")
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    arguments = [sys.executable, str(script), shared_anvil.url, account.key.to_0x_hex(), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    killed = subprocess.run([*arguments, victim], env=environment, capture_output=True, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    again = subprocess.run([*arguments, "never"], env=environment, capture_output=True, check=False, timeout=60)
    assert (again.returncode, again.stdout.strip()) == (0, b"1"), again.stderr
    assert client.balance("0x000000000000000000000000000000000000A00F") == before + 5
