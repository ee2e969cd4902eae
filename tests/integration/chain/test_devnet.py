"""Development chains as processes: they start, keep real time, serve others, and end with us."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import connect
from offchain.chain.devnet import (
    Anvil,
    AnvilOptions,
    EmbeddedNet,
    dev_accounts,
    devnet,
    find_anvil,
    travel,
    wait_until_mined,
)
from offchain.chain.sender import open_sender
from offchain.chain.transactions import TxCall
from offchain.errors import Rejected
from offchain.types import Wei

SOMEONE = "0x000000000000000000000000000000000000bEEF"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", ["anvil", "embedded"])
def test_blocks_keep_real_time(kind: str) -> None:
    with devnet(kind) as client:
        first = client.head()
        wait_until_mined(client, after=first.number + 1)
        second = client.head()
        assert abs(second.timestamp - time.time()) <= 2
        assert second.timestamp > first.timestamp


@pytest.mark.parametrize("kind", ["anvil", "embedded"])
def test_development_accounts_are_funded_on_both(kind: str) -> None:
    accounts = dev_accounts(20)
    assert accounts[0].address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    with devnet(kind) as client:
        assert [client.balance(account.address) for account in accounts] == [10_000 * 10**18] * 20


@pytest.mark.parametrize("kind", ["anvil", "embedded"])
def test_time_travels(kind: str) -> None:
    with devnet(kind) as client:
        before = client.now()
        after = travel(client, 3600)
        assert 3600 <= after - before <= 3605
        wait_until_mined(client, after=client.head().number)
        assert client.now() >= after, "and goes on from there"


def test_an_unknown_kind_is_rejected() -> None:
    with pytest.raises(Rejected, match="--chain ganache: expected anvil, embedded, auto or a URL"), devnet("ganache"):
        pass


def test_auto_takes_anvil_when_there_is_one() -> None:
    assert find_anvil() is not None
    with devnet("auto") as client:
        assert client.chain_id == 31337


def test_anvil_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"Anvil did not start: .*--no-such-flag"):
        Anvil.start(AnvilOptions(extra=("--no-such-flag",)))
    with pytest.raises(Rejected, match="Anvil did not start"):
        Anvil.start(executable=tmp_path / "nothing-here")


def test_anvil_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "state.json")
    with Anvil.start(options) as anvil:
        client = anvil.client()
        genesis = client.genesis()
        sender = open_sender(client, dev_accounts(1)[0], tmp_path)
        sender.send("pay", TxCall(SOMEONE, b"", Wei(5)))
        sender.close()
    with Anvil.start(options) as anvil:
        client = anvil.client()
        assert client.balance(SOMEONE) == 5
        assert client.genesis() == genesis
        assert open_sender(client, dev_accounts(1)[0], tmp_path).send("pay", TxCall(SOMEONE, b"", Wei(5))).succeeded
        assert client.balance(SOMEONE) == 5


PARENT = """
import sys, time
from offchain.chain.devnet import Anvil
anvil = Anvil.start()
print(anvil.url, flush=True)
time.sleep(60)
"""


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_anvil_dies_with_its_parent_even_when_that_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("http://")
        children = descendants(parent)
        assert any("anvil" in child.name() for child in children)
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


WORKER = """
import sys
from pathlib import Path
from offchain.chain.client import connect
from offchain.chain.contracts import load_error_decoder
from offchain.chain.devnet import dev_accounts
from offchain.chain.sender import open_sender
from offchain.chain.transactions import TxCall
url, folder, index = sys.argv[1:]
client = connect(url, errors=load_error_decoder(), chain_id=1337)
sender = open_sender(client, dev_accounts(int(index) + 1)[int(index)], Path(folder))
for number in range(3):
    assert sender.send(f"pay {number}", TxCall("0x000000000000000000000000000000000000bEEF", b"", 1)).succeeded
"""


def test_the_embedded_chain_serves_other_processes(tmp_path: Path) -> None:
    with EmbeddedNet() as net:
        url = net.serve()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, url, str(tmp_path), str(index)], env=environment)
            for index in range(3)
        ]
        assert [worker.wait(60) for worker in workers] == [0, 0, 0]
        client = connect(url, errors=load_error_decoder(), chain_id=1337)
        assert client.balance(SOMEONE) == 9
        assert client.web3.eth.get_block("latest")["number"] == client.head().number


def post(url: str, body: bytes, content_type: str = "application/json") -> int:
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_server_refuses_what_is_no_request() -> None:
    with EmbeddedNet(instant=True) as net:
        url = net.serve()
        good = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
        assert post(url, good) == 200
        assert post(url, b"{") == 400
        assert post(url, b"\xff\xfe") == 400
        assert post(url, b"") == 413
        assert post(url, good, "text/plain") == 415
        assert post(url, good, "application/json; charset=utf-8") == 200


def test_a_port_that_is_taken_is_rejected() -> None:
    with EmbeddedNet(instant=True) as one, EmbeddedNet(instant=True) as two:
        port = int(one.serve().rsplit(":", 1)[1])
        with pytest.raises(Rejected, match=rf"--port {port}: cannot listen there"):
            two.serve(port)
