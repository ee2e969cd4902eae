"""The help reads like a manual: everything has a text, and it costs no heavy import."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from offchain.cli.main import app

MODELS = ("torch", "numba", "pandas", "sklearn", "onnx", "scipy")
HEAVY = ("torch", "numba", "web3", "eth_account", "pandas", "sklearn", "onnx", "pydantic_settings")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))


def test_the_commands_of_the_readme_are_there() -> None:
    names = {" ".join(path) for path in ALL}
    assert names >= {"demo", "devnet", "deploy", "doctor", "put", "cancel", "orders", "show", "get", "claim-rewards"}
    assert names >= {f"{role} run" for role in ("client", "provider", "validator", "aggregator")}
    assert names >= {"keys create", "keys list", "keys dev", "keys fund", "stake add", "stake exit", "stake withdraw"}
    assert names >= {"stake show", "bench evaluation", "bench chain", "bench gas"}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_has_a_text(path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert command.help
    assert "See `" not in command.help
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        assert text, f"{' '.join(path)} {parameter.name} has no help"
        # Rich takes [lower case] for a style and swallows it, unless it is escaped.
        assert "[" not in text.replace(r"\[", ""), text


def imported(words: list[str], modules: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Runs a command; its last line of output is `IMPORTED` with those of the modules that it has imported."""
    program = (
        "import sys\nfrom offchain.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        f"print('IMPORTED', [name for name in {modules} if name in sys.modules])"
    )
    return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", [["--help"], ["put", "--help"], ["provider", "run", "--help"], ["put"]])
def test_help_and_usage_errors_import_nothing_heavy(words: list[str]) -> None:
    ended = imported(words, HEAVY)
    assert ended.stdout.endswith("IMPORTED []\n"), ended


def test_an_aggregator_bears_none_of_the_weight_of_models(tmp_path: Path) -> None:
    """It goes as far as a node that is not there."""
    run = ["aggregator", "run", "--key", "a", "--home", str(tmp_path), "--rpc", "http://127.0.0.1:9"]
    ended = imported(run, (*MODELS, "offchain.roles.aggregator"))
    assert "127.0.0.1:9" in ended.stderr
    assert ended.stdout.endswith("IMPORTED ['offchain.roles.aggregator']\n"), ended
