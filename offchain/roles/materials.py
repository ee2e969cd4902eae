"""What an order is about: its manifest, spec and training data, fetched within limits and checked."""

from dataclasses import dataclass
from math import prod

from offchain.chain.views import OrderTerms
from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.spec import ModelSpec, parse_spec
from offchain.protocol.manifest import MAX_MANIFEST_BYTES, OrderManifest
from offchain.storage.cid import Cid
from offchain.storage.store import Store


@dataclass(frozen=True, slots=True)
class Materials:
    """All that a provider needs."""

    manifest: OrderManifest
    spec: ModelSpec
    train: Dataset


def fetch_manifest(store: Store, terms: OrderTerms) -> OrderManifest:
    """The order's manifest.

    Raises Retryable when it cannot be had now, Rejected when it is malformed or contradicts the order on chain.
    """
    cid = Cid(terms.manifest_cid)
    manifest = OrderManifest.parse(store.read(cid, max_bytes=MAX_MANIFEST_BYTES), source=str(cid))
    if manifest.score_function_id != terms.score_function:
        on_chain = terms.score_function.name.lower()
        raise Rejected(f"{cid}: the manifest says {manifest.score_function}, the order on chain {on_chain}")
    return manifest


def fetch_materials(store: Store, terms: OrderTerms, *, max_bytes: int) -> Materials:
    """Manifest, spec and training data; at most `max_bytes` of the latter. Raises like `fetch_manifest`."""
    manifest = fetch_manifest(store, terms)
    spec = parse_spec(manifest.spec_json(), source=str(Cid(terms.manifest_cid)))
    sizes, on_chain = (prod(spec.input_shape), spec.outputs), (terms.input_size, terms.output_size)
    if sizes != on_chain:
        raise Rejected(f"{Cid(terms.manifest_cid)}: the spec has {sizes} inputs and outputs, the order {on_chain}")
    manifest.preprocessing.require(spec.input_shape)
    data = store.read(manifest.train.cid, max_bytes=max_bytes, size=manifest.train.size)
    train = Dataset.from_bytes(data, max_bytes=max_bytes, shape=spec.input_shape, name=str(manifest.train.cid))
    return Materials(manifest, spec, train)
