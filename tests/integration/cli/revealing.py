"""Models revealed on chain without a worker: good ones, and every kind of bad one."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from offchain.chain.devnet import dev_accounts, travel
from offchain.chain.enums import Role
from offchain.chain.sender import open_sender
from offchain.data.dataset import Dataset
from offchain.model.files import encode_graph, encode_weights
from offchain.model.float_model import FloatModel
from offchain.model.graph import IntegerNetwork
from offchain.model.roots import compute_model_root
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.commitments import claim_commitment
from offchain.protocol.lifecycle import Phase
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.roles.funding import bond
from offchain.storage.cid import Cid
from offchain.storage.store import Store, open_store
from offchain.types import OrderId, Root, Salt, Wei
from tests.integration.cli.support import Cli
from tests.unit.training.networks import random_model
from tests.unit.training.test_quantisation import integer_network

MAX_MODEL_BYTES = 20_000
BOND = Wei(100 * 10**18)
SALT = Salt(b"\x05" * 32)
FIRST_PROVIDER = 2


@dataclass(frozen=True)
class Offered:
    """The three files of a claimed model and what its manifest says of them; `root` is revealed on chain."""

    network: IntegerNetwork
    graph: bytes
    weights: bytes
    float_weights: bytes
    root: Root
    sizes: Mapping[str, int]
    manifest_root: Root

    def keep(self, store: Store) -> Cid:
        """Stores the files and the manifest; its CID."""
        parts = {"graph": self.graph, "weights": self.weights, "float_weights": self.float_weights}
        refs = {
            name: FileRef(cid=store.add(data), size=self.sizes.get(name, len(data))) for name, data in parts.items()
        }
        return store.add(ModelManifest(**refs, model_root=self.manifest_root).to_bytes())


def honest(seed: int = 0) -> Offered:
    """A model that fits an order for two features and three classes."""
    spec = spec_from_shorthand("mlp:8", input_shape=(2,), outputs=3)
    model = random_model(spec, seed=seed)
    random = np.random.default_rng(seed)
    sample = Dataset(random.integers(-128, 128, (20, 2)).astype(np.int8), np.zeros(20, dtype=np.int32))
    network = integer_network(model, sample)
    root = compute_model_root(network)
    return Offered(network, encode_graph(network), encode_weights(network), model.to_bytes(), root, {}, root)


def _header(weights: bytes, edit: Callable[[dict[str, dict[str, object]]], object]) -> bytes:
    """A safetensors file with an edited header and the same data."""
    length = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + length])
    edit(header)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + weights[8 + length :]


def _truncated(good: Offered) -> Offered:
    return replace(good, weights=good.weights[:-7])


def _oversized(good: Offered) -> Offered:
    """More than the parameters that the order allows and what files may need besides."""
    return replace(good, weights=good.weights + bytes(MAX_MODEL_BYTES + (3 << 20)))


def _understated(good: Offered) -> Offered:
    """Content of more bytes than its manifest admits."""
    return replace(good, weights=good.weights + bytes(MAX_MODEL_BYTES), sizes={"weights": len(good.weights)})


def _wrong_dtype(good: Offered) -> Offered:
    return replace(good, weights=_header(good.weights, lambda header: header["0.bias"].update(dtype="F32")))


def _nan_scale(good: Offered) -> Offered:
    graph = json.loads(good.graph)
    graph["output_scale"] = float("nan")
    return replace(good, graph=json.dumps(graph, sort_keys=True, separators=(",", ":")).encode())


def _lying_header(good: Offered) -> Offered:
    return replace(good, weights=_header(good.weights, lambda h: h["0.weight"].update(data_offsets=[0, 1 << 40])))


def _endless_header(good: Offered) -> Offered:
    return replace(good, weights=(1 << 62).to_bytes(8, "little") + good.weights[8:])


def _another_model(good: Offered) -> Offered:
    """Files that are a valid model, but not the one that was revealed."""
    other = honest(seed=9)
    return replace(other, root=good.root, manifest_root=good.root)


def _another_root(good: Offered) -> Offered:
    return replace(good, root=Root(b"\x07" * 32))


def _not_finite(good: Offered) -> Offered:
    model = FloatModel.from_bytes(good.float_weights, max_bytes=1 << 20)
    state = {name: np.full_like(values, np.nan) for name, values in model.state.items()}
    return replace(good, float_weights=FloatModel(model.spec, state, model.scaling).to_bytes())


BAD: Mapping[str, tuple[Callable[[Offered], Offered], tuple[str, ...]]] = {
    "truncated": (_truncated, ("weights.safetensors", "fetch it again")),
    "oversized": (_oversized, ("the order allows",)),
    "understated": (_understated, ("bytes",)),
    "wrong dtype": (_wrong_dtype, ("weights.safetensors", "0.bias", "F32")),
    "NaN scale": (_nan_scale, ("graph.json",)),
    "lying header": (_lying_header, ("weights.safetensors", "0.weight")),
    "endless header": (_endless_header, ("weights.safetensors", "header")),
    "another model": (_another_model, ("not of 0x",)),
    "another root": (_another_root, ("manifest", "not of 0x07")),
    "float weights not finite": (_not_finite, ("not finite",)),
}
"""How a model can be bad, and what the error must say. One provider each, from dev3 on; dev2's is good."""


@dataclass(frozen=True)
class Revealed:
    """An order in its reveal phase with one model of each provider."""

    oid: OrderId
    good: Offered
    providers: Mapping[str, ChecksumAddress]
    cids: Mapping[str, Cid]


def reveal_all(cli: Cli, oid: OrderId) -> Revealed:
    """Bonds, claims and reveals the good model and all bad ones, each by a provider of its own."""
    good = honest()
    offers = {"good": good} | {name: spoil(good) for name, (spoil, _) in BAD.items()}
    store = open_store(f"local:{cli.home / 'store'}")
    accounts = dict(zip(offers, dev_accounts(FIRST_PROVIDER + len(offers))[FIRST_PROVIDER:], strict=True))
    cids = {name: offer.keep(store) for name, offer in offers.items()}
    contracts = cli.contracts
    for name, offer in offers.items():
        account = accounts[name]
        commitment = claim_commitment(oid, account.address, offer.root, cids[name].digest, SALT)
        with_sender(cli, account, lambda sender: bond(contracts, sender, Role.PROVIDER, BOND, intent="reveal_all"))
        with_sender(
            cli, account, lambda sender, c=commitment: sender.send(f"claim:{oid}", contracts.claim_model(oid, c))
        )
    travel(cli.client, contracts.order(oid).windows.train_end - cli.client.now())
    assert contracts.phase(oid) is Phase.REVEAL
    for name, offer in offers.items():
        call = contracts.reveal_model(oid, offer.root, cids[name].digest, SALT)
        with_sender(cli, accounts[name], lambda sender, call=call: sender.send(f"reveal:{oid}", call))
    return Revealed(oid, good, {name: account.address for name, account in accounts.items()}, cids)


def with_sender(cli: Cli, account: LocalAccount, act: Callable[..., object]) -> None:
    """Acts with a sender of the account, as its worker would."""
    sender = open_sender(cli.client, account, cli.home / "journals")
    try:
        act(sender)
    finally:
        sender.close()
