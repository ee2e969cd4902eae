"""Gas of every action, beside the snapshot in the repository and the paper's Table 6.

The figures come from forge: `tests/contracts/gas/` plays a typical order (3 providers, 3 validators, 4 aggregators) and
the worst ones, each call a transaction of its own (`--isolate`), so that a figure is what a sender pays, base cost and
calldata included. Compiler, fork, optimiser and code sizes are those of the artifacts that ship.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from offchain.chain.artifacts import ALL_CONTRACTS
from offchain.errors import Rejected, Retryable

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path("tests") / "contracts" / "gas-snapshot.json"
MEASURED = Path(".build") / "gas" / "actions.json"
TESTS = "tests/contracts/gas/*"
ARTIFACTS = Path("offchain") / "chain" / "artifacts"
TOLERANCE_PERCENT = 2.0
PAPER = {"propose, to one account": 86_875, "confirm, to one account": 45_371, "execute, to one account": 161_888}
"""Proof of Training, Table 6: one reward to one account, BSC mainnet, June 2023."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the figures depend on besides the sources."""

    compiler: str
    evm_version: str
    optimizer_runs: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Gas by action, deployed bytes by contract, and why the figures were last renewed."""

    setting: Setting
    reason: str
    actions: Mapping[str, int]
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One action. `snapshot` and `paper` in gas, None where there is none; `change_percent` from the snapshot."""

    action: str
    gas: int
    snapshot: int | None
    change_percent: float | None
    paper: int | None


def measure(root: Path = ROOT) -> Snapshot:
    """Measure the working tree at `root`.

    Raises Rejected where there are no sources or no forge, Retryable when forge fails.
    """
    forge = root / "node_modules" / ".bin" / "forge"
    if not (root / "foundry.toml").exists():
        raise Rejected(f"bench gas: {root} holds no contracts' sources; run it in a clone of the repository")
    if not forge.exists():
        raise Rejected(f"bench gas: {forge} is missing; run `npm install` first")
    shutil.rmtree((root / MEASURED).parent, ignore_errors=True)
    command = [str(forge), "test", "--isolate", "--match-path", TESTS]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Retryable(f"bench gas: forge failed\n{result.stdout}{result.stderr}")
    actions = json.loads((root / MEASURED).read_text(encoding="utf-8"))
    setting, sizes = read_artifacts(root / ARTIFACTS)
    return Snapshot(setting, "", {action: int(gas) for action, gas in sorted(actions.items())}, sizes)


def read_artifacts(folder: Path) -> tuple[Setting, dict[str, int]]:
    """Compiler setting and deployed size in bytes of each contract that ships."""
    artifacts = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ALL_CONTRACTS}
    first = artifacts[ALL_CONTRACTS[0]]
    setting = Setting(first["compiler"], first["evmVersion"], first["optimizerRuns"])
    sizes = {name: len(fields["deployedBytecode"]) // 2 - 1 for name, fields in artifacts.items()}
    return setting, sizes


def read_snapshot(path: Path) -> Snapshot | None:
    """The snapshot in `path`; None when there is none. Raises Rejected when it is no snapshot."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Snapshot(Setting(**fields["setting"]), fields["reason"], fields["actions"], fields["sizes"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected(f"{path}: not a gas snapshot ({error}); renew it with a reason") from error


def write_snapshot(path: Path, measured: Snapshot, reason: str) -> None:
    """Keep `measured` as the snapshot. Raises Rejected without a reason."""
    if not reason.strip():
        raise Rejected("bench gas: --renew needs a reason, which is kept beside the figures")
    fields = {**asdict(measured), "reason": reason.strip()}
    path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def compare(measured: Snapshot, snapshot: Snapshot | None) -> list[Row]:
    """One row for each action that was measured."""
    before = snapshot.actions if snapshot else {}
    return [
        Row(
            action=action,
            gas=gas,
            snapshot=before.get(action),
            change_percent=round(100 * (gas / before[action] - 1), 2) if action in before else None,
            paper=PAPER.get(action),
        )
        for action, gas in measured.actions.items()
    ]


def differences(measured: Snapshot, snapshot: Snapshot | None) -> list[str]:
    """One line for each figure that moved too far, appeared or vanished, or was taken with another setting."""
    if snapshot is None:
        return [f"{SNAPSHOT} is missing: renew it with a reason"]
    lines = []
    if measured.setting != snapshot.setting:
        lines.append(f"measured with {measured.setting}, the snapshot with {snapshot.setting}")
    for row in compare(measured, snapshot):
        if row.snapshot is None:
            lines.append(f"{row.action}: new, {row.gas} gas")
        elif abs(row.gas - row.snapshot) > row.snapshot * TOLERANCE_PERCENT / 100:
            lines.append(f"{row.action}: {row.gas} gas, {row.change_percent:+} % from {row.snapshot}")
    lines += [f"{action}: no longer measured" for action in snapshot.actions if action not in measured.actions]
    return lines


def run(root: Path = ROOT) -> tuple[Snapshot, list[Row]]:
    """Measure and compare with the snapshot in the repository: what `assay bench gas` shows."""
    measured = measure(root)
    return measured, compare(measured, read_snapshot(root / SNAPSHOT))


def table(measured: Snapshot, rows: Sequence[Row]) -> Table:
    """The rows for a terminal, with what they were measured with."""
    setting = measured.setting
    sizes = ", ".join(f"{name} {size:,}" for name, size in measured.sizes.items())
    made_with = f"solc {setting.compiler}, {setting.evm_version}, optimiser runs {setting.optimizer_runs}"
    shown = Table(
        title=f"Gas by action ({made_with})",
        caption=f"Deployed bytes: {sizes}. Paper: Table 6, one account, BSC mainnet, June 2023.",
    )
    shown.add_column("action")
    for name in ("gas", "snapshot", "change %", "paper"):
        shown.add_column(name, justify="right")
    for row in rows:
        change = "" if row.change_percent is None else f"{row.change_percent:+.2f}"
        shown.add_row(row.action, f"{row.gas:,}", _figure(row.snapshot), change, _figure(row.paper))
    return shown


def _figure(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
