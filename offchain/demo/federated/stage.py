"""Sets the stage for federated training: chain, contracts, and for each name a funded, bonded account with its data."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import dev_accounts
from offchain.chain.enums import Role
from offchain.chain.parameters import default_parameters
from offchain.chain.sender import open_sender
from offchain.data.preprocessing import Quantiser, fit_preprocessing
from offchain.data.raw import RawData
from offchain.data.source import load_source
from offchain.data.split import split
from offchain.demo.federated.scenario import FederatedScenario, TaskPlan
from offchain.demo.stage import Progress, open_participant
from offchain.federated.partition import partition
from offchain.proofs.prove import open_system
from offchain.roles.context import Report, RoleContext
from offchain.roles.federated_prover import Systems
from offchain.roles.funding import bond, fund
from offchain.types import Wei


@dataclass(frozen=True, slots=True)
class Holding:
    """The data of one task: a part for each member in order, and the client's own, on which nobody trains.

    `quantiser` is fitted to the client's part, and stands in the manifest.
    """

    quantiser: Quantiser
    classes: tuple[str, ...]
    parts: tuple[RawData, ...]
    test: RawData


@dataclass(frozen=True, slots=True)
class FederatedStage:
    """Everything that the play needs. `contexts` and `accounts` by name, `holdings` in order of the tasks.

    `systems` opens proof systems, for all the same.
    """

    client: ChainClient
    contracts: AssayContracts
    bank: ChecksumAddress
    accounts: dict[str, LocalAccount]
    contexts: dict[str, RoleContext]
    holdings: tuple[Holding, ...]
    folder: Path
    report: Report
    systems: Systems

    @property
    def names(self) -> dict[ChecksumAddress, str]:
        """Names by address."""
        return {context.account: name for name, context in self.contexts.items()} | {self.bank: "bank"}

    def reopen(self, name: str) -> AbstractContextManager[RoleContext]:
        """A context from what a killed worker left on disk."""
        return open_participant(self.client, self.contracts, self.accounts[name], name, self.folder, self.report)


@contextmanager
def set_stage(
    client: ChainClient, scenario: FederatedScenario, folder: Path, proofs: Path, report: Report, progress: Progress
) -> Iterator[FederatedStage]:
    """Deploys, funds, bonds and spreads the data. Raises like the sender.

    `folder` holds journals and content, `proofs` what proof systems make once and keep.
    """
    bank, *rest = dev_accounts(len(scenario.names) + 1)
    accounts = dict(zip(scenario.names, rest, strict=True))
    with ExitStack() as stack:
        sender = open_sender(client, bank, folder / "journals")
        stack.callback(sender.close)
        progress("deploying the contracts")
        addresses = deploy(sender, folder / "addresses.json", parameters=default_parameters(client.chain_id))
        contracts = AssayContracts(client, addresses)
        contexts = {
            name: stack.enter_context(open_participant(client, contracts, account, name, folder, report))
            for name, account in accounts.items()
        }
        progress("handing out tokens")
        for name, amount in _needs(scenario).items():
            address = to_checksum_address(accounts[name].address)
            fund(contracts, sender, address, amount=amount, coins=Wei(0), intent=name)
        progress("bonding stakes")
        _bond_all(contracts, contexts, scenario)
        holdings = tuple(_spread(plan, len(scenario.members), scenario.seed) for plan in scenario.tasks)
        opened = cache(partial(open_system, cache=proofs, progress=progress))
        yield FederatedStage(client, contracts, sender.address, accounts, contexts, holdings, folder, report, opened)


def _needs(scenario: FederatedScenario) -> dict[str, Wei]:
    tasks = scenario.tasks
    needs = {"client": Wei(sum(plan.reward * plan.rounds for plan in tasks))}
    needs |= {member.name: Wei(member.stake * len(tasks) + scenario.verifier_bond) for member in scenario.members}
    return needs | dict.fromkeys(scenario.watchers, scenario.verifier_bond)


def _bond_all(contracts: AssayContracts, contexts: dict[str, RoleContext], scenario: FederatedScenario) -> None:
    """Everybody at once: they don't wait for each other's blocks. Members are verifiers too, so that each can ask for
    an update that it cannot get, and challenge."""

    def verify(name: str) -> None:
        bond(contracts, contexts[name].sender, Role.VERIFIER, scenario.verifier_bond, intent=f"{name}:verifier")

    def take_part(name: str, stake: Wei) -> None:
        bond(contracts, contexts[name].sender, Role.PARTICIPANT, stake, intent=f"{name}:participant")
        verify(name)

    with ThreadPoolExecutor(len(contexts)) as pool:
        jobs = [pool.submit(take_part, m.name, Wei(m.stake * len(scenario.tasks))) for m in scenario.members]
        jobs += [pool.submit(verify, name) for name in scenario.watchers]
        for job in jobs:
            job.result()


def _spread(plan: TaskPlan, members: int, seed: int) -> Holding:
    """Holds out the client's part, and deals out the rest."""
    raw = load_source(plan.source)
    rest, held = split(raw, fraction=plan.held_out, seed=seed, stratify=True)
    quantiser = fit_preprocessing(held)
    parts = partition(plan.partition, rest.labels.astype(np.int32), members, np.random.default_rng(seed))
    return Holding(quantiser, raw.classes or (), tuple(rest.take(part) for part in parts), held)
