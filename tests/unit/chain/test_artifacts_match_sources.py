"""The artifacts that ship are those that the sources give, and every error an interface promises is tested."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from offchain.chain.artifacts import ALL_CONTRACTS, CIRCUIT_CONTRACTS
from scripts.build_contracts import ARTIFACTS, build, differences, render, write
from scripts.build_contracts import CONTRACTS as BUILT

ROOT = Path(__file__).resolve().parents[3]
ERROR = re.compile(r"^\s*error (\w+)\(", re.MULTILINE)


@pytest.fixture
def built() -> dict[str, str]:
    """What ships, as if it had been built: that it is the same, `make check-artifacts` says."""
    return {path.name: path.read_text() for path in ARTIFACTS.glob("*.json")}


@pytest.mark.long
def test_the_artifacts_match_the_sources() -> None:
    """`make check-artifacts` does the same, beside the linters; compiling once more takes ten seconds."""
    assert differences(build(), ARTIFACTS) == []


def test_what_is_built_is_what_is_deployed() -> None:
    assert (*ALL_CONTRACTS, *CIRCUIT_CONTRACTS) == BUILT


def test_every_contract_can_be_deployed(built: dict[str, str]) -> None:
    assert {f"{name}.json" for name in BUILT} == built.keys()
    for name, text in built.items():
        code = bytes.fromhex(json.loads(text)["deployedBytecode"].removeprefix("0x"))
        assert 0 < len(code) <= 24_576, f"{name}: EIP-170"


def test_each_kind_of_difference_has_its_line(built: dict[str, str], tmp_path: Path) -> None:
    write(built, tmp_path)
    assert differences(built, tmp_path) == []
    (tmp_path / "StakeVault.json").unlink()
    (tmp_path / "Stray.json").write_text("{}")
    (tmp_path / "OrderBook.json").write_text("not JSON")
    stale = json.loads(built["Parameters.json"])
    stale["bytecode"] = "0x00"
    (tmp_path / "Parameters.json").write_text(render(stale))
    (tmp_path / "UtilityToken.json").write_text(built["UtilityToken.json"] + "\n")
    (tmp_path / "ProofOfTraining.json").write_text("[]")
    lines = differences(built, tmp_path)
    assert "StakeVault.json: missing" in lines
    assert "Stray.json: belongs to no contract" in lines
    assert any(line.startswith("OrderBook.json: not JSON") for line in lines)
    assert "Parameters.json: bytecode differs from the sources" in lines
    assert "UtilityToken.json: not in canonical form" in lines
    assert "ProofOfTraining.json: abi differs from the sources" in lines
    write(built, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(built)


def test_check_exits_with_1_on_a_difference() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from pathlib import Path; import scripts.build_contracts as b; "
        "b.build = lambda: {'Absent.json': '{}'}; sys.argv[1:] = ['--check']; sys.exit(b.main())",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "Absent.json: missing" in result.stdout


def test_every_custom_error_is_reached_by_a_test() -> None:
    interfaces = sorted((ROOT / "contracts" / "interfaces").glob("*.sol"))
    tests = "\n".join(path.read_text() for path in (ROOT / "tests" / "contracts").rglob("*.sol"))
    promised = [(path.stem, error) for path in interfaces for error in ERROR.findall(path.read_text())]
    assert promised
    assert [f"{owner}.{error}" for owner, error in promised if f"{owner}.{error}.selector" not in tests] == []
