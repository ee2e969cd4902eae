"""What the page's TypeScript has to agree with, said by the Python that it is the twin of."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_utils.abi import collapse_if_tuple, function_abi_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from offchain.chain.artifacts import ALL_CONTRACTS, load_artifact
from offchain.model.files import encode_graph, encode_weights
from offchain.model.graph import Op
from offchain.model.roots import compute_model_root
from offchain.protocol.permit import permit_message
from offchain.storage.unixfs import CANONICAL, Profile, cid_of_chunks
from offchain.types import TOKEN, Seconds, Wei
from tests.unit.explorer.step_vectors import make_steps
from tests.unit.model.networks import random_network, recurrent_network

Entry = Mapping[str, Any]

TERMS = {
    "reward": 100 * TOKEN,
    "scoreFunction": 1,
    "minimumScorePpm": -(2**63),
    "trainSeconds": 3660,
    "maxModelBytes": 2**20,
}
"""Fields of an order whose words the tests look at."""

NETWORKS = (
    [Op.DENSE],
    [Op.CONV2D, Op.MAX_POOL2D, Op.DENSE],
    [Op.DEPTHWISE_CONV2D, Op.AVERAGE_POOL2D],
    [Op.LOOKUP, Op.ADD, Op.MULTIPLY],
    [Op.EMBEDDING, Op.SLICE, Op.CONCAT, Op.DENSE],
)


def make_vectors(seed: int) -> dict[str, Any]:
    """See `Vectors` in `offchain/explorer/page/tests/vectors.ts`."""
    rng = random.Random(seed)
    abis = {name: list(load_artifact(name).abi) for name in ALL_CONTRACTS}
    contracts = {name: to_checksum_address(rng.randbytes(20)) for name in ALL_CONTRACTS}
    return {
        "abis": abis,
        "contracts": contracts,
        "files": list(_files(rng)),
        "models": list(_models(seed)),
        "permit": _permit(contracts),
        "steps": list(make_steps(seed)),
        "calls": [_encoded(rng, name, entry) for name, entry in _entries(abis, "function") if _named(entry)],
        "errors": [_encoded(rng, name, entry) for name, entry in _entries(abis, "error")],
    }


def _files(rng: random.Random) -> Iterator[dict[str, Any]]:
    small = Profile(chunk=7, links=3)
    chunk = CANONICAL.chunk
    cases = [(CANONICAL, size) for size in (0, 1, 300, chunk - 1, chunk, chunk + 1, 2 * chunk + 5)]
    cases += [(small, size) for size in (0, 7, 8, 21, 22, 63, 64, 190, 500)]
    for profile, size in cases:
        data = rng.randbytes(size)
        cid = str(cid_of_chunks([data], profile=profile))
        yield {"data": data.hex(), "chunk": profile.chunk, "links": profile.links, "cid": cid}


def _models(seed: int) -> Iterator[dict[str, Any]]:
    networks = [random_network(ops, seed + index) for index, ops in enumerate(NETWORKS)]
    networks.append(recurrent_network(steps=2, width=3, units=4, outputs=2, seed=seed))
    for network in networks:
        yield {
            "name": "-".join(node.op.name.lower() for node in network.nodes),
            "graph": encode_graph(network).hex(),
            "weights": encode_weights(network).hex(),
            "root": "0x" + compute_model_root(network).hex(),
        }


def _permit(contracts: Mapping[str, Any]) -> dict[str, Any]:
    message = permit_message(
        chain_id=31337,
        token=contracts["UtilityToken"],
        owner=contracts["Parameters"],
        spender=contracts["OrderBook"],
        value=Wei(10**15),  # exact as a JSON number too
        nonce=3,
        deadline=Seconds(1_800_000_000),
    )
    signable = encode_typed_data(full_message=message)
    digest = keccak(b"\x19\x01" + signable.header + signable.body)
    return {"typedData": message, "digest": "0x" + digest.hex()}


def _entries(abis: Mapping[str, list[Entry]], kind: str) -> Iterator[tuple[str, Entry]]:
    for contract, abi in abis.items():
        for entry in abi:
            if entry["type"] == kind and entry.get("stateMutability") not in ("view", "pure"):
                yield contract, entry


def _named(entry: Entry) -> bool:
    """FederatedTraining passes some calls on without naming their arguments; the extension names them."""
    return all(item["name"] for item in entry["inputs"])


def _encoded(rng: random.Random, contract: str, entry: Entry) -> dict[str, str]:
    selector = function_abi_to_4byte_selector({**entry, "type": "function"})  # type: ignore[arg-type]
    types = [collapse_if_tuple(dict(item)) for item in entry["inputs"]]
    data = selector + encode(types, [_value(rng, item) for item in entry["inputs"]])
    return {"contract": contract, "name": entry["name"], "data": "0x" + data.hex()}


def _value(rng: random.Random, item: Entry) -> Any:
    """Some value of an ABI type."""
    kind: str = item["type"]
    if kind.endswith("]"):
        inner, count = kind[: kind.rindex("[")], kind[kind.rindex("[") + 1 : -1]
        return [_value(rng, {**item, "type": inner}) for _ in range(int(count) if count else rng.randint(0, 12))]
    if kind == "tuple":
        return tuple(_value(rng, field) for field in item["components"])
    if item["name"] in TERMS:
        return TERMS[item["name"]] if not str(item.get("internalType", "")).startswith("struct") else None
    return _plain(rng, item)


def _plain(rng: random.Random, item: Entry) -> Any:
    kind: str = item["type"]
    if str(item.get("internalType", "")).startswith("enum"):
        return rng.randint(0, 2)
    if kind.startswith("uint"):
        return rng.randrange(2 ** rng.choice([1, int(kind[4:]) // 2, int(kind[4:])]))
    if kind.startswith("int"):
        return rng.randrange(-(2 ** (int(kind[3:]) - 1)), 2 ** (int(kind[3:]) - 1))
    if kind == "bytes":
        return rng.randbytes(rng.randint(0, 100))
    if kind.startswith("bytes"):
        return rng.randbytes(int(kind[5:]))
    return {"address": "0x" + rng.randbytes(20).hex(), "bool": rng.random() < 0.5, "string": "name " * 3}[kind]
