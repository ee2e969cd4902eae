"""Where the contracts are on one chain: a JSON file per chain id, with the hash of the code that was found there."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from eth_typing import ChecksumAddress
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

from offchain.chain.artifacts import ALL_CONTRACTS, CONTRACTS, load_artifact
from offchain.chain.client import ChainClient
from offchain.errors import Bug, Rejected

DEPLOY_AGAIN = "deploy again with `assay deploy --fresh`"
HASH = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Creation:
    """How a contract was made: the transaction's hash, and the ABI-encoded arguments of its constructor."""

    tx_hash: bytes
    arguments: bytes


@dataclass(frozen=True, slots=True)
class Addresses:
    """The contracts of one deployment; timelock and faucet are None where the network's terms ask for none.

    `genesis` is the hash of the chain's block 0, `block` the first block that can hold events of these contracts,
    `code_hashes` the keccak256 of each contract's code by its name, `creations` how each was made (empty in files of
    older versions).
    """

    chain_id: int
    genesis: bytes
    block: int
    utility_token: ChecksumAddress
    parameters: ChecksumAddress
    stake_vault: ChecksumAddress
    order_book: ChecksumAddress
    proof_of_training: ChecksumAddress
    aggregator_committee: ChecksumAddress
    reward_treasury: ChecksumAddress
    step_verifier: ChecksumAddress
    dispute_court: ChecksumAddress
    availability_court: ChecksumAddress
    verifier_registry: ChecksumAddress
    accuracy_proofs: ChecksumAddress
    training_proofs: ChecksumAddress
    handover_verifier: ChecksumAddress
    private_orders: ChecksumAddress
    federated_extension: ChecksumAddress
    federated_annex: ChecksumAddress
    federated_training: ChecksumAddress
    federated_court: ChecksumAddress
    code_hashes: dict[str, bytes]
    parameters_timelock: ChecksumAddress | None = None
    test_token_faucet: ChecksumAddress | None = None
    creations: dict[str, Creation] = field(default_factory=dict)

    @property
    def contracts(self) -> tuple[str, ...]:
        """Names of the contracts that this deployment has, in the order of `ALL_CONTRACTS`."""
        return tuple(name for name in ALL_CONTRACTS if getattr(self, field_of(name)) is not None)

    def of(self, contract: str) -> ChecksumAddress:
        """Address of the contract with this name ("OrderBook"). Raises Rejected when this deployment has none."""
        address: ChecksumAddress | None = getattr(self, field_of(contract))
        if address is None:
            raise Rejected(f"the deployment on chain {self.chain_id} has no {contract}")
        return address

    def contract_at(self, address: str) -> str | None:
        """Name of the contract at `address`, or None."""
        return next((name for name in self.contracts if self.of(name).lower() == address.lower()), None)


def field_of(contract: str) -> str:
    """Field of `Addresses` for a contract's name: OrderBook -> order_book."""
    if contract not in ALL_CONTRACTS:
        raise Bug(f"no contract named {contract}")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", contract).lower()


def write_addresses(path: Path, addresses: Addresses) -> None:
    """Writes the file, whole or not at all."""
    fields = {
        "chain_id": addresses.chain_id,
        "genesis": "0x" + addresses.genesis.hex(),
        "block": addresses.block,
        "contracts": {name: _entry(addresses, name) for name in addresses.contracts},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def _entry(addresses: Addresses, name: str) -> dict[str, str]:
    entry = {"address": addresses.of(name), "code_hash": "0x" + addresses.code_hashes[name].hex()}
    made = addresses.creations.get(name)
    if made is None:
        return entry
    return {**entry, "transaction": "0x" + made.tx_hash.hex(), "constructor_arguments": "0x" + made.arguments.hex()}


def read_addresses(path: Path) -> Addresses:
    """Reads the file, also one of an older version. Raises Rejected when it is missing or malformed."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        contracts = fields["contracts"]
        absent = [name for name in CONTRACTS if name not in contracts]
        if absent and len(absent) < len(CONTRACTS):
            lacking = ", ".join(absent)
            raise Rejected(
                f"{path}: a deployment without {lacking}: an older version made it; {DEPLOY_AGAIN}, or use that"
            )
        names = [name for name in ALL_CONTRACTS if name in contracts or name in CONTRACTS]
        return Addresses(
            chain_id=int(fields["chain_id"]),
            genesis=_hash(fields["genesis"]),
            block=int(fields["block"]),
            code_hashes={name: _hash(contracts[name]["code_hash"]) for name in names},
            creations={name: _creation(contracts[name]) for name in names if "transaction" in contracts[name]},
            **{field_of(name): _address(contracts[name]["address"]) for name in names},
        )
    except FileNotFoundError as error:
        raise Rejected(
            f"{path}: no addresses file; deploy the contracts first (`assay deploy`) or copy it here"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected(f"{path}: not an addresses file ({error}); {DEPLOY_AGAIN}, or copy the right one") from error


def check_addresses(client: ChainClient, addresses: Addresses, source: str) -> None:
    """Checks that the contracts are on the client's chain with the code that is recorded and that we know.

    `source` names the file. Raises Rejected with what differs.
    """
    if addresses.chain_id != client.chain_id:
        raise Rejected(
            f"{source}: for chain {addresses.chain_id}, but {client.endpoint} is on chain {client.chain_id}; "
            "give the file of that chain"
        )
    if client.genesis() != addresses.genesis:
        raise Rejected(f"{source}: {client.endpoint} is another chain with the same id (started anew?); {DEPLOY_AGAIN}")
    answers = client.batch([("eth_getCode", [addresses.of(name), "latest"]) for name in addresses.contracts])
    for name, answer in zip(addresses.contracts, answers, strict=True):
        if not isinstance(answer, str):
            raise client.failure(answer, "eth_getCode")
        code = bytes.fromhex(answer[2:])
        if not code:
            raise Rejected(f"{source}: no contract at {name}'s address {addresses.of(name)}; {DEPLOY_AGAIN}")
        if keccak(code) != addresses.code_hashes[name] or load_artifact(name).immutables(code) is None:
            raise Rejected(
                f"{source}: the code at {name}'s address {addresses.of(name)} is not this version's {name}; "
                f"use the matching version of assay, or {DEPLOY_AGAIN}"
            )


def _creation(entry: dict[str, str]) -> Creation:
    return Creation(_hash(entry["transaction"]), bytes.fromhex(entry["constructor_arguments"].removeprefix("0x")))


def _hash(text: str) -> bytes:
    if not HASH.fullmatch(text):
        raise ValueError(f"{text!r} is not a 32-byte hash")
    return bytes.fromhex(text[2:])


def _address(text: str) -> ChecksumAddress:
    if not is_checksum_address(text):
        raise ValueError(f"{text!r} is not a checksummed address")
    return to_checksum_address(text)
