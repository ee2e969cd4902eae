"""docs/operations: units that systemd likes, flags that exist, alerts about metrics that there are."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from offchain.cli.main import app
from offchain.metrics import catalogue
from offchain.metrics.catalogue import Metric

FOLDER = Path(__file__).parents[2] / "docs" / "operations"
ASSAY = "/opt/assay/.venv/bin/assay"
OF_HOSTS = {"node_systemd_timer_last_trigger_seconds", "node_filesystem_avail_bytes"}
"""What Prometheus' own exporter for machines gives."""


def commands() -> list[list[str]]:
    """The command lines of the units, with what the example of an environment file says."""
    lines = (FOLDER / "trainer.env").read_text().splitlines()
    words = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    found = []
    for unit in sorted(FOLDER.glob("*.service")):
        (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
        for name in ("ROLE", "FLAGS"):
            line = line.replace(f"${name}", words[name])
        found.append(line.replace("%i", "trainer").split())
    return found


def test_the_units_run_commands_that_there_are() -> None:
    assert len(commands()) == 2
    for program, *words in commands():
        assert program == ASSAY
        shown = CliRunner().invoke(app, [*(word for word in words[:2] if not word.startswith("/")), "--help"])
        assert shown.exit_code == 0, words
        for flag in (word for word in words if word.startswith("--")):
            assert flag in _options(words), flag


def _options(words: list[str]) -> set[str]:
    command = typer.main.get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    return {name for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize("unit", ["assay@trainer.service", "assay-backup.service", "assay-backup.timer"])
def test_systemd_has_nothing_against_the_units(tmp_path: Path, unit: str) -> None:
    """Where there is no systemd, that they are made of sections and settings at least."""
    for path in FOLDER.glob("assay*"):
        text = path.read_text()
        for line in text.splitlines():
            assert re.fullmatch(r"(#.*|\[[A-Z]\w+\]|[A-Z]\w+=.*|)", line), line
        copy = tmp_path / path.name.replace("@", "@trainer")
        copy.write_text(text.replace(ASSAY, sys.executable))
    analyse = shutil.which("systemd-analyze")
    if analyse is not None:
        ended = subprocess.run([analyse, "verify", str(tmp_path / unit)], capture_output=True, text=True, timeout=60)
        said = [line for line in ended.stderr.splitlines() if str(tmp_path) in line or unit in line]
        assert (ended.returncode, said) == (0, []), ended.stderr


def test_alerts_are_about_metrics_that_there_are() -> None:
    known = {value.name for value in vars(catalogue).values() if isinstance(value, Metric)} | OF_HOSTS
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        named = set(re.findall(r"\b(?:assay|node)_\w+", rule["expr"]))
        assert named - known == set() or rule["expr"].startswith("up{"), named - known
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


def test_every_alert_has_an_answer() -> None:
    page = (FOLDER.parent / "operations.md").read_text()
    rules = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    answered = set(re.findall(r"`(Assay\w+)`", page))
    assert answered == {rule["alert"] for rule in rules if rule["alert"] not in ("AssayBackupOld", "AssayDiskFull")}
