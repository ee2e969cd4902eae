"""A participant's local model as the integer network that it proves: quantised on its own samples, in a task's circuit.

What a proof counts is how this network does on the test chunks (docs/federated.md, Proofs of accuracy).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from offchain.data.dataset import Dataset
from offchain.errors import Bug
from offchain.federated.fixed_point import Model, Update
from offchain.federated.manifest import FederatedManifest
from offchain.federated.parameters import float_model
from offchain.federated.terms import FederatedTerms
from offchain.model.float_model import FloatModel, Scaling
from offchain.model.graph import IntegerNetwork, Node, Requantisation
from offchain.model.limits import MULTIPLIER_BOUND
from offchain.model.windows import WEIGHTED
from offchain.proofs.circuit import (
    BIAS_BITS,
    MULTIPLIER_BITS,
    Circuit,
    CircuitNode,
    check_fits,
    parse_circuit,
    scaled_multipliers,
)
from offchain.proofs.friendly import SHIFT, prover_friendly
from offchain.proofs.statement import Chunk, correct_count

CALIBRATION_SAMPLES: Final = 512
ROOM_BITS: Final = 3
"""So many bits more than the first model's are left to multipliers and biases of later ones."""


def network_of(model: FloatModel, data: Dataset) -> IntegerNetwork:
    """The integer network of a float model, calibrated on `data` (n, *shape). Raises Rejected."""
    import torch

    from offchain.model.assembly import assemble
    from offchain.model.calibration import calibrate
    from offchain.model.folding import FoldedNetwork, fold

    step = -(-len(data) // CALIBRATION_SAMPLES)
    sample = torch.from_numpy(np.array(data.inputs[::step])).float() * model.scaling.input_scale
    folded = FoldedNetwork(fold(model))
    scales = calibrate(folded, sample, input_scale=model.scaling.input_scale, method="mse")
    return assemble(folded.export_nodes(), scales, input_shape=model.spec.input_shape)


def task_circuit(network: IntegerNetwork, samples: int) -> Circuit:
    """The circuit for a task whose first model gives this network: with room for those that training makes of it."""
    circuit = Circuit.of(prover_friendly(network), samples, SHIFT)
    nodes = (*map(_roomy, circuit.nodes[:-1]), circuit.nodes[-1])
    return parse_circuit(replace(circuit, nodes=nodes).description())


def fit(circuit: Circuit, network: IntegerNetwork) -> IntegerNetwork:
    """The network with multipliers rounded to the circuit's shift, its outputs scaled down to what the circuit bears.

    Raises Rejected when it is of another shape, or a layer has outgrown the circuit.
    """
    fitted = prover_friendly(network, circuit.shift)
    if len(fitted.nodes) == len(circuit.nodes):
        fitted = replace(fitted, nodes=(*fitted.nodes[:-1], _lowered(circuit, fitted.nodes[-1])))
    check_fits(circuit, fitted)
    return fitted


def local_network(
    manifest: FederatedManifest, terms: FederatedTerms, model: Model, update: Update, data: Dataset
) -> IntegerNetwork:
    """The network of a participant's model, int32 (d,), after its update, int16 (d,), that `data` calibrates.

    Raises Rejected when it does not fit the task's circuit.
    """
    if manifest.accuracy is None:
        raise Bug("a task without proofs has no circuit")
    local = (model.astype(np.int64) + update).astype(np.int32)
    scaling = Scaling(input_scale=manifest.local.input_scale)
    made = network_of(float_model(manifest.model_spec, local, terms.scale_bits, scaling), data)
    return fit(manifest.accuracy.shape, made)


def whole_count(circuit: Circuit, network: IntegerNetwork, chunks: Sequence[Chunk]) -> int:
    """Right samples over all chunks: what the draws estimate."""
    return sum(correct_count(circuit, network, chunk) for chunk in chunks)


def _roomy(node: CircuitNode) -> CircuitNode:
    if node.op not in WEIGHTED:
        return node
    multiplier = min(node.multiplier_bits + ROOM_BITS, MULTIPLIER_BITS + SHIFT)
    return replace(node, multiplier_bits=multiplier, bias_bits=min(node.bias_bits + ROOM_BITS, BIAS_BITS))


def _lowered(circuit: Circuit, node: Node) -> Node:
    """The last node with all outputs halved as often as its multipliers ask for: their order is what counts."""
    made, bits = node.requantisation, circuit.nodes[-1].multiplier_bits
    if node.op not in WEIGHTED or made is None:
        return node
    past = max(0, max(scaled_multipliers(node, circuit.shift)).bit_length() - bits)
    multiplier = np.rint(made.multiplier.astype(np.float64) / 2.0**past).astype(np.int64)
    return replace(node, requantisation=_requantisation(multiplier, made.shift.astype(np.int64)))


def _requantisation(multiplier: np.ndarray[tuple[int, ...], np.dtype[np.int64]], shift: object) -> Requantisation:
    bounded = np.clip(multiplier, 1, MULTIPLIER_BOUND - 1)
    return Requantisation(bounded.astype(np.int32), np.asarray(shift).astype(np.uint8))
