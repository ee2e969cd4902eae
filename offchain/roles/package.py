"""A claimed model as content: packed by its provider, unpacked and verified by everyone else."""

from dataclasses import dataclass

from offchain.errors import Rejected
from offchain.model.curves import MAX_TRAINING_BYTES, TrainingAccount
from offchain.model.files import decode_network, encode_graph, encode_weights
from offchain.model.float_model import FloatModel
from offchain.model.graph import IntegerNetwork
from offchain.model.limits import ModelLimits
from offchain.model.roots import compute_model_root
from offchain.model.validation import validate
from offchain.protocol.manifest import MAX_MANIFEST_BYTES, FileRef, ModelManifest
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import CidDigest, Root


@dataclass(frozen=True, slots=True)
class Package:
    """A model in the store: its MID and the CID of its manifest."""

    model_root: Root
    cid: CidDigest


def pack(
    store: Store,
    network: IntegerNetwork,
    model: FloatModel,
    limits: ModelLimits,
    *,
    account: TrainingAccount | None = None,
) -> Package:
    """Stores graph, weights, float weights and the manifest that names them.

    `account`: what the provider says of the training, published beside the model. Raises Rejected when the network is
    not valid within the order's limits, Retryable when the store is not ready.
    """
    validate(network, limits)
    graph, weights = encode_graph(network), encode_weights(network)
    root = compute_model_root(network)
    manifest = ModelManifest(
        graph=_keep(store, graph),
        weights=_keep(store, weights),
        float_weights=_keep(store, model.to_bytes()),
        model_root=root,
        training=None if account is None else _keep(store, account.to_bytes()),
    )
    return Package(root, store.add(manifest.to_bytes()).digest)


def fetch_model_manifest(store: Store, cid: CidDigest, root: Root) -> ModelManifest:
    """The manifest of a revealed model.

    Raises Retryable when it cannot be had now, Rejected when it is malformed or of another model than `root`.
    """
    name = Cid(cid)
    manifest = ModelManifest.parse(store.read(name, max_bytes=MAX_MANIFEST_BYTES), source=str(name))
    if manifest.model_root != root:
        raise Rejected(f"{name}: the manifest is of model 0x{manifest.model_root.hex()}, not of 0x{root.hex()}")
    return manifest


@dataclass(frozen=True, slots=True)
class Parcel:
    """The files of a revealed model as they came: the bytes that their CIDs name, not looked at yet."""

    name: Cid
    graph: bytes
    weights: bytes

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.graph) + len(self.weights)


def download(store: Store, cid: CidDigest, root: Root, limits: ModelLimits) -> Parcel:
    """The files of a revealed model, within the order's limits.

    Raises Retryable when content cannot be had now, Rejected when it is too large, or its manifest of another model.
    """
    manifest = fetch_model_manifest(store, cid, root)
    if manifest.graph.size + manifest.weights.size > limits.max_file_bytes:
        raise Rejected(
            f"{Cid(cid)}: a model of {manifest.graph.size + manifest.weights.size} bytes; "
            f"the order allows {limits.max_file_bytes}"
        )
    graph, weights = (_fetch(store, part, limits.max_file_bytes) for part in (manifest.graph, manifest.weights))
    return Parcel(Cid(cid), graph, weights)


def open_parcel(parcel: Parcel, root: Root, limits: ModelLimits) -> IntegerNetwork:
    """The integer network in the files, verified against its root. Raises Rejected when it is malformed or another."""
    network = decode_network(parcel.graph, parcel.weights, limits)
    actual = compute_model_root(network)
    if actual != root:
        raise Rejected(f"{parcel.name}: the files are of model 0x{actual.hex()}, not of 0x{root.hex()}")
    return network


def unpack(store: Store, cid: CidDigest, root: Root, limits: ModelLimits) -> IntegerNetwork:
    """The integer network of a revealed model, verified against its root.

    Raises Retryable when content cannot be had now, Rejected when it is too large, malformed, or another model.
    """
    return open_parcel(download(store, cid, root, limits), root, limits)


def unpack_float(store: Store, manifest: ModelManifest, *, max_bytes: int) -> FloatModel:
    """The float weights that are delivered beside the integer network. Raises like `unpack`."""
    part = manifest.float_weights
    return FloatModel.from_bytes(_fetch(store, part, max_bytes), max_bytes=max_bytes, name=str(part.cid))


def fetch_account(store: Store, manifest: ModelManifest) -> TrainingAccount | None:
    """What the provider says of the training; None if it says nothing. Nothing may depend on it.

    Raises Retryable when it cannot be had now, Rejected when it is malformed.
    """
    part = manifest.training
    if part is None:
        return None
    data = _fetch(store, part, MAX_TRAINING_BYTES)
    return TrainingAccount.parse(data, source=str(part.cid))


def _keep(store: Store, data: bytes) -> FileRef:
    return FileRef(cid=store.add(data), size=len(data))


def _fetch(store: Store, part: FileRef, max_bytes: int) -> bytes:
    return store.read(part.cid, max_bytes=max_bytes, size=part.size)
