"""An order with revealed models on a chain that can be put back: where disputes between workers are played."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.court import Case, Court
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.enums import Role
from offchain.model.search import SearchSettings
from offchain.protocol.lifecycle import Phase
from offchain.roles.adversaries import LyingValidator
from offchain.roles.client import ClientOptions, ClientWorker, prepare_order, put_order
from offchain.roles.context import RoleContext
from offchain.roles.lies import Defence, Lie
from offchain.roles.provider import ProviderOptions, ProviderWorker
from offchain.roles.validator import ValidatorOptions, ValidatorWorker
from offchain.roles.verifier import VerifierOptions, VerifierWorker
from offchain.roles.worker import Worker
from offchain.types import OrderId
from tests.integration.roles.killing import Build, Inline, Killer, Mortal
from tests.integration.roles.stage import Stage, admit, blobs, request, set_stage

OID = OrderId(1)
NAMES = (
    "client",
    *(f"provider{i}" for i in range(3)),
    *(f"validator{i}" for i in range(3)),
    *(f"verifier{i}" for i in range(2)),
)
WINDOWS = {"train_seconds": 900, "reveal_seconds": 900, "validate_seconds": 1800, "challenge_seconds": 900}
POOR = SearchSettings(configurations=1, first_cycle=1, max_epochs=1, patience=1, fine_tune_epochs=0)
GOOD = SearchSettings(configurations=1, first_cycle=6, max_epochs=6, patience=1, fine_tune_epochs=0)
MOST_ROUNDS = 60


@dataclass
class Courthouse:
    """A stage and who plays on it. `act` and `run` keep apart what participants remember in two tests, or two runs."""

    stage: Stage
    accounts: dict[str, LocalAccount]
    act: int = 0
    run: int = 0
    builds: dict[str, Build] = field(default_factory=dict)

    @property
    def client(self) -> ChainClient:
        return self.stage.client

    def mortal(self, name: str, killer: Killer | None = None) -> Mortal:
        """A participant; with a new memory in each run if it may be killed, in each test if it is a helper."""
        folder = f"{name}-{self.act}-{self.run}"
        return Mortal(self.stage, self.accounts[name], folder, killer or Killer())

    def work(self, name: str, build: Build) -> None:
        """A worker that ticks until there is nothing left to do."""
        self.mortal(name).work(build)

    def travel_to(self, end: str, oid: OrderId = OID) -> None:
        """To the second in which the window named `end` is over."""
        moment = getattr(self.stage.contracts.order(oid).windows, end)
        if moment > self.client.now():
            travel(self.client, moment - self.client.now())

    def address(self, name: str) -> Any:
        return self.accounts[name].address

    def cases(self) -> tuple[Case, ...]:
        """All disputes."""
        return Court(self.stage.contracts).look(self.client.head())

    def wealth(self, name: str) -> int:
        """Tokens, bonds and rewards of a participant, in wei."""
        contracts, who = self.stage.contracts, self.address(name)
        bonds = sum(contracts.bond(who, role).bonded for role in Role if role is not Role.NONE)
        return contracts.token_balance(who) + bonds + contracts.credited(who)


Deed = Callable[[Courthouse], None]
"""What somebody does besides, once in the training and once in the reveal window."""


@contextmanager
def courthouse(folder: Path, *deeds: Deed) -> Iterator[Courthouse]:
    """Two models wait to be scored: a poor one, claimed first, and a good one; before them what `deeds` have added."""
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), folder)
        accounts = dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))
        admit(stage, accounts)
        house = Courthouse(stage, accounts)
        put(house)
        for end in ("train_end", "reveal_end"):
            for deed in deeds:
                deed(house)
            house.work("provider0", poor_provider)
            house.work("provider1", good_provider)
            house.work("client", client_worker)
            house.travel_to(end)
        assert stage.contracts.phase(OID) == Phase.SCORE_COMMIT
        yield house


def put(house: Courthouse) -> None:
    """The client puts an order of two validators at least."""

    def act(context: RoleContext) -> None:
        put_order(context, prepare_order(context, request(blobs(), minimum_validators=2, **WINDOWS)))

    house.mortal("client").alive(act)


def score(house: Courthouse, validators: Mapping[str, Build]) -> None:
    """They commit and reveal their scores; afterwards the scores can be challenged."""
    for end in ("score_commit_end", "score_reveal_end"):
        for name, build in validators.items():
            house.work(name, build)
        house.travel_to(end)
    assert house.stage.contracts.phase(OID) == Phase.CHALLENGE


def play(house: Courthouse, players: Mapping[str, Build], *, until: Callable[[], bool] | None = None) -> None:
    """All players in turn, until none does anything any more, or until `until`."""
    for _ in range(MOST_ROUNDS):
        before = house.client.head().hash
        for name, build in players.items():
            house.work(name, build)
        if house.client.head().hash == before or (until is not None and until()):
            return
    raise AssertionError("the players come to no end")


def good_provider(context: RoleContext) -> ProviderWorker:
    return ProviderWorker(context, ProviderOptions(skill=GOOD), executor=Inline())


def poor_provider(context: RoleContext) -> ProviderWorker:
    return ProviderWorker(context, ProviderOptions(skill=POOR), executor=Inline())


def client_worker(context: RoleContext) -> ClientWorker:
    return ClientWorker(context, ClientOptions(seal_grace=0))


def validator(context: RoleContext) -> ValidatorWorker:
    return ValidatorWorker(context, ValidatorOptions(stagger=0), executor=Inline())


def verifier(context: RoleContext) -> VerifierWorker:
    return VerifierWorker(context, VerifierOptions(), executor=Inline())


def liar(lie: Lie, defence: Defence = Defence.STORY) -> Build:
    """Makes lying validators."""

    def build(context: RoleContext) -> Worker:
        return LyingValidator(context, ValidatorOptions(stagger=0), lie=lie, defence=defence, executor=Inline())

    return build


def nonces(house: Courthouse) -> dict[str, int]:
    """How many transactions each has sent."""
    return {name: house.client.nonce(house.address(name)) for name in house.accounts}
