"""UltraHonk: proofs of accuracy by Noir and Barretenberg, checked by the code that the chain runs."""

from dataclasses import dataclass
from pathlib import Path

from offchain.errors import Bug
from offchain.model.graph import IntegerNetwork
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.local_evm import ask_verifier
from offchain.proofs.noir.barretenberg import Barretenberg, Program, Proven
from offchain.proofs.noir.cache import BuildCache
from offchain.proofs.noir.generator import generate
from offchain.proofs.noir.inputs import inputs
from offchain.proofs.noir.reference_string import IgnitionString, LocalString, Progress, ReferenceString
from offchain.proofs.noir.tools import find_tools
from offchain.proofs.noir.verifier import ACCURACY, make_verifier, proof_bytes
from offchain.proofs.statement import Chunk, statement_of
from offchain.proofs.system import CompiledVerifier, Proof

NAME = "ultrahonk"


@dataclass(frozen=True, slots=True)
class UltraHonk:
    """The proof system `ultrahonk` (see `ProofSystem`). Circuits are compiled once, minutes for large ones."""

    barretenberg: Barretenberg
    name: str = NAME

    def prove(self, circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element) -> Proof:
        """See `ProofSystem`. What is handed out has been verified."""
        return self.prove_measured(circuit, network, chunk, prover, salt)[0]

    def prove_measured(
        self, circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element
    ) -> tuple[Proof, Proven]:
        """Like `prove`, and what it cost."""
        statement = statement_of(circuit, network, chunk, prover, salt)
        witness = inputs(circuit, network, chunk, salt, prover, statement.correct)
        program = self.program(circuit)
        proven = self.barretenberg.prove(program, witness)
        if proven.public != statement.elements():
            raise Bug(f"the circuit proves {proven.public}, not {statement.elements()}")
        proof = Proof(NAME, circuit.circuit_hash, statement, proven.data)
        if not self.verify(circuit, proof):
            raise Bug("Barretenberg made a proof that its verifier refuses")
        return proof, proven

    def verify(self, circuit: Circuit, proof: Proof) -> bool:
        """See `ProofSystem`: asks the verifier's code in an EVM, for Barretenberg's own knows one reference string."""
        public = proof.statement.elements()
        if proof.system != NAME or proof.circuit_hash != circuit.circuit_hash:
            return False
        if any(not 0 <= value < ORDER for value in public):
            return False
        verifier = self.verifier(circuit)
        if len(proof.data) != proof_bytes(verifier.source):
            return False
        return ask_verifier(verifier.runtime, ACCURACY.function, proof.data, public)

    def verifier(self, circuit: Circuit) -> CompiledVerifier:
        """See `ProofSystem`. The same for everybody with the same reference string."""
        return make_verifier(self.barretenberg, self.program(circuit), circuit.circuit_hash, circuit.samples)

    def size(self, circuit: Circuit) -> int:
        """See `ProofSystem`: gates."""
        return self.program(circuit).gates

    def program(self, circuit: Circuit) -> Program:
        """The compiled circuit."""
        return self.barretenberg.compile(generate(circuit))


def open_barretenberg(
    cache: Path, *, tools: Path | None = None, reference: Path | None = None, progress: Progress | None = None
) -> Barretenberg:
    """Barretenberg with what is kept below `cache`.

    `tools`: where node_modules are, None to look; `reference`: the directory of Aztec's reference string, None for the
    local INSECURE one. Raises Rejected, with the way out, when something is missing.
    """
    kept = BuildCache(cache)
    string: ReferenceString = (
        LocalString(kept, progress) if reference is None else IgnitionString(reference, kept, progress)
    )
    return Barretenberg(find_tools(tools), kept, string, progress)


def open_ultrahonk(
    cache: Path, *, tools: Path | None = None, reference: Path | None = None, progress: Progress | None = None
) -> UltraHonk:
    """The proof system; see `open_barretenberg`."""
    return UltraHonk(open_barretenberg(cache, tools=tools, reference=reference, progress=progress))
