"""What block explorers need to verify the contracts: the compiler's standard JSON input, and constructor arguments.

The input of a contract holds its sources and those that they import, with the settings of `foundry.toml`. Compiling
exactly that input gives the creation code that ships, byte for byte, which a test shows.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.addresses import Addresses
from offchain.errors import Rejected

ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(r'^\s*(?:import|\}\s*from)\b[^;"]*"([^"]+)"\s*;', re.MULTILINE)
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "metadata"]
COMPILER = "v0.8.30+commit.73712a01"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """One contract as explorers ask for it. `contract` is `path:name`, `arguments` the ABI-encoded constructor's."""

    name: str
    address: str
    contract: str
    arguments: bytes
    standard_json: Json


def source_of(name: str, root: Path = ROOT) -> str:
    """Path of the source file of a contract, below `root`. Raises Rejected where there are no sources."""
    found = sorted((root / "contracts").rglob(f"{name}.sol"))
    if not found:
        raise Rejected(f"{root} holds no source of {name}; run it in a clone of the repository")
    return found[0].relative_to(root).as_posix()


def standard_input(names: Sequence[str], root: Path = ROOT) -> Json:
    """The standard JSON input that compiles these contracts, with all sources that they import.

    Raises Rejected where a source is missing, an npm package perhaps.
    """
    profile = tomllib.loads((root / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    remappings = [tuple(text.split("=", 1)) for text in profile["remappings"]]
    targets = [source_of(name, root) for name in names]
    return {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sorted(_closure(targets, remappings, root).items())},
        "settings": {
            "remappings": profile["remappings"],
            "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
            "metadata": {"useLiteralContent": False, "bytecodeHash": profile["bytecode_hash"], "appendCBOR": True},
            "outputSelection": {path: {name: OUTPUTS} for name, path in zip(names, targets, strict=True)},
            "evmVersion": profile["evm_version"],
            "viaIR": profile["via_ir"],
            "libraries": {},
        },
    }


def _closure(targets: Sequence[str], remappings: Sequence[tuple[str, ...]], root: Path) -> dict[str, str]:
    sources: dict[str, str] = {}
    waiting = list(targets)
    while waiting:
        path = waiting.pop()
        if path in sources:
            continue
        file = root / path
        if not file.is_file():
            raise Rejected(f"{file} is missing; run `npm install` in a clone of the repository")
        sources[path] = file.read_text(encoding="utf-8")
        waiting += [_resolve(imported, path, remappings) for imported in IMPORT.findall(sources[path])]
    return sources


def _resolve(imported: str, source: str, remappings: Sequence[tuple[str, ...]]) -> str:
    if not imported.startswith("."):
        for prefix, target in remappings:
            if imported.startswith(prefix):
                return target + imported.removeprefix(prefix)
        return imported
    parts: list[str] = []
    for part in (PurePosixPath(source).parent / imported).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def verifications(addresses: Addresses, root: Path = ROOT) -> tuple[Verification, ...]:
    """What to hand in for every contract of a deployment, the verifier that FederatedCourt made for itself included.

    Raises Rejected where there are no sources, or the file does not say how a contract was made.
    """
    found = []
    for name in addresses.contracts:
        if name not in addresses.creations:
            raise Rejected(
                f"the addresses file does not say with which arguments {name} was made, an older version wrote it; "
                "read them from the transaction that made it"
            )
        found.append(_verification(name, addresses.of(name), addresses.creations[name].arguments, root))
    inner = get_create_address(addresses.federated_court, Nonce(1))  # a contract's first creation has nonce 1
    return (*found, _verification("AggregateVerifier", inner, b"", root))


def _verification(name: str, address: str, arguments: bytes, root: Path) -> Verification:
    return Verification(name, address, f"{source_of(name, root)}:{name}", arguments, standard_input([name], root))


def write_verifications(found: Sequence[Verification], chain_id: int, folder: Path) -> None:
    """Writes `NAME.standard.json` for each contract, and `index.json` with all that an explorer's form asks besides."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for item in found:
        file = f"{item.name}.standard.json"
        settings = item.standard_json["settings"]
        (folder / file).write_text(json.dumps(item.standard_json, indent=1) + "\n", encoding="utf-8")
        entries.append(
            {
                "address": item.address,
                "contract": item.contract,
                "compiler": COMPILER,
                "evm_version": settings["evmVersion"],
                "optimizer_runs": settings["optimizer"]["runs"],
                "license": "Apache-2.0",
                "constructor_arguments": item.arguments.hex(),
                "standard_json": file,
            }
        )
    index = json.dumps({"chain_id": chain_id, "contracts": entries}, indent=2)
    (folder / "index.json").write_text(index + "\n", encoding="utf-8")
