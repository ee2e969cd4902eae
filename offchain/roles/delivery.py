"""What a client gets for its reward: the winning model, every hash checked against the chain."""

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.errors import Rejected
from offchain.model.float_model import FloatModel
from offchain.model.graph import IntegerNetwork
from offchain.model.limits import ModelLimits
from offchain.protocol.manifest import ModelManifest, OrderManifest
from offchain.protocol.settlement import Outcome
from offchain.roles.materials import fetch_manifest
from offchain.roles.package import fetch_model_manifest, unpack, unpack_float
from offchain.storage.store import Store
from offchain.types import OrderId, Root

MAX_FLOAT_BYTES_PER_MODEL_BYTE = 16
"""Float weights (four bytes, and batch normalisation) weigh more than the int8 network, but not without bound."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified model. `score`: the sum over `samples` test samples on which its validators agreed."""

    oid: OrderId
    provider: ChecksumAddress
    root: Root
    score: int
    samples: int
    order: OrderManifest
    manifest: ModelManifest
    network: IntegerNetwork
    model: FloatModel


def get_model(contracts: AssayContracts, store: Store, oid: OrderId) -> Delivery:
    """Downloads the winner of a sealed order.

    Every byte is checked against its CID, the integer network against the root on chain, the float weights against the
    manifest that the provider committed to. Raises Rejected when the order has no winner (yet) or its content is not
    what was committed, Retryable when content cannot be had now.
    """
    order, settlement = contracts.order(oid), contracts.settlement(oid)
    if settlement.outcome == Outcome.NONE:
        raise Rejected(f"order {oid} is not sealed yet (phase {contracts.phase(oid).label}): try again later")
    if settlement.outcome != Outcome.WON:
        raise Rejected(f"order {oid} ended without a winner ({settlement.outcome.name.lower()}): there is no model")
    model = contracts.models(oid)[settlement.model_index]
    limits = ModelLimits(order.terms.max_model_bytes, order.terms.max_tensor_bytes)
    network = unpack(store, model.cid, model.model_root, limits)
    manifest = fetch_model_manifest(store, model.cid, model.model_root)
    largest = limits.max_model_bytes * MAX_FLOAT_BYTES_PER_MODEL_BYTE
    return Delivery(
        oid=oid,
        provider=model.provider,
        root=model.model_root,
        score=settlement.score,
        samples=contracts.test_set(oid).sample_count,
        order=fetch_manifest(store, order.terms),
        manifest=manifest,
        network=network,
        model=unpack_float(store, manifest, max_bytes=largest),
    )
