"""One call for a proof of accuracy, whatever the proof system."""

from collections.abc import Callable
from pathlib import Path

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import Element
from offchain.proofs.statement import Chunk
from offchain.proofs.system import Proof, ProofSystem

SYSTEMS = ("ultrahonk", "groth16")


def prove_accuracy(
    network: IntegerNetwork,
    chunk: Chunk,
    prover: Element,
    salt: Element,
    system: ProofSystem,
    *,
    circuit: Circuit | None = None,
) -> Proof:
    """Proves how many of the chunk's samples the network classifies right, and shows nothing else of the network.

    prover: the binding to account and round (`statement.prover_binding`); salt: random, the prover's secret, the same
    for all chunks of a round. circuit: the round's, None for the network's own. The proof has been verified. Raises
    Rejected when network or chunk don't fit, and when a tool is missing.
    """
    return system.prove(circuit or Circuit.of(network, len(chunk)), network, chunk, prover, salt)


def open_system(
    name: str,
    cache: Path,
    *,
    tools: Path | None = None,
    reference: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ProofSystem:
    """The proof system called `name`; what it makes once is kept below `cache`.

    tools: where UltraHonk's node_modules are, None to look; reference: the directory of Aztec's reference string, None
    for an INSECURE one; progress: gets a line before something slow begins. Raises Rejected for another name, and when
    a tool is missing.
    """
    if name == "ultrahonk":
        from offchain.proofs.noir.system import open_ultrahonk

        return open_ultrahonk(cache, tools=tools, reference=reference, progress=progress)
    if name == "groth16":
        from offchain.proofs.groth16.system import open_groth16

        return open_groth16(cache, progress=progress)
    raise Rejected(f"proof system {name!r}: expected {' or '.join(SYSTEMS)}")
