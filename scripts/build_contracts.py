"""Compile the contracts and write the artifacts that ship with the Python package.

    python scripts/build_contracts.py            # write offchain/chain/artifacts/*.json
    python scripts/build_contracts.py --check    # exit 1 with one line for each difference

An artifact is what a user without a compiler needs: ABI, bytecode, and the metadata that make a gas figure or a
verification repeatable. It is deterministic: the same sources and the same compiler give the same bytes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "offchain" / "chain" / "artifacts"
CONTRACTS = (
    "ParametersTimelock",
    "UtilityToken",
    "Parameters",
    "StakeVault",
    "OrderBook",
    "ProofOfTraining",
    "AggregatorCommittee",
    "RewardTreasury",
    "StepVerifier",
    "DisputeCourt",
    "AvailabilityCourt",
    "VerifierRegistry",
    "AccuracyProofs",
    "TrainingProofs",
    "HandoverVerifier",
    "PrivateOrders",
    "FederatedExtension",
    "FederatedAnnex",
    "FederatedTraining",
    "FederatedCourt",
    "TestTokenFaucet",
    "Groth16Verifier",
    "Groth16Deployment",
)

Json = dict[str, Any]


def compile_contracts(out: Path) -> None:
    """Compile with forge (settings of foundry.toml) into `out`; exits with forge's own words when it fails."""
    forge = ROOT / "node_modules" / ".bin" / "forge"
    if not forge.exists():
        raise SystemExit("build_contracts: forge is missing; run `npm ci` first")
    command = [str(forge), "build", "--out", str(out), "--cache-path", str(out / "cache"), "--skip", "tests/**"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"build_contracts: forge build failed\n{result.stdout}{result.stderr}")


def artifact(name: str, compiled: Mapping[str, Any]) -> Json:
    """The minimal artifact of one contract from forge's output for it."""
    settings = compiled["metadata"]["settings"]
    return {
        "contractName": name,
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"]["object"],
        "deployedBytecode": compiled["deployedBytecode"]["object"],
        "compiler": compiled["metadata"]["compiler"]["version"],
        "evmVersion": settings["evmVersion"],
        "optimizerRuns": settings["optimizer"]["runs"],
    }


def render(value: Json) -> str:
    """Canonical text of an artifact."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def build() -> dict[str, str]:
    """Compile and return file name -> text for every shipped contract."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        compile_contracts(out)
        return {
            f"{name}.json": render(artifact(name, json.loads((out / f"{name}.sol" / f"{name}.json").read_text())))
            for name in CONTRACTS
        }


def differences(expected: Mapping[str, str], folder: Path) -> list[str]:
    """One line for each artifact that is missing, stale or left over in `folder`."""
    found = {path.name: path.read_text() for path in folder.glob("*.json")}
    lines = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    lines += [f"{name}: belongs to no contract" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        lines += _field_differences(name, json.loads(expected[name]), found[name], expected[name])
    return lines


def _field_differences(name: str, expected: Json, found_text: str, expected_text: str) -> list[str]:
    if found_text == expected_text:
        return []
    try:
        found = json.loads(found_text)
    except json.JSONDecodeError as error:
        return [f"{name}: not JSON: {error}"]
    fields = [field for field in expected if not isinstance(found, dict) or found.get(field) != expected[field]]
    return [f"{name}: {field} differs from the sources" for field in fields] or [f"{name}: not in canonical form"]


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the artifacts, and remove those of contracts that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


def main() -> int:
    """Entry point; the exit code is 0, or 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing, exit 1 on any difference")
    arguments = parser.parse_args()
    files = build()
    if not arguments.check:
        write(files, ARTIFACTS)
        return 0
    lines = differences(files, ARTIFACTS)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
