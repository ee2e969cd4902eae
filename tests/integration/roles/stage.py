"""A development chain with the contracts on it and funded participants: where the workers' tests play."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import dev_accounts
from offchain.chain.enums import Role
from offchain.chain.parameters import default_parameters
from offchain.chain.sender import open_sender
from offchain.chain.views import ProtocolParameters
from offchain.data.raw import RawData
from offchain.model.shorthand import spec_from_shorthand
from offchain.roles.client import OrderRequest
from offchain.roles.context import RoleContext, WorkerEvent
from offchain.roles.journal import Boundary, Journal, chain_key, no_boundary
from offchain.storage.store import Store, open_store
from offchain.types import TOKEN, Wei

PARAMETERS = replace(default_parameters(31337), stall_delay=40, epoch_seconds=10_000)
BONDS = {Role.PROVIDER: 200, Role.VALIDATOR: 400, Role.VERIFIER: 50, Role.AGGREGATOR: 600}
PURSE = Wei(5_000 * TOKEN)


@dataclass
class Stage:
    """`folder` holds everything that a participant keeps on disk; `store` is shared by all, as IPFS would be."""

    client: ChainClient
    contracts: AssayContracts
    folder: Path
    store: Store
    events: list[WorkerEvent] = field(default_factory=list)

    def context(
        self,
        account: LocalAccount,
        name: str,
        *,
        boundary: Boundary = no_boundary,
        rng: Callable[[int], bytes] = secrets.token_bytes,
    ) -> RoleContext:
        """What a worker of `account` is given; what it keeps lies in the folder `name`, also after a restart."""
        home = self.folder / name
        contracts = AssayContracts(self.client, self.contracts.addresses)
        addresses = contracts.addresses
        key = chain_key(addresses.chain_id, addresses.genesis, addresses.proof_of_training)
        return RoleContext(
            client=self.client,
            contracts=contracts,
            sender=open_sender(self.client, account, home, boundary=boundary, contract_name=addresses.contract_at),
            store=self.store,
            journal=Journal(home / "journal.sqlite", chain=key, boundary=boundary),
            rng=rng,
            report=self.events.append,
        )

    def close(self, context: RoleContext) -> None:
        """Lets go of a context's files."""
        context.sender.close()
        context.journal.close()


def set_stage(client: ChainClient, folder: Path, *, parameters: ProtocolParameters = PARAMETERS) -> Stage:
    """Deploys the contracts with the first development account."""
    sender = open_sender(client, dev_accounts(1)[0], folder / "deployer")
    addresses = deploy(sender, folder / "addresses.json", parameters=parameters)
    sender.close()
    contracts = AssayContracts(client, addresses)
    return Stage(client, contracts, folder, open_store(f"local:{folder / 'store'}"))


def admit(stage: Stage, accounts: dict[str, LocalAccount]) -> None:
    """Gives each account tokens, and a bond if its name begins with a role that needs one."""
    contracts = stage.contracts
    sender = open_sender(stage.client, dev_accounts(1)[0], stage.folder / "deployer")
    transfer = contracts.token.functions.transfer
    tickets = [
        sender.submit(f"purse:{account.address}", transfer(account.address, PURSE)) for account in accounts.values()
    ]
    sender.wait_all(tickets)
    sender.close()
    roles = {name: Role.__members__.get(name.rstrip("0123456789").upper()) for name in accounts}
    bonded = {name: role for name, role in roles.items() if role in BONDS}
    with ThreadPoolExecutor(len(bonded)) as pool:
        list(pool.map(lambda name: _bond(stage, accounts[name], name, bonded[name]), bonded))


def _bond(stage: Stage, account: LocalAccount, name: str, role: Role) -> None:
    amount = BONDS[role] * TOKEN
    contracts, sender = stage.contracts, open_sender(stage.client, account, stage.folder / name)
    sender.send("approve", contracts.token.functions.approve(contracts.vault.address, amount))
    sender.send("bond", contracts.vault.functions.bond(int(role), amount))
    sender.close()


def blobs(samples: int = 240, *, seed: int = 7) -> RawData:
    """Three well separated clouds of points: learnt within an epoch or two."""
    rng = np.random.default_rng(seed)
    labels = np.arange(samples, dtype=np.int32) % 3
    centres = np.array([[4, 0, 0, 1], [0, 4, 0, -1], [0, 0, 4, 0]], dtype=np.float32)
    inputs = centres[labels] + rng.normal(0, 0.6, (samples, 4)).astype(np.float32)
    return RawData("blobs", "classification", inputs.astype(np.float32), labels, classes=("a", "b", "c"))


def request(data: RawData, model: str = "mlp:8", **changes: object) -> OrderRequest:
    """An order for `data` with short windows."""
    defaults = OrderRequest(
        title="blobs",
        train=data,
        spec=spec_from_shorthand(model, input_shape=data.shape, outputs=data.outputs),
        reward=Wei(300 * TOKEN),
        train_seconds=20,
        reveal_seconds=8,
        validate_seconds=16,
        challenge_seconds=4,
        minimum_validators=1,
    )
    return replace(defaults, **changes)  # type: ignore[arg-type]
