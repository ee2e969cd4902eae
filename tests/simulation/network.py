"""All contracts deployed, with funded accounts: where each simulation starts."""

import dataclasses
from dataclasses import dataclass
from functools import cache

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from web3.types import Nonce
from web3.utils.address import get_create_address

from tests.simulation.evm import Abi, Contract, Evm, account, artifact
from tests.simulation.lifecycle_state import Parameters
from tests.simulation.revm import FastEvm

START = 1_700_000_000
ACTORS = tuple(account(index) for index in range(8))
COURT = account(100)
AVAILABILITY = account(102)
FEDERATION, FEDERATED_COURT = account(103), account(104)
DEPLOYER = account(101)
FUNDS = 20_000
UNLIMITED = 2**256 - 1
NAMES = (
    "UtilityToken",
    "Parameters",
    "StakeVault",
    "OrderBook",
    "ProofOfTraining",
    "AggregatorCommittee",
    "RewardTreasury",
)


@dataclass(frozen=True, slots=True)
class Network:
    """The contracts in one state."""

    evm: Evm
    token: Contract
    vault: Contract
    book: Contract
    proof: Contract
    committee: Contract
    treasury: Contract

    @property
    def system(self) -> tuple[ChecksumAddress, ...]:
        """The contracts that hold tokens."""
        return (self.vault.address, self.book.address, self.treasury.address)


@cache
def _deployed() -> tuple[Evm, bytes, dict[str, Contract]]:
    evm = FastEvm.empty(START)
    places = {name: to_checksum_address(get_create_address(DEPLOYER, Nonce(i))) for i, name in enumerate(NAMES)}
    token, vault, book, proof = (places[n] for n in ("UtilityToken", "StakeVault", "OrderBook", "ProofOfTraining"))
    parameters, committee, treasury = (places[n] for n in ("Parameters", "AggregatorCommittee", "RewardTreasury"))
    initial = dataclasses.astuple(Parameters())
    arguments: dict[str, tuple[object, ...]] = {
        "UtilityToken": (DEPLOYER, FUNDS * len(ACTORS)),
        "Parameters": (DEPLOYER, initial),
        "StakeVault": (token, parameters, proof, committee, COURT, AVAILABILITY, FEDERATION, FEDERATED_COURT),
        "OrderBook": (token, parameters, proof, treasury),
        "ProofOfTraining": (book, vault, treasury, COURT, AVAILABILITY),
        "AggregatorCommittee": (parameters, vault, treasury),
        "RewardTreasury": (token, parameters, proof, committee),
    }
    contracts = {name: _deploy(evm, name, arguments[name]) for name in NAMES}
    assert {name: contract.address for name, contract in contracts.items()} == places
    for actor in ACTORS:
        contracts["UtilityToken"].send(DEPLOYER, "transfer", actor, FUNDS)
        for spender in (vault, book):
            contracts["UtilityToken"].send(actor, "approve", spender, UNLIMITED)
    return evm, evm.persist(), contracts


def _deploy(evm: Evm, name: str, values: tuple[object, ...]) -> Contract:
    from eth_utils.abi import collapse_if_tuple

    entry = next(item for item in artifact(name)["abi"] if item["type"] == "constructor")
    types = tuple(collapse_if_tuple(item) for item in entry["inputs"])
    return evm.deploy(DEPLOYER, name, types, *values)


def fresh_network() -> Network:
    """The contracts as deployed, with every actor funded and its allowances given, in a state of its own."""
    evm, root, contracts = _deployed()
    state = evm.at(root)
    found = {name: contract.within(state) for name, contract in contracts.items()}
    return Network(
        evm=state,
        token=found["UtilityToken"],
        vault=found["StakeVault"],
        book=found["OrderBook"],
        proof=found["ProofOfTraining"],
        committee=found["AggregatorCommittee"],
        treasury=found["RewardTreasury"],
    )


__all__ = ["ACTORS", "AVAILABILITY", "COURT", "FUNDS", "START", "Abi", "Network", "fresh_network"]
