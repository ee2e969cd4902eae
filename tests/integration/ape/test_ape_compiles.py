"""ape, with the configuration in the repository, compiles the sources to the interfaces that the package ships."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offchain.chain.artifacts import CONTRACTS, load_artifact

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import json, ape
with ape.networks.ethereum.local.use_provider("test"):
    holder = ape.accounts.test_accounts[0]
    token = holder.deploy(ape.project.UtilityToken, holder, 1000)
    token.burn(1, sender=holder)
    abis = {name: [item.model_dump(mode="json") for item in ape.project.get_contract(name).contract_type.abi]
            for name in NAMES}
    print("RESULT " + json.dumps({"supply": token.totalSupply(), "abis": abis}))
"""


@pytest.mark.long
def test_ape_compiles_deploys_and_agrees_with_the_artifacts(tmp_path: Path) -> None:
    compilers = tmp_path / "solcx"
    compilers.mkdir()
    (compilers / "solc-v0.8.30").symlink_to(ROOT / "scripts" / "solc")
    environment = {**os.environ, "HOME": str(tmp_path), "SOLCX_BINARY_PATH": str(compilers)}
    script = SCRIPT.replace("NAMES", repr(tuple(CONTRACTS)))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    assert result["supply"] == 999
    for name in CONTRACTS:
        assert _names(result["abis"][name]) == _names(load_artifact(name).abi), name


def _names(abi: object) -> set[tuple[str, str, tuple[str, ...]]]:
    assert isinstance(abi, list | tuple)
    return {
        (entry["type"], entry["name"], tuple(item["type"] for item in entry["inputs"]))
        for entry in abi
        if entry["type"] in ("function", "event", "error")
    }
