"""What a proof of accuracy costs: both proof systems on the same models and chunks, side by side in one run.

Each model is trained here and quantised; a round over its test chunks is opened on Anvil, the drawn chunk is proven and
submitted, and one sample more is seen to be refused. What is made once for a circuit (compiled text, keys, verifier) is
timed apart; a second run finds it in the cache and shows nothing there.

    assay bench proofs --large
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from offchain.bench.proofs_models import Case, Trained, trained
from offchain.bench.proofs_stage import ProofStage, proof_stage
from offchain.errors import Bug
from offchain.model.evaluator import evaluate
from offchain.model.graph import IntegerNetwork
from offchain.model.scores import total_score
from offchain.proofs.chunks import split
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.tools import VERSIONS
from offchain.proofs.prove import open_system
from offchain.proofs.statement import Chunk, chunk_hash, correct_count, model_hash
from offchain.proofs.system import Proof, ProofSystem
from offchain.protocol.scores import ScoreFunction

BEACON = bytes(31) + b"\x07"
MIB = 2**20
VERIFICATIONS = 5

Tell = Callable[[str], None]
T = TypeVar("T")


class Cost(Protocol):
    """What a proof system says that a proof has cost, in seconds and bytes."""

    @property
    def witness_seconds(self) -> float:
        """Solving the circuit."""

    @property
    def proof_seconds(self) -> float:
        """Proving."""

    @property
    def peak_bytes(self) -> int:
        """The most memory that a process had."""


class MeasuredSystem(ProofSystem, Protocol):
    """A proof system that says what its proofs cost."""

    def prove_measured(
        self, circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element
    ) -> tuple[Proof, Cost]:
        """Like `prove`, and what it cost."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured. `systems`: names of proof systems; `repetitions`: proofs of which the median counts."""

    cases: tuple[Case, ...]
    systems: tuple[str, ...]
    repetitions: int
    seed: int
    cache: Path
    tools: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One circuit in one proof system.

    size: gates (UltraHonk) or constraints (Groth16). once_s: all that is made once for the circuit, in seconds, None
    if it was there. witness_s, proof_s: medians in seconds; memory_mib: the peak. verify_ms: one check off chain, as
    `assay verify-proof` makes it. Gas: whole transactions, `submit` through AccuracyProofs. correct: proven in the
    drawn chunk; accuracy: of the whole test set, in percent.
    """

    model: str
    parameters: int
    samples: int
    system: str
    size: int
    once_s: float | None
    witness_s: float
    proof_s: float
    total_s: float
    memory_mib: float
    proof_bytes: int
    verify_ms: float
    verify_gas: int
    submit_gas: int
    deploy_gas: int
    code_bytes: int
    correct: int
    accuracy: float


def run(options: Options, tell: Tell) -> Iterator[Row]:
    """Measures each case in each system, one after the other, on one chain."""
    with TemporaryDirectory() as name, proof_stage(Path(name)) as stage:
        systems: list[Any] = [
            open_system(system, options.cache, tools=options.tools, progress=tell) for system in options.systems
        ]
        for case in options.cases:
            tell(f"training {case.name}")
            model = trained(case, options.seed)
            for system in (one for one in systems if one.name in case.systems):
                tell(f"{system.name}: {case.name}, {case.samples} samples")
                yield _measure(case, model, system, stage, options.repetitions)


def _measure(case: Case, model: Trained, system: MeasuredSystem, stage: ProofStage, repetitions: int) -> Row:
    circuit = Circuit.of(model.network, case.samples)
    chunks = split(model.test.inputs, model.test.labels, case.samples, BEACON).chunks
    once, verifier = _timed(lambda: system.verifier(circuit))
    salt = Element(secrets.randbelow(ORDER))
    costs: list[Cost] = []

    def prove(chunk: int, prover: Element) -> Proof:
        for _ in range(repetitions):
            proof, cost = system.prove_measured(circuit, model.network, chunks[chunk], prover, salt)
            costs.append(cost)
        if proof.statement.correct != correct_count(circuit, model.network, chunks[chunk]):
            raise Bug("the proof counts otherwise than the evaluator")
        proofs.append(proof)
        return proof

    proofs: list[Proof] = []
    gas = stage.measure(
        verifier,
        [chunk_hash(circuit, chunk) for chunk in chunks],
        lambda prover: model_hash(circuit, model.network, salt, prover),
        prove,
    )
    proof = proofs[-1]
    checks = [_timed(lambda: system.verify(circuit, proof)) for _ in range(VERIFICATIONS)]
    if not all(valid for _, valid in checks):
        raise Bug("a proof that the chain accepts is refused off chain")
    witness, proving = (median(getattr(cost, name) for cost in costs) for name in ("witness_seconds", "proof_seconds"))
    score = total_score(ScoreFunction.ACCURACY, evaluate(model.network, model.test.inputs), model.test.labels)
    return Row(
        model=case.name,
        parameters=model.parameters,
        samples=case.samples,
        system=system.name,
        size=system.size(circuit),
        once_s=once if once > 1 else None,
        witness_s=witness,
        proof_s=proving,
        total_s=witness + proving,
        memory_mib=max(cost.peak_bytes for cost in costs) / MIB,
        proof_bytes=len(proof.data),
        verify_ms=1000 * median(seconds for seconds, _ in checks),
        verify_gas=gas.verify,
        submit_gas=gas.submit,
        deploy_gas=gas.deploy,
        code_bytes=len(verifier.runtime),
        correct=proof.statement.correct,
        accuracy=100 * score / len(model.test),
    )


def facts(options: Options) -> dict[str, Any]:
    """What the table was measured with. The load is that of the last minute before the run."""
    return {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "zksnake": metadata.version("zksnake"),
        **VERSIONS,
        "seed": options.seed,
        "repetitions": options.repetitions,
        "started": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
    }


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result
