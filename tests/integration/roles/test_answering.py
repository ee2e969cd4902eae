"""Requests for data between workers: who holds it answers, in turn, and what nobody holds is voided."""

from collections.abc import Iterator

import pytest

from offchain.chain.availability import Asked, Availability
from offchain.chain.devnet import travel
from offchain.chain.enums import Role
from offchain.dispute.requests import Item, RequestStatus, Target
from offchain.errors import Rejected
from offchain.roles.client import ClientOptions, ClientWorker
from offchain.roles.context import RoleContext
from offchain.roles.request_data import ask, in_words, see_through
from tests.integration.roles.court_stage import (
    OID,
    Courthouse,
    client_worker,
    courthouse,
    good_provider,
    poor_provider,
    score,
    validator,
)
from tests.integration.roles.killing import Inline

ASKER = "verifier0"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    with courthouse(tmp_path_factory.mktemp("answering")) as found:
        yield found


@pytest.fixture(autouse=True)
def _restored(house: Courthouse) -> Iterator[None]:
    """Each test leaves the chain as it found it."""
    snapshot = house.client.request("evm_snapshot")
    house.act += 1
    yield
    house.client.request("evm_revert", snapshot)


def court(house: Courthouse) -> Availability:
    return Availability(house.stage.contracts)


def asked(house: Courthouse, target: Target) -> int:
    found: list[int] = []

    def act(context: RoleContext) -> None:
        found.append(ask(context, court(house), target))

    house.mortal(ASKER).alive(act)
    return found[0]


def standing(house: Courthouse, number: int) -> Asked:
    return Asked(number, court(house).request_of(number))


def model_of(house: Courthouse, name: str) -> int:
    models = house.stage.contracts.models(OID)
    return next(index for index, model in enumerate(models) if model.provider == house.address(name))


def client_with_executor(context: RoleContext) -> ClientWorker:
    return ClientWorker(context, ClientOptions(seal_grace=0), executor=Inline())


def test_a_provider_answers_for_its_own_model_at_once(house: Courthouse) -> None:
    mine = model_of(house, "provider1")
    targets = [
        Target(OID, Item.HEADER, mine),
        Target(OID, Item.NODE, mine, node=1),
        Target(OID, Item.UNIT, mine, node=0, unit=3),
        Target(OID, Item.WEIGHTS, mine, node=0, unit=3),
        Target(OID, Item.NODE, mine, node=400),
    ]
    numbers = [asked(house, target) for target in targets]
    wealth = house.wealth("provider1")
    house.work("provider0", poor_provider)
    assert all(standing(house, number).is_open for number in numbers), "it is not the other one's model"
    house.work("provider1", good_provider)
    assert all(standing(house, number).request.status is RequestStatus.ANSWERED for number in numbers)
    bond = house.stage.contracts.order(OID).request_bond
    assert house.wealth("provider1") - wealth == bond * len(numbers)


def test_a_client_answers_for_its_test_set(house: Courthouse) -> None:
    samples = house.stage.contracts.test_set(OID).sample_count
    number = asked(house, Target(OID, Item.SAMPLE, unit=samples - 1))
    beyond = asked(house, Target(OID, Item.SAMPLE, unit=samples))
    house.work("client", client_with_executor)
    assert standing(house, number).request.status is RequestStatus.ANSWERED
    assert standing(house, beyond).request.status is RequestStatus.ANSWERED

    def see(context: RoleContext) -> None:
        shown = court(house).shown(standing(house, number))
        assert shown is not None
        assert shown.payload
        assert "shown" in in_words(see_through(context, court(house), number))

    house.mortal(ASKER).alive(see)


def test_a_validator_answers_in_its_turn_where_the_provider_is_silent(house: Courthouse) -> None:
    score(house, {"validator0": validator, "validator1": validator})
    number = asked(house, Target(OID, Item.HEADER, model_of(house, "provider1")))
    house.work("validator0", validator)
    assert standing(house, number).is_open, "the provider comes first"
    travel(house.client, house.stage.contracts.order(OID).move_seconds // 2)
    house.work("validator0", validator)
    assert standing(house, number).request.status is RequestStatus.ANSWERED


def test_what_nobody_answers_is_void_by_hand(house: Courthouse) -> None:
    gone = model_of(house, "provider0")
    target = Target(OID, Item.HEADER, gone)
    number = asked(house, target)
    assert asked(house, target) == number, "asked for once"
    travel(house.client, house.stage.contracts.order(OID).move_seconds)
    contracts = house.stage.contracts

    def see(context: RoleContext) -> None:
        assert see_through(context, court(house), number).status is RequestStatus.EXPIRED
        with pytest.raises(Rejected, match="void already"):
            ask(context, court(house), Target(OID, Item.NODE, gone))
        with pytest.raises(Rejected, match="has 2 revealed models"):
            ask(context, court(house), Target(OID, Item.HEADER, 2))

    house.mortal(ASKER).alive(see)
    assert contracts.read(contracts.proof.functions.isVoid(OID, gone))
    assert contracts.bond(house.address(ASKER), Role.VERIFIER).locked == 0


def test_nothing_is_asked_without_a_bond_or_too_late(house: Courthouse) -> None:
    def poor(context: RoleContext) -> None:
        with pytest.raises(Rejected, match="assay stake add verifier"):
            ask(context, court(house), Target(OID, Item.HEADER))

    house.mortal("provider0").alive(poor)
    score(house, {"validator0": validator, "validator1": validator})
    house.travel_to("challenge_end")

    def late(context: RoleContext) -> None:
        with pytest.raises(Rejected, match="order 1 is sealable"):
            ask(context, court(house), Target(OID, Item.HEADER))

    house.mortal(ASKER).alive(late)
    house.work("client", client_worker)
