"""`assay federate`: what it refuses, and a task by hand from its creation to the model, by real processes."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from offchain.model.float_model import FloatModel
from tests.integration.cli.support import Cli, assert_refused

ASSAY = Path(sys.executable).with_name("assay")
CREATE = ("federate", "create", "--key", "dev1", "--yes", "--model", "mlp:4", "--reward", "4", "--bond", "10")
FORM = ("--features", "30", "--classes", "malignant,benign")
DOWN = ("--rpc", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ["say what samples look like", "--like DATA"]),
        (["--like", "sklearn:digits", "--features", "30"], ["--like says shape"]),
        (["--like", "sklearn:diabetes"], ["labels are numbers"]),
        (["--features", "a"], ["--classes"]),
        (["--features", "0", "--classes", "2"], ["--features"]),
        (["--features", "30", "--classes", "1"], ["--classes", "at least 2"]),
        (["--features", "30", "--classes", "a,a"], ["--classes", "differ"]),
        ([*FORM, "--range", "0:1e400"], ["--range", "LOW:HIGH"]),
        ([*FORM, "--participants", "0:5"], ["--participants '0:5'", "two are the least"]),
        ([*FORM, "--gradient-rate", "1"], ["--gradient-rate", "--epsilon"]),
        ([*FORM, "--epsilon", "3"], ["scaling", "--range"]),
        ([*FORM, "--answer", "29"], ["--answer 29", "less than 30 s"]),
        (["--features", "0x", "--classes", "2"], ["--features '0x'", "8x8x1"]),
        ([*FORM, "--range", "5:1"], ["--range '5:1'", "LOW:HIGH"]),
        ([*FORM, "--participants", "5"], ["--participants '5'", "LEAST:MOST"]),
        ([*FORM, "--participants", "5:4"], ["minimum participants: 5; give 2 to 4"]),
        ([*FORM, "--rule", "bulyan:0.2"], ["--rule 'bulyan:0.2'", "use mean"]),
        ([*FORM, "--rule", "krum:0.34"], ["with the least participants, 3", "Krum"]),
        ([*FORM, "--optimizer", "sgd"], ["--optimizer 'sgd'", "use fedavg"]),
        ([*FORM, "--commit", "soon"], ["--commit", "not a duration"]),
        ([*FORM, "--secure", "2"], ["group size: 2; give 3"]),
        ([*FORM, "--homomorphic"], ["--homomorphic", "--secure"]),
        (
            [*FORM, "--secure", "3", "--homomorphic"],
            ["homomorphic: 3 participants may be one group of 3", "two groups"],
        ),
        ([*FORM, "--model", "resnet:8"], ["--model 'resnet:8': use mlp:64-32, cnn:8-16"]),
        ([*FORM, "--model", "cnn:8"], ["--model 'cnn:8' needs images"]),
        ([*FORM, "--rounds", "1000"], ["needs 4,000 tokens", "get more"]),
        ([*FORM, "--allow", "/nowhere"], ["/nowhere"]),
        ([*FORM, *DOWN], ["--rpc http://127.0.0.1:1"]),
    ],
)
def test_create_refuses(cli: Cli, words: list[str], said: list[str]) -> None:
    before = cli.client.head()
    assert_refused(cli(*CREATE, *words), *said)
    assert cli.client.head() == before


@pytest.mark.parametrize(
    "words",
    [
        ("status", "7"),
        ("get", "7"),
        ("join", "7", "--stake", "1", "--key", "dev2"),
        ("run", "7", "--key", "dev2"),
        ("claim", "7", "--key", "dev2"),
        ("cancel", "7", "--key", "dev2"),
        ("withdraw", "7", "--key", "dev2"),
    ],
    ids=" ".join,
)
def test_tasks_that_do_not_exist(cli: Cli, words: tuple[str, ...]) -> None:
    with cli.unchanged():
        assert_refused(cli("federate", *words), "TASK 7: no such federated task")
        assert_refused(cli("federate", *words, *DOWN), "--rpc http://127.0.0.1:1")


def test_a_task_that_nobody_joins_is_taken_back(cli: Cli) -> None:
    answer = cli(*CREATE, *FORM, "--rounds", "2", "--join", "50", "--json")
    assert answer.code == 0, answer
    task = str(json.loads(answer.out)["task"])
    listed = json.loads(cli("federate", "status", "--json").out)
    assert {"task": int(task), "phase": "joining"}.items() <= listed[-1].items()
    with cli.unchanged():
        joining = ("federate", "join", task, "--key", "dev2")
        assert_refused(cli(*joining, "--stake", "1"), "wants 10 tokens")
        assert_refused(cli(*joining, "--stake", "10"), "0 tokens are free", "assay stake add participant 10")
        running = ("federate", "run", task, "--key", "dev2", "--data")
        assert_refused(cli(*running, "sklearn:breast_cancer"), "has not joined")
        assert_refused(cli(*running, "/nowhere.csv"), "/nowhere.csv")
        assert_refused(cli("federate", "cancel", task, "--key", "dev1"), "0 of 3 have joined", "seconds left")
        assert_refused(cli("federate", "withdraw", task, "--key", "dev1"), "nothing can be refunded")
        assert_refused(cli("federate", "get", task, "--round", "1"), "--round 1", "none is final yet")
    cli.client.request("evm_increaseTime", 60)
    cli.client.request("evm_mine")
    assert "is cancelled" in cli("federate", "cancel", task, "--key", "dev1").out
    assert "8 tokens went back" in cli("federate", "withdraw", task, "--key", "dev1").out
    shown = json.loads(cli("federate", "status", task, "--json").out)
    assert (shown["phase"], shown["refundable"]) == ("over", "0")


@pytest.mark.long
def test_a_task_by_hand(cli: Cli, tmp_path: Path) -> None:
    for key in ("dev2", "dev3", "dev4"):
        assert cli("stake", "add", "participant", "10", "--key", key).code == 0
    words = ["--like", "sklearn:breast_cancer", "--participants", "2:3", "--rounds", "2", "--rule", "median"]
    for name in ("join", "commit", "reveal", "request", "answer", "aggregate", "challenge"):
        words += [f"--{name}", "60" if name not in ("request", "challenge") else "4"]
    task = str(json.loads(cli(*CREATE, *words, "--json").out)["task"])
    assert "has joined" in cli("federate", "join", task, "--stake", "10", "--key", "dev2").out
    with ticking(cli):
        processes = [take_part(cli, task, key, share) for share, key in enumerate(("dev2", "dev3", "dev4"), start=1)]
        said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    for lines in said:
        events = [json.loads(line) for line in lines.splitlines()]
        whats = [event["what"] for event in events]
        assert whats.count("final") == 2
        assert {"training", "commit", "reveal", "claim", "leave"} <= set(whats)
        accuracies = [event["accuracy"] for event in events if event["what"] == "final"]
        assert accuracies[-1] > 0.8
    shown = json.loads(cli("federate", "status", task, "--test", "sklearn:breast_cancer:test", "--json").out)
    assert shown["phase"] == "over"
    assert shown["accuracy"]["2"] > 0.8
    out = tmp_path / "model.safetensors"
    assert cli("federate", "get", task, "-o", str(out)).code == 0
    model = FloatModel.from_bytes(out.read_bytes(), max_bytes=1 << 20)
    assert all(np.isfinite(value).all() for value in model.state.values())
    assert "Participants" in cli("federate", "status", task).out


def take_part(cli: Cli, task: str, key: str, share: int) -> subprocess.Popen[str]:
    words = ["federate", "run", task, "--key", key, "--json", "--stake", "10"]
    data = ["--data", f"sklearn:breast_cancer:{share}/3", "--test", "sklearn:breast_cancer:test"]
    environment = {**os.environ, **cli.environment, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([str(ASSAY), *words, *data], env=environment, stdout=subprocess.PIPE, text=True)


@contextmanager
def ticking(cli: Cli) -> Iterator[None]:
    """Blocks keep coming, as they do on a real chain, for the length of a `with`."""
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.5):
            cli.client.request("evm_mine")

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
