"""A circuit's way through the tools: Noir text, program, gates, verifying key, witness, proof. Knows no statement.

What is the same for everybody who has the circuit (program, gates, key) is made once and kept in the cache.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from offchain.errors import Bug, Rejected
from offchain.proofs.field import ORDER
from offchain.proofs.noir.cache import BuildCache
from offchain.proofs.noir.reference_string import Progress, ReferenceString, points_for
from offchain.proofs.noir.tools import VERSIONS, Finished, Tools, run_program

TARGET = "evm"
"""Barretenberg's name for: zero-knowledge, keccak transcript. `evm-no-zk` hides nothing and is never used."""

MANIFEST = '[package]\nname = "circuit"\ntype = "bin"\nauthors = [""]\n[dependencies]\n'
ELEMENT_BYTES = 32
UNSATISFIED = 3


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled circuit. `key`: names text and compiler; `gates`: what Barretenberg makes of it."""

    key: str
    path: Path
    gates: int


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof, its public inputs (elements of the field), and what it cost in seconds and bytes of memory."""

    data: bytes
    public: tuple[int, ...]
    witness_seconds: float
    proof_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Barretenberg:
    """The tools, a reference string, and the cache between them. `progress`: gets a line before something slow."""

    tools: Tools
    cache: BuildCache
    reference: ReferenceString
    progress: Progress | None = None

    def compile(self, text: str) -> Program:
        """Compiles Noir text, seconds to minutes the first time. Raises Rejected with the compiler's words."""
        compiler = "".join(VERSIONS[name] for name in ("@noir-lang/noir_wasm", "@aztec/bb.js"))
        key = sha256(f"{compiler}\n{text}".encode()).hexdigest()
        place = self.cache.made("programs", key, lambda folder: self._compile(text, folder))
        gates = json.loads((place / "gates.json").read_text(encoding="utf-8"))["functions"][0]["circuit_size"]
        return Program(key, place / "program.json", int(gates))

    def verifying_key(self, program: Program) -> Path:
        """The file of the circuit's verifying key under the reference string."""
        points = points_for(program.gates)

        def make(folder: Path) -> None:
            self._bb("write_vk", points, "-b", program.path, "-o", folder).succeeded("making the verifying key")

        return self.cache.made("keys", f"{program.key}-{self.reference.name}", make) / "vk"

    def solidity(self, program: Program) -> str:
        """Barretenberg's own verifier contract for the circuit, with Ignition's constants."""
        key = self.verifying_key(program)
        with tempfile.TemporaryDirectory(prefix="assay-proof-") as name:
            file = Path(name) / "HonkVerifier.sol"
            words = ("-k", key, "-o", file, "--optimized")
            self._bb("write_solidity_verifier", points_for(program.gates), *words).succeeded("writing the verifier")
            return file.read_text(encoding="utf-8")

    def prove(self, program: Program, inputs: Mapping[str, Any]) -> Proven:
        """Proves that `inputs` satisfy the circuit. Raises Rejected when they don't."""
        with tempfile.TemporaryDirectory(prefix="assay-proof-") as name:
            folder = Path(name)
            solved = self._solve(program, inputs, folder)
            # Key and string are made before the clock runs: they are there from the second proof on.
            points, key = points_for(program.gates), self.verifying_key(program)
            self.reference.folder(points)
            words = ("-b", program.path, "-w", folder / "witness.gz", "-k", key, "-o", folder)
            done = self._bb("prove", points, *words).succeeded("proving")
            return Proven(
                (folder / "proof").read_bytes(),
                _elements((folder / "public_inputs").read_bytes()),
                solved.seconds,
                done.seconds,
                max(solved.peak_bytes, done.peak_bytes),
            )

    def _compile(self, text: str, folder: Path) -> None:
        if self.progress is not None:
            self.progress("compiling the circuit, once for networks and chunks of this shape")
        with tempfile.TemporaryDirectory(prefix="assay-noir-") as name:
            source = Path(name)
            (source / "Nargo.toml").write_text(MANIFEST, encoding="utf-8")
            (source / "src").mkdir()
            (source / "src" / "main.nr").write_text(text, encoding="utf-8")
            self.tools.script("compile.mjs", source, folder / "program.json").succeeded("compiling the circuit")
        counted = run_program(
            [str(self.tools.bb), "gates", "-b", str(folder / "program.json"), "-t", TARGET], {}, seconds=3_600
        ).succeeded("counting the gates")
        (folder / "gates.json").write_text(counted.output, encoding="utf-8")

    def _solve(self, program: Program, inputs: Mapping[str, Any], folder: Path) -> Finished:
        (folder / "inputs.json").write_text(json.dumps(hexadecimal(inputs)), encoding="utf-8")
        solved = self.tools.script("witness.mjs", program.path, folder / "inputs.json", folder / "witness.gz")
        if solved.code == UNSATISFIED:
            raise Rejected(f"the statement is not true, so nothing proves it: {solved.last_words}")
        return solved.succeeded("solving the circuit")

    def _bb(self, command: str, points: int, *words: Path | str) -> Finished:
        """Runs Barretenberg with at least so many points at hand: it would load what it lacks from the net."""
        environment = {"CRS_PATH": str(self.reference.folder(points))}
        line = [str(self.tools.bb), command, *map(str, words), "-t", TARGET]
        return run_program(line, environment, seconds=3_600)


def _elements(data: bytes) -> tuple[int, ...]:
    if len(data) % ELEMENT_BYTES:
        raise Bug(f"{len(data)} bytes of public inputs")
    starts = range(0, len(data), ELEMENT_BYTES)
    return tuple(int.from_bytes(data[start : start + ELEMENT_BYTES], "big") for start in starts)


def hexadecimal(value: Any) -> Any:
    """Inputs as Noir reads them: numbers in hexadecimal, negative ones as their residue."""
    if isinstance(value, Mapping):
        return {name: hexadecimal(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [hexadecimal(item) for item in value]
    return hex(int(value) % ORDER)
