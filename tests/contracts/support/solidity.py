"""Compiles the Solidity harnesses that open pure libraries to Python tests."""

import json
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled harness."""

    abi: list[dict[str, Any]]
    creation: bytes
    runtime: bytes


@cache
def compile_harness(name: str) -> Compiled:
    """The contract `name` of `tests/contracts/support/NAME.sol`, with the compiler and settings of the project."""
    source = f"tests/contracts/support/{name}.sol"
    settings = tomllib.loads((ROOT / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    request = {
        "language": "Solidity",
        "sources": {source: {"content": (ROOT / source).read_text(encoding="utf-8")}},
        "settings": {
            "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
            "evmVersion": settings["evm_version"],
            "optimizer": {"enabled": True, "runs": settings["optimizer_runs"]},
            "outputSelection": {"*": {name: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}},
        },
    }
    result = subprocess.run(
        [str(ROOT / "scripts" / "solc"), "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    answer = json.loads(result.stdout)
    errors = [item["formattedMessage"] for item in answer.get("errors", ()) if item["severity"] == "error"]
    assert not errors, "\n".join(errors)
    found = answer["contracts"][source][name]
    return Compiled(
        abi=found["abi"],
        creation=bytes.fromhex(found["evm"]["bytecode"]["object"]),
        runtime=bytes.fromhex(found["evm"]["deployedBytecode"]["object"]),
    )
