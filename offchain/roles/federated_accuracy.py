"""A client's side of proofs of accuracy: test chunks and circuit from its own samples, and the verifier on chain."""

from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

import numpy as np

from offchain.chain.contracts import AssayContracts
from offchain.chain.proofs import Verifiers
from offchain.chain.sending import Sending
from offchain.data.dataset import Dataset
from offchain.data.raw import RawData
from offchain.errors import Bug, Rejected
from offchain.federated.accuracy_part import AccuracyPart, TestChunks
from offchain.federated.fixed_point import Model
from offchain.federated.local_data import dataset_for
from offchain.federated.local_network import network_of, task_circuit
from offchain.federated.manifest import FederatedManifest
from offchain.federated.parameters import float_model
from offchain.federated.terms import AccuracyTerms
from offchain.model.float_model import Scaling
from offchain.proofs.chunks import split
from offchain.proofs.system import CompiledVerifier
from offchain.protocol.manifest import FileRef
from offchain.roles.federated_prover import Systems
from offchain.storage.store import Store

DEFAULT_SAMPLES: Final = 64


@dataclass(frozen=True, slots=True)
class AccuracyRequest:
    """What a client asks to be proven.

    `test`: samples of its own, as they are, shuffled by `beacon` (32 bytes that nobody could choose) and cut into
    chunks of `samples`; each participant proves `draws` of them in each round. `minimum` and `baseline`: parts of the
    samples in them; who has proven less than the minimum is left out, and what exceeds the baseline is paid.
    """

    test: RawData
    systems: Systems
    minimum: float
    baseline: float
    beacon: bytes
    samples: int = DEFAULT_SAMPLES
    draws: int = 1
    system: Literal["ultrahonk", "groth16"] = "ultrahonk"


@dataclass(frozen=True, slots=True)
class PreparedAccuracy:
    """Terms and manifest of what is to be proven; the test file is in the store. `left_over`: samples in no chunk."""

    terms: AccuracyTerms
    part: AccuracyPart
    verifier: CompiledVerifier
    left_over: int


def prepare_accuracy(
    store: Store, asked: AccuracyRequest, manifest: FederatedManifest, model: Model, scale_bits: int
) -> PreparedAccuracy:
    """Makes chunks, circuit and verifier, and stores the chunks. `manifest`: without its part about proofs.

    Raises Rejected when samples, model and circuit do not fit, or a tool is missing.
    """
    if manifest.preprocessing is None and not manifest.model_spec.reads_tokens:
        raise Rejected("--prove: test samples need a scaling that the task fixes; give --like or --range")
    data = dataset_for(manifest, asked.test)
    scaling = Scaling(input_scale=manifest.local.input_scale)
    first = network_of(float_model(manifest.model_spec, model, scale_bits, scaling), data)
    circuit = task_circuit(first, asked.samples)
    cut = split(data.inputs, data.labels, asked.samples, asked.beacon)
    chunked = Dataset(
        np.concatenate([chunk.inputs for chunk in cut.chunks]), np.concatenate([chunk.labels for chunk in cut.chunks])
    )
    tests = TestChunks(circuit, chunked)
    if not 1 <= asked.draws <= len(tests.chunks):
        raise Rejected(f"--draws {asked.draws}: there are {len(tests.chunks)} chunks of {asked.samples} samples")
    verifier = asked.systems(asked.system).verifier(circuit)
    content = chunked.to_bytes()
    part = AccuracyPart.of(asked.system, circuit, FileRef(cid=store.add(content), size=len(content)))
    proven = asked.draws * asked.samples
    baseline = int(asked.baseline * proven)
    terms = AccuracyTerms(
        verifier=verifier.registry_key,
        chunk_root=tests.tree.root,
        chunks=len(tests.chunks),
        draws=asked.draws,
        minimum_correct=max(ceil(asked.minimum * proven), baseline + 1),
        baseline=baseline,
    )
    return PreparedAccuracy(terms, part, verifier, cut.left_over)


def publish_verifier(contracts: AssayContracts, sender: Sending, verifier: CompiledVerifier) -> None:
    """Deploys and registers the verifier unless the registry has it; waits until that is final.

    Raises Rejected, Retryable.
    """
    verifiers = Verifiers(contracts)
    if verifiers.find(verifier.registry_key) is not None:
        return
    name = verifier.registry_key.hex()
    receipt = sender.send(f"verifier-deploy:{name}", verifiers.deployment(verifier))
    if receipt.contract_address is None:
        raise Bug("a deployment without an address")
    sender.send(f"verifier-register:{name}", verifiers.register(receipt.contract_address))
