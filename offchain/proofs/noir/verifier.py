"""Barretenberg's verifier contract as one of ours: `IAccuracyVerifier`, or `IStepProofVerifier` for a training step.

What Barretenberg wrote stays as it is, apart from the four constants of a local reference string; a contract of a few
lines goes around it. The compiler and its settings are fixed, so anyone gets the same code and the same code hash.
"""

import json
import re
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from offchain.errors import Bug, Rejected
from offchain.proofs.noir.barretenberg import Barretenberg, Program
from offchain.proofs.noir.reference_string import IGNITION_G2, ReferenceString
from offchain.proofs.noir.tools import VERSIONS, Tools
from offchain.proofs.system import CompiledVerifier

CONTRACT = "UltraHonkVerifier"
PUBLIC_INPUTS = 4
MAX_CODE_BYTES = 24_576
ELEMENT_BYTES = 32

SETTINGS = {
    "optimizer": {"enabled": True, "runs": 1_000_000},  # 6,500 gas less a proof than for size, and 1 KB more
    "evmVersion": "cancun",
    "viaIR": False,
    "metadata": {"bytecodeHash": "none"},
    "outputSelection": {"*": {CONTRACT: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}},
}

# Of Barretenberg's two flavours only this one hides the witness: its sumcheck and its commitments are masked.
ZERO_KNOWLEDGE = (
    "uint256 constant BATCHED_RELATION_PARTIAL_LENGTH = 9;",
    "uint256 constant NUMBER_OF_ENTITIES = 42;",
    "// ZK: Copy geminiMaskingPoly",
)

WRAPPER = """
/// @title Barretenberg's verifier of one circuit, made by Assay (docs/proofs.md)
contract {contract} is HonkVerifier {{
    bytes32 public constant circuitHash = 0x{circuit_hash};
    uint256 public constant samples = {samples};
    bool public constant insecure = {insecure};
{constructor}
    function {function}(bytes calldata proof, {parameters})
        external
        view
        returns (bool valid)
    {{
        bytes32[] memory inputs = new bytes32[]({count});
        inputs[0] = bytes32({names[0]});
        inputs[1] = bytes32({names[1]});
        inputs[2] = bytes32({names[2]});
        inputs[3] = bytes32({names[3]});
        // By a call: what it calls uses all memory as it likes, and ends the call by itself.
        return this.verify(proof, inputs);
    }}
}}
"""

ONLY_DEVELOPMENT = """
    error InsecureOutsideDevelopment(uint256 chainId);

    /// @dev The secret of its reference string is known to everybody.
    constructor() {
        if (block.chainid != 31337 && block.chainid != 1337) revert InsecureOutsideDevelopment(block.chainid);
    }
"""


@dataclass(frozen=True, slots=True)
class Form:
    """The function that a verifier is asked by, and the names of its four public inputs."""

    function: str
    names: tuple[str, str, str, str]


ACCURACY = Form("verify", ("modelHash", "chunkHash", "correct", "prover"))
STEP = Form("verifyStep", ("oldHash", "newHash", "batchHash", "prover"))


def make_verifier(
    barretenberg: Barretenberg, program: Program, circuit_hash: bytes, samples: int, form: Form = ACCURACY
) -> CompiledVerifier:
    """The circuit's verifier, some seconds the first time. `circuit_hash`: 32 bytes; `samples`: in a chunk or batch.

    Raises Rejected when Barretenberg's contract is not what we know, or does not fit a contract's size.
    """
    # All that the code depends on is in the key, so another template or compiler makes another entry.
    what = [program.key, barretenberg.reference.name, circuit_hash.hex(), samples, form.function, WRAPPER, SETTINGS]
    key = sha256(json.dumps([*what, ONLY_DEVELOPMENT, VERSIONS["solc"]]).encode()).hexdigest()

    def make(folder: Path) -> None:
        text = wrap(barretenberg.solidity(program), circuit_hash, samples, barretenberg.reference, form)
        compiled = compile_solidity(barretenberg.tools, text)
        (folder / "verifier.sol").write_text(text, encoding="utf-8")
        (folder / "verifier.json").write_text(json.dumps(compiled), encoding="utf-8")

    place = barretenberg.cache.made("verifiers", key, make)
    compiled = json.loads((place / "verifier.json").read_text(encoding="utf-8"))
    return CompiledVerifier(
        circuit_hash=circuit_hash,
        abi=tuple(compiled["abi"]),
        creation=bytes.fromhex(compiled["creation"]),
        runtime=bytes.fromhex(compiled["runtime"]),
        source=(place / "verifier.sol").read_text(encoding="utf-8"),
        insecure=barretenberg.reference.insecure,
    )


def wrap(text: str, circuit_hash: bytes, samples: int, reference: ReferenceString, form: Form = ACCURACY) -> str:
    """Barretenberg's contract with ours around it. Raises Rejected for one of the flavour that hides nothing."""
    if any(mark not in text for mark in ZERO_KNOWLEDGE):
        raise Rejected(
            "the verifier is not of Barretenberg's zero-knowledge flavour (`-t evm`); its proofs hide nothing"
        )
    if f"uint256 constant REAL_NUMBER_PUBLIC_INPUTS = {PUBLIC_INPUTS};" not in text:
        raise Rejected(f"the circuit has not {PUBLIC_INPUTS} public inputs, which every statement has")
    for place, (old, new) in enumerate(zip(IGNITION_G2, reference.g2, strict=True)):
        line = f"mstore(0x1{2 * place}0, 0x{old:064x})"
        if text.count(line) != 1:
            raise Bug(f"Barretenberg's verifier has {text.count(line)} times {line}")
        text = text.replace(line, f"mstore(0x1{2 * place}0, 0x{new:064x})")
    ours = WRAPPER.format(
        contract=CONTRACT,
        circuit_hash=circuit_hash.hex(),
        samples=samples,
        insecure="true" if reference.insecure else "false",
        constructor=ONLY_DEVELOPMENT if reference.insecure else "",
        function=form.function,
        names=form.names,
        parameters=", ".join(f"uint256 {name}" for name in form.names),
        count=PUBLIC_INPUTS,
    )
    return text.rstrip() + "\n" + ours


def proof_bytes(source: str) -> int:
    """How long every proof is that the contract accepts: (82 + 12 log2 of the circuit's size) elements."""
    found = re.search(r"^uint256 constant LOG_N = (\d+);$", source, re.MULTILINE)
    if found is None:
        raise Bug("Barretenberg's verifier does not say LOG_N")
    return (82 + 12 * int(found[1])) * ELEMENT_BYTES


def compile_solidity(tools: Tools, text: str) -> dict[str, Any]:
    """`abi`, `creation` and `runtime` (hexadecimal) of the contract. Raises Rejected when it is too large or none."""
    request = {"language": "Solidity", "sources": {f"{CONTRACT}.sol": {"content": text}}, "settings": SETTINGS}
    with tempfile.TemporaryDirectory(prefix="assay-solidity-") as name:
        source, target = Path(name) / "input.json", Path(name) / "output.json"
        source.write_text(json.dumps(request), encoding="utf-8")
        tools.script("solidity.mjs", source, target).succeeded("compiling the verifier")
        answer = json.loads(target.read_text(encoding="utf-8"))
    faults = [item["message"] for item in answer.get("errors", ()) if item["severity"] == "error"]
    if faults:
        raise Rejected(f"the verifier does not compile: {faults[0]}")
    contract = answer["contracts"][f"{CONTRACT}.sol"][CONTRACT]
    runtime = contract["evm"]["deployedBytecode"]["object"]
    if len(runtime) // 2 > MAX_CODE_BYTES:
        raise Rejected(f"the verifier has {len(runtime) // 2:,} bytes, more than the {MAX_CODE_BYTES:,} of a contract")
    return {"abi": contract["abi"], "creation": contract["evm"]["bytecode"]["object"], "runtime": runtime}
