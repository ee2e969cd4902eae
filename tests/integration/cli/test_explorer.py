"""`assay explorer` as a process: what it prints, how it ends, and what it refuses."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.integration.cli.support import Cli, assert_refused, call
from tests.integration.explorer.reading import listening

ASSAY = Path(sys.executable).with_name("assay")
PATIENCE = 120.0


def test_what_it_refuses(cli: Cli, tmp_path: Path) -> None:
    with cli.unchanged():
        assert_refused(cli("explorer", "--rpc", "http://127.0.0.1:1"), "--rpc http://127.0.0.1:1", "assay devnet")
        assert_refused(cli("explorer", "--chain-id", "56"), "--rpc", "on chain 31337", "56")
        assert_refused(cli("explorer", "--home", str(tmp_path)), "31337.json", "assay deploy")
        assert_refused(cli("explorer", "--metrics", "nowhere"), "--metrics", "HOST:PORT")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(cli("explorer", "--port", str(port)), f"127.0.0.1:{port}", "choose another")
    folder = tmp_path / "home" / "explorer"
    folder.parent.mkdir()
    (folder.parent / "deployments").symlink_to(cli.home / "deployments")
    folder.write_text("a file where the folder of the index should be")
    assert_refused(
        call(["explorer", "--port", "0"], {**cli.environment, "ASSAY_HOME": str(folder.parent)}), str(folder)
    )


def test_it_serves_until_it_is_interrupted_and_ends_at_once_with_a_stream_open(cli: Cli) -> None:
    command = [ASSAY, "explorer", "--port", "0", "--json"]
    environment = {**os.environ, **cli.environment}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        about = httpx.get(told["url"] + "/api/about", trust_env=False).json()
        assert (told["desk"], about["desk"], about["development"]) == (True, True, True)
        assert about["contracts"]["OrderBook"] == cli.contracts.book.address
        with listening(told["url"]) as reader:
            reader.next("head")
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert reader.ended.wait(PATIENCE)
            assert process.wait(PATIENCE) == 0
            assert time.monotonic() - began < 10, "a second on an idle machine"
        assert process.stderr.read() == ""
    assert list((cli.home / "explorer").glob("31337-*.sqlite")), "the index stays"
