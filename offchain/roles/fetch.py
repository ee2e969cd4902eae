"""Get (paper 3.3.1): a revealed model out of the store, every hash of it verified against the chain."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eth_typing import ChecksumAddress
from eth_utils.address import is_address, to_checksum_address

from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Outcome
from offchain.errors import Rejected
from offchain.model.export import Format, export_model, write_files
from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, encode_graph, encode_weights
from offchain.model.float_model import FloatModel
from offchain.model.graph import IntegerNetwork
from offchain.protocol.scores import ScoreFunction
from offchain.roles.order_view import limits_of
from offchain.roles.package import fetch_model_manifest, unpack, unpack_float
from offchain.storage.store import Store
from offchain.types import OrderId, Root

FLOAT_BYTES_PER_MODEL_BYTE = 16
"""Float weights (four bytes, and batch normalisation) weigh more than the int8 network, but not without bound."""


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """A verified model: the integer network is the one whose `root` is on chain; the float model is its companion."""

    oid: OrderId
    provider: ChecksumAddress
    root: Root
    score_function: ScoreFunction
    network: IntegerNetwork
    float_model: FloatModel


def fetch_model(contracts: AssayContracts, store: Store, oid: OrderId, *, provider: str | None = None) -> FetchedModel:
    """The winner's model of an order, or that of `provider` (an address).

    Raises Rejected when there is no such model or what the store gives is not what was revealed, Retryable when it
    cannot be had now, ContractRejected for an unknown order.
    """
    order = contracts.order(oid)
    who = _winner(contracts, oid) if provider is None else _address(provider)
    model = next((model for model in contracts.models(oid) if model.provider == who), None)
    if model is None:
        raise Rejected(f"--provider {who}: has revealed no model for order {oid}; see `assay show {oid}`")
    limits = limits_of(order.terms)
    network = unpack(store, model.cid, model.model_root, limits)
    manifest = fetch_model_manifest(store, model.cid, model.model_root)
    most = FLOAT_BYTES_PER_MODEL_BYTE * limits.max_model_bytes
    return FetchedModel(
        oid=oid,
        provider=who,
        root=model.model_root,
        score_function=ScoreFunction(order.terms.score_function),
        network=network,
        float_model=unpack_float(store, manifest, max_bytes=most),
    )


def write_model(fetched: FetchedModel, form: Format | Literal["files"], folder: Path) -> tuple[Path, ...]:
    """Writes the model as claimed (`files`: graph.json and weights.safetensors) or exported; the files."""
    if form == "files":
        network = fetched.network
        return write_files({GRAPH_FILE: encode_graph(network), WEIGHTS_FILE: encode_weights(network)}, folder)
    return export_model(fetched.network, fetched.float_model, format=form, directory=folder)


def _winner(contracts: AssayContracts, oid: OrderId) -> ChecksumAddress:
    settlement = contracts.settlement(oid)
    if settlement.outcome is not Outcome.WON:
        if settlement.outcome is Outcome.NONE:
            said = f"is not sealed yet (phase: {contracts.phase(oid).label})"
        else:
            said = f"was {settlement.outcome.name.lower()}"
        raise Rejected(f"order {oid} {said}, so nobody has won; a model that is revealed can be had with --provider")
    return settlement.winner


def _address(text: str) -> ChecksumAddress:
    if not is_address(text):
        raise Rejected(f"--provider {text}: not an address; see `assay show`")
    return to_checksum_address(text)
