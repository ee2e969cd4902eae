"""What a deployment would send and cost, before anything is signed: for `assay deploy --plan`, and to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.fees import suggest
from offchain.chain.journal import Journal
from offchain.chain.plan import Plan, first_key, make_plan
from offchain.chain.sender import journal_path
from offchain.chain.terms import DeploymentTerms
from offchain.types import Wei

CALL_GAS = 60_000
"""For a step that cannot be estimated because what it calls is not there yet: a transfer."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan beside the chain. `gas` of each step that is still to be sent, by name; prices in wei.

    `gas_price` is what the first bid would be now, `balance` what the deployer has.
    """

    plan: Plan
    gas: Mapping[str, int]
    gas_price: int
    balance: Wei

    @property
    def cost(self) -> Wei:
        """What all that is still to be sent costs at that price."""
        return Wei(sum(self.gas.values()) * self.gas_price)


def preview(client: ChainClient, terms: DeploymentTerms, deployer: ChecksumAddress, journals: Path) -> Preview:
    """Plans as `deploy` would, from what was begun if anything was; changes nothing.

    Raises ContractRejected when a constructor would revert (a parameter out of its bounds), Rejected when another
    process uses the key's journal, Retryable when the node is down or gas costs more than the network's policy allows.
    """
    plan, sent = _standing(client, terms, deployer, journals)
    gas = {}
    open_steps = [step for step in plan.steps if step.key not in sent]
    queries = [
        ("eth_estimateGas", [{"from": deployer, "data": "0x" + step.call.data.hex()}])
        for step in open_steps
        if step.address is not None
    ]
    answers = iter(client.batch(queries))
    for step in open_steps:
        answer = next(answers) if step.address is not None else hex(CALL_GAS)
        if isinstance(answer, RpcFailure):
            raise client.failure(answer, step.call.label, step.name)
        gas[step.name] = int(answer, 16)
    return Preview(plan, gas, _gas_price(client), client.balance(deployer))


def _standing(
    client: ChainClient, terms: DeploymentTerms, deployer: ChecksumAddress, journals: Path
) -> tuple[Plan, frozenset[str]]:
    pending = client.nonce(deployer, "pending")
    genesis = client.genesis()
    path = journal_path(journals, client.chain_id, genesis, deployer)
    if not path.exists():
        return make_plan(terms, deployer, pending), frozenset()
    journal = Journal.open(path, chain_id=client.chain_id, genesis=genesis, account=deployer)
    try:
        begun = journal.intent(first_key(terms, deployer))
        plan = make_plan(terms, deployer, max(pending, journal.next_nonce()) if begun is None else begun.nonce)
        return plan, frozenset(step.key for step in plan.steps if journal.intent(step.key) is not None)
    finally:
        journal.close()


def _gas_price(client: ChainClient) -> int:
    block = client.request("eth_getBlockByNumber", "latest", False)
    base_fee = int(block.get("baseFeePerGas") or "0x0", 16)
    gas_price = int(client.request("eth_gasPrice"), 16)
    fees = suggest(client.network.fees, base_fee=base_fee, gas_price=gas_price)
    return fees.maximum if fees.tip is None else min(fees.maximum, base_fee + fees.tip)
