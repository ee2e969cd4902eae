"""Deploys the contracts. Wiring is immutable, so addresses that come later are predicted from the deployer's nonce.

Idempotent and resumable: each deployment is an intent of the sender, and a finished addresses file is checked against
the chain instead of deploying again.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak
from web3.types import Nonce
from web3.utils.address import get_create_address

from offchain.chain.addresses import (
    Addresses,
    check_addresses,
    field_of,
    read_addresses,
    write_addresses,
)
from offchain.chain.artifacts import CONTRACTS, Artifact, load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.parameters import SUPPLY, default_parameters
from offchain.chain.sender import Sender, Ticket
from offchain.chain.transactions import Receipt, TxCall
from offchain.chain.views import ProtocolParameters, encode
from offchain.errors import Bug, Rejected
from offchain.types import Wei

WIRES = {
    "token": "UtilityToken",
    "parameters": "Parameters",
    "vault": "StakeVault",
    "orderBook": "OrderBook",
    "proofOfTraining": "ProofOfTraining",
    "committee": "AggregatorCommittee",
    "treasury": "RewardTreasury",
    "verifier": "StepVerifier",
    "court": "DisputeCourt",
    "availability": "AvailabilityCourt",
    "federation": "FederatedTraining",
    "federatedCourt": "FederatedCourt",
    "federatedExtension": "FederatedExtension",
}
"""Names of constructor arguments (without the underscore) that are contracts."""


def deploy(
    sender: Sender,
    path: Path,
    *,
    parameters: ProtocolParameters | None = None,
    supply: Wei = SUPPLY,
    progress: Callable[[str], None] = lambda _line: None,
) -> Addresses:
    """Deploys all contracts unless the addresses file at `path` says that they are there; the addresses.

    The sender's account owns the parameters and receives the `supply` (in wei). Blocks until all is final and checked,
    then writes the file. Raises Rejected when the file is of another chain or version, or a contract does not come out
    as it must; Retryable when the node is down: calling again goes on where it stopped.
    """
    client = sender.client
    if path.exists():
        addresses = read_addresses(path)
        check_addresses(client, addresses, str(path))
        progress(f"{path}: the contracts are there")
        return addresses
    chosen = parameters or default_parameters(client.chain_id)
    places = _predict(sender)
    arguments = {"owner": sender.address, "holder": sender.address, "supply": supply, "initial": encode(chosen)}
    words = {**arguments, **{wire: places[name] for wire, name in WIRES.items()}}
    tickets: list[Ticket] = []
    for name in CONTRACTS:
        tickets.append(sender.submit(_key(name), deployment(load_artifact(name), words)))
        progress(f"{name} at {places[name]}")
    receipts = sender.wait_all(tickets)
    addresses = _verified(client, places, receipts)
    _check_wiring(client, addresses, words)
    write_addresses(path, addresses)
    return addresses


def deployment(artifact: Artifact, words: Mapping[str, Any]) -> TxCall:
    """The creation of a contract whose constructor arguments are looked up in `words` by name."""
    types, values = [], []
    for item in _constructor_inputs(artifact):
        name = item["name"].strip("_")
        if name not in words:
            raise Bug(f"{artifact.name}: nobody knows its constructor argument {item['name']}")
        types.append(collapse_if_tuple(item))
        values.append(words[name])
    return TxCall(None, artifact.creation + abi_encode(types, values), label=f"deployment of {artifact.name}")


def _constructor_inputs(artifact: Artifact) -> list[dict[str, Any]]:
    return next((list(entry["inputs"]) for entry in artifact.abi if entry["type"] == "constructor"), [])


def _key(name: str) -> str:
    return f"deploy:{name}"


def _predict(sender: Sender) -> dict[str, ChecksumAddress]:
    """Where each contract will be: consecutive nonces from the first that was, or will be, used."""
    begun = sender.nonce_of(_key(CONTRACTS[0]))
    first = sender.next_nonce() if begun is None else begun
    return {name: get_create_address(sender.address, Nonce(first + offset)) for offset, name in enumerate(CONTRACTS)}


def _verified(client: ChainClient, places: Mapping[str, ChecksumAddress], receipts: list[Receipt]) -> Addresses:
    hashes: dict[str, bytes] = {}
    for name, receipt in zip(CONTRACTS, receipts, strict=True):
        if receipt.contract_address != places[name]:
            raise Rejected(
                f"{name} came out at {receipt.contract_address}, not at {places[name]}: something else was sent with "
                "this key meanwhile; deploy again with a key of its own"
            )
        code = client.code(places[name])
        if load_artifact(name).immutables(code) is None:
            raise Rejected(f"{name} at {places[name]} has other code than this version's; deploy again")
        hashes[name] = keccak(code)
    fields = {field_of(name): places[name] for name in CONTRACTS}
    return Addresses(
        chain_id=client.chain_id,
        genesis=client.genesis(),
        block=min(receipt.block_number for receipt in receipts),
        code_hashes=hashes,
        **fields,
    )


def _check_wiring(client: ChainClient, addresses: Addresses, words: Mapping[str, Any]) -> None:
    """Each address that a constructor was given must stand in the code as an immutable."""
    for name in CONTRACTS:
        artifact = load_artifact(name)
        found = artifact.immutables(client.code(addresses.of(name)))
        if found is None:
            raise Bug(f"{name}'s code changed while it was checked")
        for item in _constructor_inputs(artifact):
            wire = item["name"].strip("_")
            if wire in WIRES:
                word = bytes(12) + bytes.fromhex(words[wire][2:])
                if word not in found:
                    raise Rejected(f"{name} is not wired to {wire} {words[wire]}; deploy again")
