"""A worker killed at every write or send starts again and comes to the same end: nothing doubled, nothing slashed.

For each role a clean run collects the boundaries; then one run for each of them kills the process there. A run ends in
the same state of the chain, with as many transactions of the account, or it has failed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.enums import Role
from offchain.model.search import SearchSettings
from offchain.protocol.lifecycle import Phase
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.roles.client import ClientOptions, ClientWorker, prepare_order, put_order
from offchain.roles.context import RoleContext
from offchain.roles.provider import ProviderOptions, ProviderWorker
from offchain.roles.records import TestSetRecord
from offchain.roles.validator import ValidatorOptions, ValidatorWorker
from offchain.types import OrderId
from tests.integration.roles.killing import Inline, Killer, Mortal
from tests.integration.roles.stage import Stage, admit, blobs, request, set_stage

OID = OrderId(1)
NAMES = ["client", "provider0", "provider1", "provider2", "validator0", "validator1"] + [
    f"aggregator{i}" for i in range(4)
]
WINDOWS = {"train_seconds": 900, "reveal_seconds": 900, "validate_seconds": 1800, "challenge_seconds": 900}
QUICK = SearchSettings(configurations=1, first_cycle=1, max_epochs=1, patience=1, fine_tune_epochs=0)
BETTER = SearchSettings(configurations=1, first_cycle=6, max_epochs=6, patience=1, fine_tune_epochs=0)
STAGGER = 200


@dataclass
class Theatre:
    """A stage whose chain can be put back to where a scene begins."""

    stage: Stage
    accounts: dict[str, LocalAccount]
    act: int = 0
    run: int = 0

    @property
    def client(self) -> ChainClient:
        return self.stage.client

    def mortal(self, name: str, killer: Killer | None = None) -> Mortal:
        """A participant; with a new memory in each run if it may be killed, in each test if it is a helper."""
        folder = f"{name}-{self.act}" if killer is None else f"{name}-{self.act}-{self.run}"
        return Mortal(self.stage, self.accounts[name], folder, killer or Killer())

    def travel_to(self, end: str) -> None:
        """To the second in which the window named `end` is over."""
        moment = getattr(self.stage.contracts.order(OID).windows, end)
        if moment > self.client.now():
            travel(self.client, moment - self.client.now())

    def nonces(self) -> dict[str, int]:
        return {name: self.client.nonce(account.address) for name, account in self.accounts.items()}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    folder: Path = tmp_path_factory.mktemp("theatre")
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), folder)
        accounts = dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))
        admit(stage, accounts)
        yield Theatre(stage, accounts)


@pytest.fixture
def theatre(house: Theatre) -> Iterator[Theatre]:
    """The house as it was before the first test."""
    snapshot = house.client.request("evm_snapshot")
    house.act += 1
    yield house
    assert house.client.request("evm_revert", snapshot)


def every_kill(theatre: Theatre, scene: Callable[[Killer], Any], least: set[str]) -> None:
    """Plays the scene once in peace and once for each boundary with a kill there; all must end alike."""
    client = theatre.client
    snapshot = client.request("evm_snapshot")

    def play(at: tuple[str, int] | None) -> tuple[Any, Killer]:
        nonlocal snapshot
        theatre.run += 1
        killer = Killer(at)
        end = scene(killer)
        assert client.request("evm_revert", snapshot)
        snapshot = client.request("evm_snapshot")
        return end, killer

    expected, clean = play(None)
    deaths = 0
    assert least <= set(clean.seen), clean.seen
    for name, count in clean.seen.items():
        for occurrence in range(1, count + 1):
            end, killer = play((name, occurrence))
            assert end == expected, f"killed at the {occurrence}. {name}"
            deaths += killer.killed
            # How many outcomes are written at once depends on how fast the chain was.
            assert killer.killed or name in ("journal:outcome", "done"), f"no {occurrence}. {name}"
    print(f"{deaths} deaths at {dict(clean.seen)}")  # shown with pytest -s


# What happens before and around the scenes


def put(theatre: Theatre) -> None:
    def act(context: RoleContext) -> None:
        assert put_order(context, prepare_order(context, request(blobs(), **WINDOWS))) == OID

    theatre.mortal("client").alive(act)


def provide(theatre: Theatre, *names: str) -> None:
    for name in names:
        theatre.mortal(name).work(quick_provider)


def reach_scoring(theatre: Theatre) -> None:
    """Two revealed models, one better than the other, one hidden model, and the test set released."""
    put(theatre)
    provide(theatre, "provider1", "provider2")
    theatre.mortal("provider0").work(better_provider)
    theatre.travel_to("train_end")
    theatre.mortal("client").work(client_worker)
    provide(theatre, "provider1")
    theatre.mortal("provider0").work(better_provider)
    theatre.travel_to("reveal_end")
    assert theatre.stage.contracts.phase(OID) == Phase.SCORE_COMMIT


def quick_provider(context: RoleContext) -> ProviderWorker:
    return ProviderWorker(context, ProviderOptions(skill=QUICK), executor=Inline())


def better_provider(context: RoleContext) -> ProviderWorker:
    return ProviderWorker(context, ProviderOptions(skill=BETTER), executor=Inline())


def validator(context: RoleContext) -> ValidatorWorker:
    return ValidatorWorker(context, ValidatorOptions(stagger=0), executor=Inline())


def client_worker(context: RoleContext) -> ClientWorker:
    return ClientWorker(context, ClientOptions(seal_grace=0))


def aggregator(context: RoleContext) -> AggregatorWorker:
    return AggregatorWorker(context, AggregatorOptions(stagger=STAGGER))


def bond_of(theatre: Theatre, name: str, role: Role) -> Any:
    return theatre.stage.contracts.bond(theatre.accounts[name].address, role)


# The scenes


def test_a_client_may_die_anywhere(theatre: Theatre) -> None:
    contracts = theatre.stage.contracts

    def scene(killer: Killer) -> Any:
        me = theatre.mortal("client", killer)

        def decide(context: RoleContext) -> None:
            """The person at the keyboard: puts the order unless it was decided on before."""
            if not any(record.wanted for record in context.journal.all(TestSetRecord)):
                put_order(context, prepare_order(context, request(blobs(), **WINDOWS)))

        me.alive(decide)
        me.work(client_worker)
        provider = theatre.mortal("provider0", Killer())
        provider.work(quick_provider)
        theatre.travel_to("train_end")
        me.work(client_worker)
        provider.work(quick_provider)
        for end in ("reveal_end", "score_commit_end"):
            theatre.travel_to(end)
            me.work(client_worker)
        assert contracts.order_count() == 1
        return (
            contracts.phase(OID),
            contracts.order(OID).terms,
            contracts.test_set(OID),
            contracts.settlement(OID).outcome,
            contracts.token_balance(me.account.address),
            theatre.nonces(),
        )

    every_kill(
        theatre, scene, {"record:test-set", "recorded:test-set", "journal:intent", "broadcast", "journal:outcome"}
    )


@pytest.mark.long
def test_a_provider_may_die_anywhere(theatre: Theatre) -> None:
    contracts = theatre.stage.contracts
    put(theatre)

    def scene(killer: Killer) -> Any:
        me = theatre.mortal("provider0", killer)
        me.work(quick_provider)
        me.work(better_provider)
        assert contracts.facts(OID).claims == 1
        theatre.travel_to("train_end")
        me.work(better_provider)
        theatre.travel_to("reveal_end")
        me.work(better_provider)
        claim = contracts.claim(OID, me.account.address)
        assert (claim.revealed, claim.slashed, claim.sequence) == (True, False, 2)
        models = [(model.provider, model.model_root, model.cid) for model in contracts.models(OID)]
        return models, bond_of(theatre, "provider0", Role.PROVIDER), theatre.nonces()

    every_kill(
        theatre, scene, {"record:candidate", "recorded:candidate", "journal:intent", "broadcast", "journal:outcome"}
    )


@pytest.mark.long
def test_a_validator_may_die_anywhere(theatre: Theatre) -> None:
    """It scores two models and reports the provider that hides a third."""
    contracts = theatre.stage.contracts
    reach_scoring(theatre)

    def scene(killer: Killer) -> Any:
        me = theatre.mortal("validator0", killer)
        me.work(validator)
        theatre.travel_to("score_commit_end")
        me.work(validator)
        theatre.travel_to("score_reveal_end")
        me.work(validator)
        address = me.account.address
        sheet = contracts.sheet(OID, address)
        assert (sheet.revealed, sheet.slashed) == (True, False)
        assert contracts.claim(OID, theatre.accounts["provider2"].address).slashed
        assert not contracts.claim(OID, theatre.accounts["provider0"].address).slashed
        return (
            contracts.scores(OID, address),
            sheet.v_stake,
            bond_of(theatre, "validator0", Role.VALIDATOR),
            contracts.token_balance(address),
            theatre.nonces(),
        )

    every_kill(theatre, scene, {"record:scores", "recorded:scores", "journal:intent", "broadcast", "journal:outcome"})


@pytest.mark.long
def test_an_aggregator_may_die_anywhere(theatre: Theatre) -> None:
    """The one whose turn it is among four: it seals, proposes and executes; the others confirm."""
    contracts = theatre.stage.contracts
    reach_sealing(theatre)

    def scene(killer: Killer) -> Any:
        first, me, *others = [theatre.mortal(f"aggregator{i}", killer if i == 1 else Killer()) for i in range(4)]
        for member in (first, me, *others):
            member.work(aggregator)
        assert len(contracts.members()) == 4
        theatre.travel_to("challenge_end")
        for _ in range(3):
            for member in (me, first, *others):
                member.work(aggregator)
        assert contracts.holding(OID).paid
        return payment(theatre)

    every_kill(theatre, scene, {"journal:intent", "broadcast", "journal:outcome"})


@pytest.mark.long
def test_a_lonely_aggregator_may_die_anywhere(theatre: Theatre) -> None:
    """It does everything itself: joins, starts the epoch, seals, proposes and executes."""
    contracts = theatre.stage.contracts
    reach_sealing(theatre)
    theatre.travel_to("challenge_end")

    def scene(killer: Killer) -> Any:
        theatre.mortal("aggregator0", killer).work(aggregator)
        assert contracts.holding(OID).paid
        return payment(theatre)

    every_kill(theatre, scene, {"journal:intent", "broadcast", "journal:outcome"})


def reach_sealing(theatre: Theatre) -> None:
    """One validator has scored the models; the challenge window is open."""
    reach_scoring(theatre)
    theatre.mortal("validator0").work(validator)
    theatre.travel_to("score_commit_end")
    theatre.mortal("validator0").work(validator)
    theatre.travel_to("score_reveal_end")


def payment(theatre: Theatre) -> Any:
    contracts = theatre.stage.contracts
    return (
        contracts.settlement(OID).outcome,
        contracts.members(),
        contracts.epoch(),
        {name: contracts.credited(account.address) for name, account in theatre.accounts.items()},
        [bond_of(theatre, f"aggregator{i}", Role.AGGREGATOR) for i in range(4)],
        theatre.nonces(),
    )
