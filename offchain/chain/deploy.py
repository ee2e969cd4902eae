"""Deploys the contracts by a plan (`plan.py`), with the terms of the network (`terms.py`).

Idempotent and resumable: each step is an intent of the sender, and a finished addresses file is checked against the
chain instead of deploying again. `assay deploy` and `ape run deploy` both come here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from eth_abi.abi import decode as abi_decode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.chain.addresses import (
    Addresses,
    Creation,
    check_addresses,
    field_of,
    read_addresses,
    write_addresses,
)
from offchain.chain.artifacts import CONTRACTS, TIMELOCK, load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.plan import WIRES, Plan, constructor_inputs, deployment, first_key, make_plan
from offchain.chain.sender import Sender
from offchain.chain.terms import DeploymentTerms, check_terms, load_terms
from offchain.chain.transactions import Receipt
from offchain.chain.views import ProtocolParameters
from offchain.errors import Bug, Rejected

__all__ = ["WIRES", "deploy", "deployment", "plan_for"]

OWNER = keccak(text="owner()")[:4]


def deploy(
    sender: Sender,
    path: Path,
    *,
    terms: DeploymentTerms | None = None,
    parameters: ProtocolParameters | None = None,
    source: str = "the network's parameters",
    progress: Callable[[str], None] = lambda _line: None,
) -> Addresses:
    """Deploys what `terms` say unless the addresses file at `path` says that it is there; the addresses.

    Without `terms` those of the network's reviewed file hold; `parameters` take the place of their protocol parameters;
    `source` names them in errors. Blocks until all is final and checked, then writes the file. Raises Rejected when the
    file is of another chain or version, the terms are not fit for the network, or a contract does not come out as it
    must; Retryable when the node is down: calling again goes on where it stopped.
    """
    client = sender.client
    if path.exists():
        addresses = read_addresses(path)
        check_addresses(client, addresses, str(path))
        progress(f"{path}: the contracts are there")
        return addresses
    chosen = terms or load_terms(client.chain_id)
    if parameters is not None:
        chosen = replace(chosen, protocol=parameters)
    check_terms(chosen, client.network, source)
    plan = plan_for(chosen, sender)
    addresses = _verified(client, plan, _send(sender, plan, progress))
    _check_wiring(client, addresses, plan)
    write_addresses(path, addresses)
    return addresses


def _send(sender: Sender, plan: Plan, progress: Callable[[str], None]) -> list[Receipt]:
    """Sends all steps; the protocol stands before the faucet, which is a toy beside it, is filled.

    Anvil forgets small transactions that come after large ones which its block has no room for, so they wait here
    (`contracts_of` orders the others).
    """
    receipts: list[Receipt] = []
    large = [step for step in plan.steps if step.name in (TIMELOCK, *CONTRACTS)]
    for wave in (large, plan.steps[len(large) :]):
        tickets = []
        for step in wave:
            tickets.append(sender.submit(step.key, step.call))
            progress(step.name if step.address is None else f"{step.name} at {step.address}")
        receipts += sender.wait_all(tickets)
    return receipts


def plan_for(terms: DeploymentTerms, sender: Sender) -> Plan:
    """The plan of the sender's account: from the nonce at which it was begun, or from its next one."""
    begun = sender.nonce_of(first_key(terms, sender.address))
    return make_plan(terms, sender.address, sender.next_nonce() if begun is None else begun)


def _verified(client: ChainClient, plan: Plan, receipts: Sequence[Receipt]) -> Addresses:
    hashes: dict[str, bytes] = {}
    creations: dict[str, Creation] = {}
    for step, receipt in zip(plan.steps, receipts, strict=True):
        if step.address is None:
            continue
        name, address = step.name, step.address
        if receipt.contract_address != address:
            raise Rejected(
                f"{name} came out at {receipt.contract_address}, not at {address}: something else was sent with "
                "this key meanwhile; deploy again with a key of its own"
            )
        code = client.code(address)
        if load_artifact(name).immutables(code) is None:
            raise Rejected(f"{name} at {address} has other code than this version's; deploy again")
        hashes[name] = keccak(code)
        creations[name] = Creation(receipt.tx_hash, step.arguments)
    fields = {field_of(name): place for name, place in plan.places.items()}
    return Addresses(
        chain_id=client.chain_id,
        genesis=client.genesis(),
        block=min(receipt.block_number for receipt in receipts),
        code_hashes=hashes,
        creations=creations,
        **fields,
    )


def _check_wiring(client: ChainClient, addresses: Addresses, plan: Plan) -> None:
    """Each address that a constructor was given must stand in the code as an immutable; the owner must be the owner."""
    for name in plan.places:
        artifact = load_artifact(name)
        found = artifact.immutables(client.code(addresses.of(name)))
        if found is None:
            raise Bug(f"{name}'s code changed while it was checked")
        _check_immutables(name, [item["name"].strip("_") for item in constructor_inputs(artifact)], found, plan.words)
    answer = client.request("eth_call", {"to": addresses.parameters, "data": "0x" + OWNER.hex()}, "latest")
    owner = abi_decode(["address"], bytes.fromhex(answer[2:]))[0]
    if owner.lower() != plan.words["owner"].lower():
        raise Rejected(f"{owner} owns the parameters, not {plan.words['owner']}; deploy again")


def _check_immutables(
    name: str, arguments: Sequence[str], found: Sequence[bytes], words: Mapping[str, ChecksumAddress]
) -> None:
    for wire in arguments:
        if wire in WIRES and bytes(12) + bytes.fromhex(words[wire][2:]) not in found:
            raise Rejected(f"{name} is not wired to {wire} {words[wire]}; deploy again")
