"""Sets the stage: chain, contracts, and for each name a funded, bonded participant with key, journal and store."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import ChainClient, connect
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import dev_accounts, served_devnet
from offchain.chain.enums import Role
from offchain.chain.parameters import DEVELOPMENT_CHAINS, default_parameters
from offchain.chain.sender import Sender, open_sender
from offchain.demo.scenario import Scenario
from offchain.demo.seats import Seat, furnish_all, seat_sender
from offchain.errors import Rejected
from offchain.roles.context import Report, RoleContext
from offchain.roles.funding import bond, fund
from offchain.roles.journal import Journal, chain_key
from offchain.storage.store import Store, open_store
from offchain.types import Wei

Progress = Callable[[str], None]

STALL_SECONDS = 600
"""When orders may be paid past the committee: on a busy machine it takes a while to agree."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the play needs. `url`: the chain for other processes; `bank` deployed and paid.

    `contexts` (who works in this process) and `seats` (who has a process of its own) by name, in the scenario's order.
    """

    client: ChainClient
    url: str
    contracts: AssayContracts
    bank: ChecksumAddress
    contexts: dict[str, RoleContext]
    seats: dict[str, Seat]
    archive: Store

    @property
    def names(self) -> dict[ChecksumAddress, str]:
        """Names by address."""
        here = {context.account: name for name, context in self.contexts.items()}
        return here | {seat.address: name for name, seat in self.seats.items()} | {self.bank: "bank"}


@contextmanager
def open_chain(chain: str) -> Iterator[tuple[ChainClient, str]]:
    """The chain that `--chain` names: anvil, embedded, auto, or the URL of a development chain that is running.

    With it the URL under which other processes reach it.

    Raises Rejected for a public chain: the demonstration needs the accounts that development chains fund.
    """
    if not chain.startswith(("http://", "https://")):
        with served_devnet(chain) as served:
            yield served
        return
    client = connect(chain, errors=load_error_decoder())
    if client.chain_id not in DEVELOPMENT_CHAINS:
        raise Rejected(
            f"--chain {chain}: chain {client.chain_id} is no development chain; start one with `assay devnet`"
        )
    yield client, chain


@contextmanager
def set_stage(
    client: ChainClient, url: str, scenario: Scenario, folder: Path, report: Report, progress: Progress
) -> Iterator[Stage]:
    """Deploys, funds and bonds; `folder` holds journals, homes and content. Raises like the sender."""
    bank, *rest = dev_accounts(len(scenario.names) + 1)
    accounts = dict(zip(scenario.names, rest, strict=True))
    with ExitStack() as stack:
        sender = open_sender(client, bank, folder / "journals")
        stack.callback(sender.close)
        progress("deploying the contracts")
        parameters = replace(
            default_parameters(client.chain_id), update_seconds=scenario.update_seconds, stall_delay=STALL_SECONDS
        )
        addresses = deploy(sender, folder / "addresses.json", parameters=parameters)
        contracts = AssayContracts(client, addresses)
        contexts = {
            name: stack.enter_context(open_participant(client, contracts, account, name, folder, report))
            for name, account in accounts.items()
            if name not in scenario.aggregators
        }
        seats = furnish_all(folder / "homes", {name: accounts[name] for name in scenario.aggregators}, addresses)
        archive = stack.enter_context(open_store(f"local:{folder / 'archive'}"))
        stage = Stage(client, url, contracts, sender.address, contexts, seats, archive)
        progress("handing out tokens")
        reward = sum(order.reward for order in scenario.orders)
        for name, account in accounts.items():
            amount = Wei(reward) if name == "client" else scenario.bond
            fund(contracts, sender, to_checksum_address(account.address), amount=amount, coins=Wei(0), intent=name)
        progress("bonding stakes")
        _bond_all(stage, scenario)
        yield stage


@contextmanager
def open_participant(
    client: ChainClient,
    contracts: AssayContracts,
    account: LocalAccount,
    name: str,
    folder: Path,
    report: Report,
) -> Iterator[RoleContext]:
    """One participant with a journal and a sender of its own; all share one content-addressed directory."""
    chain = chain_key(client.chain_id, client.genesis(), contracts.addresses.proof_of_training)
    with ExitStack() as stack:
        sender: Sender = open_sender(
            client, account, folder / "journals", contract_name=contracts.addresses.contract_at
        )
        stack.callback(sender.close)
        store = stack.enter_context(open_store(f"local:{folder / 'content'}"))
        journal = stack.enter_context(Journal(folder / "journals" / f"{name}.sqlite", chain=chain))
        yield RoleContext(client, contracts, sender, store, journal, report=report)


def _bond_all(stage: Stage, scenario: Scenario) -> None:
    """Everybody at once: they don't wait for each other's blocks."""
    roles = {plan.name: Role.PROVIDER for plan in scenario.providers}
    roles |= {plan.name: Role.VALIDATOR for plan in scenario.validators}
    roles |= dict.fromkeys(scenario.verifiers, Role.VERIFIER)

    def bond_here(name: str, role: Role) -> None:
        bond(stage.contracts, stage.contexts[name].sender, role, scenario.bond, intent=name)

    def bond_seat(seat: Seat) -> None:
        with seat_sender(stage.client, stage.contracts, seat) as sender:
            bond(stage.contracts, sender, Role.AGGREGATOR, scenario.bond, intent=seat.name)

    with ThreadPoolExecutor(len(roles) + len(stage.seats)) as pool:
        bonds = [pool.submit(bond_here, name, role) for name, role in roles.items()]
        bonds += [pool.submit(bond_seat, seat) for seat in stage.seats.values()]
        for done in bonds:
            done.result()
