"""Both parties of a private order die at every write and every send, and the order ends as if they had not."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.private_orders import PrivateOrders
from offchain.proofs.private_order import PrivateId, PrivateOutcome, PrivatePhase
from offchain.proofs.prove import open_system
from offchain.roles.context import RoleContext
from offchain.roles.private_client import PrivateClient
from offchain.roles.private_provider import PrivateProvider
from offchain.types import TOKEN, Wei
from tests.integration.proofs.private_stage import WINDOWS, LosesTheFile, Play, network, set_play
from tests.integration.roles.killing import Killed, Killer
from tests.integration.roles.stage import Stage, set_stage

CLIENT, PROVIDER = dev_accounts(3)[1:]
REWARD = Wei(5 * TOKEN)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder: Path = tmp_path_factory.mktemp("private")
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), folder)
        yield set_play(stage, open_system("groth16", folder / "proofs"), [CLIENT, PROVIDER])


@dataclass(frozen=True)
class Party:
    """A process that may be killed, and is started again with other randomness: what counts is in the journal."""

    stage: Stage
    account: LocalAccount
    name: str
    killer: Killer

    def alive(self, act: Callable[[RoleContext], None]) -> None:
        """Does `act`, again if it was killed."""
        while True:
            context: RoleContext | None = None
            try:
                context = self.stage.context(self.account, self.name, boundary=self.killer)
                act(context)
            except Killed:
                continue
            else:
                return
            finally:
                if context is not None:
                    self.stage.close(context)
                gc.collect()  # a process that dies while it starts lets go of its files too


@pytest.mark.long
def test_death_anywhere(play: Play) -> None:
    first = [Killer(), Killer()]
    live(play, "first", *first)
    for party in (0, 1):
        for place, (name, times) in enumerate(first[party].seen.items()):
            # now the first time that it comes by, now the last
            killers = [Killer(), Killer()]
            killers[party] = Killer((name, 1 if place % 2 else times))
            live(play, f"{party}:{name}", *killers)
            assert killers[party].killed, (party, name)


def live(play: Play, name: str, client_killer: Killer, provider_killer: Killer) -> None:
    """An order with a sealed test set, whose winner has lost the file and posts it."""
    stage = play.stage
    # one folder for each party over all lives, as its key's journal has it
    client = Party(stage, CLIENT, "client", client_killer)
    provider = Party(stage, PROVIDER, "provider", provider_killer)
    put: list[PrivateId] = []

    def order(context: RoleContext) -> None:
        party = play.client(context)
        left = party.unfinished()
        oid = party.put_prepared(left[0]) if left else party.put(replace(play.request(sealed=True), reward=REWARD))
        put.append(oid)

    before = PrivateOrders(play.stage.contracts).count()
    client.alive(order)
    oid = put[-1]
    assert PrivateOrders(play.stage.contracts).count() == before + 1, "one order, however often it was begun"
    provider.alive(lambda context: void(as_provider(play, context).claim(oid, network())))
    play.pass_time(WINDOWS.claim)
    client.alive(steps(lambda context: play.client(context), oid, lambda said: said.startswith("release:")))
    provider.alive(steps(lambda context: as_provider(play, context), oid, lambda said: said.startswith("handover: h")))
    play.pass_time(WINDOWS.dispute // 2 + 1)
    client.alive(steps(lambda context: play.client(context), oid, lambda said: "asked for" in said or "posted" in said))
    provider.alive(steps(lambda context: as_provider(play, context), oid, lambda said: said.startswith("dispute: ")))
    client.alive(lambda context: void(play.client(context).open(oid)))
    play.pass_time(WINDOWS.dispute)
    client.alive(steps(lambda context: play.client(context), oid, lambda said: said.startswith(("payable", "closed"))))
    state = PrivateOrders(play.stage.contracts).state(oid)
    assert (state.phase, state.outcome, state.held) == (PrivatePhase.CLOSED, PrivateOutcome.PAID, 0), name


def as_provider(play: Play, context: RoleContext) -> PrivateProvider:
    return play.provider(LosesTheFile, context)


def steps(
    party: Callable[[RoleContext], PrivateClient | PrivateProvider], oid: PrivateId, done: Callable[[str], bool]
) -> Callable[[RoleContext], None]:
    """Steps until one says that it is done."""

    def act(context: RoleContext) -> None:
        for _ in range(12):
            said = party(context).step(oid)
            if done(said):
                return
            if "block" in said:
                context.client.request("evm_mine")
        raise AssertionError(said)

    return act


def void(_: object) -> None:
    """A result that nobody needs."""
