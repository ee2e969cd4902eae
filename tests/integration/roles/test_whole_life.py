"""An order's whole life on Anvil with a block a second: everybody in a thread of their own, two of them dishonest."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Role
from offchain.chain.terms import load_terms
from offchain.data.sklearn_sets import load_sklearn
from offchain.errors import Rejected
from offchain.model.search import SearchSettings
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import PPM
from offchain.protocol.settlement import Outcome, divide_tax
from offchain.roles.adversaries import SecretiveProvider, SecretiveValidator
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.roles.client import ClientWorker, prepare_order, put_order
from offchain.roles.fetch import fetch_model
from offchain.roles.provider import ProviderOptions, ProviderWorker
from offchain.roles.settled import compute_settlement
from offchain.roles.validator import ValidatorWorker
from offchain.roles.worker import Worker
from offchain.types import OrderId
from tests.integration.hurry import Expected, hurry
from tests.integration.roles.stage import Stage, admit, request, set_stage

NAMES = [
    "client",
    *(f"provider{i}" for i in range(3)),
    *(f"validator{i}" for i in range(4)),
    *(f"aggregator{i}" for i in range(4)),
]
WINDOWS = {"train_seconds": 600, "reveal_seconds": 300, "validate_seconds": 600, "challenge_seconds": 30}
PATIENCE = 180.0


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Anvil.start(AnvilOptions(block_seconds=1, mixed=False)) as anvil:
        yield set_stage(anvil.client(), tmp_path)


def build(stage: Stage, name: str, account: LocalAccount) -> Worker:
    """One quick and one thorough provider; the last provider and the last validator are secretive."""
    context = stage.context(account, name)
    quick = SearchSettings(configurations=1, first_cycle=1, max_epochs=1, patience=1, fine_tune_epochs=0)
    thorough = SearchSettings(configurations=2, first_cycle=8, max_epochs=24)
    match name:
        case "client":
            return ClientWorker(context)
        case "provider0":
            return ProviderWorker(context, ProviderOptions(skill=quick))
        case "provider1":
            return ProviderWorker(context, ProviderOptions(skill=thorough))
        case "provider2":
            return SecretiveProvider(context, ProviderOptions(skill=quick))
        case "validator3":
            return SecretiveValidator(context)
        case _ if name.startswith("validator"):
            return ValidatorWorker(context)
        case _:
            return AggregatorWorker(context, AggregatorOptions(stagger=2))


@contextmanager
def running(workers: list[Worker]) -> Iterator[list[BaseException]]:
    """All of them in threads; gives the list of what killed one."""
    stop, deaths = threading.Event(), list[BaseException]()

    def live(worker: Worker) -> None:
        try:
            worker.run(stop)
        except BaseException as error:
            deaths.append(error)
            raise

    threads = [threading.Thread(target=live, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield deaths
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def await_payment(stage: Stage, oid: OrderId, deaths: list[BaseException]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not stage.contracts.holding(oid).paid:
        assert not deaths, deaths
        assert time.monotonic() < deadline, stage.contracts.phase(oid)
        time.sleep(0.3)


def ended(stage: Stage) -> set[str]:
    """Who trains no more."""
    return {event.account for event in stage.events if event.what == "training-ended"}


def test_an_orders_whole_life(stage: Stage) -> None:
    accounts = dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))
    admit(stage, accounts)
    workers = [build(stage, name, account) for name, account in accounts.items()]
    client = workers[0].context
    digits = load_sklearn("digits")
    prepared = prepare_order(client, request(digits, "mlp:32", minimum_validators=3, **WINDOWS))
    trained = {Phase.TRAINING: lambda: {accounts["provider0"].address, accounts["provider1"].address} <= ended(stage)}
    happens = Expected(claims=3, reveals=2, score_commits=4, score_reveals=3, also=trained)
    with running(workers) as deaths, hurry(stage.contracts, happens):
        oid = put_order(client, prepared)
        await_payment(stage, oid, deaths)
    address = {name: account.address for name, account in accounts.items()}
    check_settlement(stage, oid, address)
    check_slashes(stage, oid, address)
    check_model(stage, oid, prepared.test.labels.size)
    check_conservation(stage, list(address.values()))
    for worker in workers:
        assert not [
            event for event in stage.events if event.account == worker.context.account and event.what == "trouble"
        ]
        stage.close(worker.context)


def check_settlement(stage: Stage, oid: OrderId, address: dict[str, str]) -> None:
    """Everyone has what the pure rules say, to the wei."""
    contracts = stage.contracts
    settled = compute_settlement(contracts, oid)
    order, on_chain = contracts.order(oid), contracts.settlement(oid)
    assert settled.outcome == Outcome.WON == on_chain.outcome
    assert (settled.winner, settled.model, settled.score) == (on_chain.winner, on_chain.model_index, on_chain.score)
    assert settled.winner == address["provider1"], "the thorough provider wins"
    confirmed = [member for member in contracts.members() if contracts.has_confirmed(oid, member)]
    assert len(confirmed) >= 3
    expected: dict[str, int] = {}
    for payout in (*settled.payouts, *divide_tax(settled.tax, confirmed)):
        expected[payout.account] = expected.get(payout.account, 0) + payout.amount
    assert {who: contracts.credited(who) for who in address.values() if contracts.credited(who)} == expected
    assert sum(expected.values()) == order.terms.reward
    assert set(expected) == {address[name] for name in ("provider1", "validator0", "validator1", "validator2")} | set(
        confirmed
    )


def check_slashes(stage: Stage, oid: OrderId, address: dict[str, str]) -> None:
    """Exactly the two who hid what they had committed to lost their stake, and no honest one lost anything."""
    contracts = stage.contracts
    order = contracts.order(oid)
    for name, role in [(name, Role.__members__.get(name[:-1].upper())) for name in address]:
        if role is None:
            continue
        bond = contracts.bond(address[name], role)
        lost = {"provider2": order.claim_bond, "validator3": order.minimum_v_stake * 2}.get(name, 0)
        full = {Role.PROVIDER: 200, Role.VALIDATOR: 400, Role.AGGREGATOR: 600}[role] * 10**18
        assert bond.bonded == full - lost, name
        assert bond.locked == (contracts.candidate_stake(address[name]) if role is Role.AGGREGATOR else 0), name


def check_model(stage: Stage, oid: OrderId, samples: int) -> None:
    fetched = fetch_model(stage.contracts, stage.store, oid)
    settlement = stage.contracts.settlement(oid)
    assert (fetched.provider, fetched.root) == (
        settlement.winner,
        stage.contracts.models(oid)[settlement.model_index].model_root,
    )
    assert settlement.score * PPM // samples > 900_000
    with pytest.raises(Rejected, match="UnknownOrder"):
        fetch_model(stage.contracts, stage.store, OrderId(oid + 1))


def check_conservation(stage: Stage, accounts: list[str]) -> None:
    """Tokens are where they should be: none made, none lost but those burned by the slashes."""
    contracts = stage.contracts
    system = [contracts.vault.address, contracts.book.address, contracts.treasury.address]
    system.append(contracts.addresses.of("TestTokenFaucet"))
    everyone = [*accounts, *system, dev_accounts(1)[0].address]
    held = sum(contracts.token_balance(who) for who in everyone)
    assert held == contracts.token_supply() < load_terms(31337).supply
    assert contracts.phase(OrderId(1)) == Phase.SEALED
    assert contracts.token_balance(contracts.treasury.address) == contracts.total_owed()
