"""Conspiracies around data that nobody can have, before the real contracts: one honest verifier is enough."""

import dataclasses
from math import prod

import numpy as np
import pytest

from offchain.chain.enums import Role
from offchain.dispute.answers import Answer, answer_from_model
from offchain.dispute.requests import Item, RequestStatus, Target
from offchain.model.graph import IntegerNetwork, Op
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree
from offchain.model.validation import first_fault
from offchain.protocol.lifecycle import Phase
from offchain.protocol.settlement import Outcome
from offchain.types import Root
from tests.contracts.availability.hall import (
    ASKER,
    BOND,
    CHALLENGE_SECONDS,
    HOLDER,
    OID,
    PROVIDERS,
    V_STAKE,
    VALIDATORS,
    Hall,
    open_hall,
    some_samples,
)
from tests.simulation.dispute_chain import CLIENT, MOVE_SECONDS, Parameters
from tests.simulation.evm import Reverted
from tests.unit.model.networks import random_network

HIDDEN = Root(b"nobody knows what hashes to this")
PARAMETERS = Parameters()
SAMPLES = 3


def network(seed: int = 5) -> IntegerNetwork:
    """A valid one with two inputs of one node besides the node before it."""
    found = random_network([Op.DENSE, Op.LOOKUP, Op.ADD, Op.DENSE], seed, (8,))
    assert [node.op for node in found.nodes][-1] is Op.DENSE
    return found


def limits_for(model: IntegerNetwork) -> ModelLimits:
    return ModelLimits(10_000, 1_000, input_size=prod(model.input_shape), output_size=prod(model.output_shape))


def hall_with(roots: list[Root], model: IntegerNetwork) -> Hall:
    limits = limits_for(model)
    return open_hall(roots, some_samples(prod(model.input_shape), SAMPLES), limits, prod(model.output_shape))


def bonded(hall: Hall, who: str, role: Role) -> int:
    return int(hall.chain["StakeVault"].read("bondOf", who, role)[0])


def locked(hall: Hall, who: str, role: Role) -> int:
    return int(hall.chain["StakeVault"].read("bondOf", who, role)[1])


def settlement(hall: Hall) -> tuple[Outcome, str]:
    found = hall.proof.read("settlementOf", OID)
    return Outcome(found[0]), found[4]


def void(hall: Hall, target: Target) -> None:
    number = hall.ask(target)
    hall.let_pass(MOVE_SECONDS)
    hall.court.send(HOLDER, "expire", number)
    assert hall.status(number) is RequestStatus.EXPIRED


def check_conspiracy_lost(hall: Hall, before: int) -> None:
    """Model 0 was bogus and scored perfect; model 1 is the honest one."""
    for who in VALIDATORS:
        hall.proof.send(HOLDER, "slashVoidValidation", OID, who, 0)
        assert bonded(hall, who, Role.VALIDATOR) == BOND - V_STAKE
    assert bonded(hall, PROVIDERS[0], Role.PROVIDER) == BOND - PARAMETERS.claim_bond
    hall.seal()
    assert settlement(hall) == (Outcome.WON, PROVIDERS[1])
    lost = [PARAMETERS.claim_bond, *[V_STAKE] * len(VALIDATORS)]
    gained = sum(amount * PARAMETERS.dispute_share_ppm // 1_000_000 for amount in lost)
    assert hall.chain.wealth(ASKER) - before == gained > 0
    for who in (*VALIDATORS, *PROVIDERS, ASKER):
        assert not any(locked(hall, who, role) for role in (Role.PROVIDER, Role.VALIDATOR, Role.VERIFIER))


def test_a_root_that_nobody_can_open() -> None:
    model = network()
    hall = hall_with([HIDDEN, ModelTree(model).root], model)
    before = hall.chain.wealth(ASKER)
    hall.score([[SAMPLES, 1]] * 3)
    assert hall.proof.read("tallyOf", OID, 0)[3], "about to win"
    void(hall, Target(OID, Item.HEADER))
    check_conspiracy_lost(hall, before)


@pytest.mark.parametrize("part", ["shape", "clamp", "scale"])
def test_a_malformed_node_in_the_middle(part: str) -> None:
    model = network()
    node = model.nodes[2]
    changes = {
        "shape": {"output_shape": (node.output_shape[0] + 1,)},
        "clamp": {"low": -129},
        "scale": {
            "requantisation": dataclasses.replace(
                node.requantisation, multiplier=np.array([1 << 22, 1], dtype=np.int32)
            )
        },
    }[part]
    bogus = dataclasses.replace(model, nodes=(*model.nodes[:2], dataclasses.replace(node, **changes), model.nodes[3]))
    fault = first_fault(bogus, limits_for(model))
    assert fault is not None
    assert (fault.leaf, fault.node) == ("node", 2)
    tree = ModelTree(bogus)
    hall = hall_with([tree.root, ModelTree(model).root], model)
    before = hall.chain.wealth(ASKER)
    hall.score([[SAMPLES, 1]] * 3)
    target = Target(OID, Item.NODE, node=fault.node)
    number = hall.ask(target)
    with pytest.raises(Reverted) as caught:
        hall.answer(number, answer_from_model(target, tree), PROVIDERS[0])
    assert caught.value == Reverted("Malformed", fault.rule)
    hall.let_pass(MOVE_SECONDS)
    hall.court.send(HOLDER, "expire", number)
    check_conspiracy_lost(hall, before)


def test_a_malformed_unit() -> None:
    model = network()
    node = model.nodes[0]
    bias = node.bias.copy()
    bias[-1] = -(2**31)
    bogus = dataclasses.replace(model, nodes=(dataclasses.replace(node, bias=bias), *model.nodes[1:]))
    fault = first_fault(bogus, limits_for(model))
    assert fault is not None
    assert (fault.leaf, fault.unit) == ("unit", len(bias) - 1)
    tree = ModelTree(bogus)
    hall = hall_with([tree.root, ModelTree(model).root], model)
    before = hall.chain.wealth(ASKER)
    hall.score([[SAMPLES, 1]] * 3)
    target = Target(OID, Item.UNIT, node=0, unit=fault.unit)
    number = hall.ask(target)
    with pytest.raises(Reverted) as caught:
        hall.answer(number, answer_from_model(target, tree), PROVIDERS[0])
    assert caught.value == Reverted("Malformed", "bias")
    hall.let_pass(MOVE_SECONDS)
    hall.court.send(HOLDER, "expire", number)
    check_conspiracy_lost(hall, before)


@pytest.mark.parametrize("scored", [False, True])
def test_a_withheld_test_set(*, scored: bool) -> None:
    """The client has released a root and shows nothing: the providers have the reward, whoever scored or did not."""
    model = network()
    hall = hall_with([ModelTree(model).root, HIDDEN], model)
    before = {who: hall.chain.wealth(who) for who in (*PROVIDERS, *VALIDATORS)}
    hidden = hall.ask(Target(OID, Item.HEADER, model_index=1))
    hall.let_pass(MOVE_SECONDS)
    hall.court.send(HOLDER, "expire", hidden)
    if scored:
        hall.let_pass(-MOVE_SECONDS)
        hall.score([[1, 0], [2, 0]])
    void(hall, Target(OID, Item.SAMPLE, unit=1))
    assert hall.phase() is Phase.SEALABLE
    hall.seal()
    assert settlement(hall)[0] is Outcome.SHARED
    owed = hall.chain["RewardTreasury"].read("holdingOf", OID)
    assert owed[1] == 10_000, "none of it to the client"
    assert hall.chain.wealth(PROVIDERS[1]) == before[PROVIDERS[1]] - PARAMETERS.claim_bond
    assert all(hall.chain.wealth(who) == before[who] for who in VALIDATORS)


def test_an_honest_provider_is_paid_for_every_question() -> None:
    model = network()
    tree = ModelTree(model)
    hall = hall_with([tree.root], model)
    nodes = range(len(tree.descriptors) + 1)
    units = [(node, unit) for node in nodes[:-1] for unit in range(tree.descriptors[node].units + 1)][:12]
    targets = [
        Target(OID, Item.HEADER),
        *(Target(OID, Item.NODE, node=node) for node in nodes),
        *(Target(OID, Item.UNIT, node=node, unit=unit) for node, unit in units),
        *(Target(OID, Item.WEIGHTS, node=node, unit=unit, chunk=unit % 2) for node, unit in units),
        *(Target(OID, Item.SAMPLE, unit=unit, chunk=chunk) for unit in range(SAMPLES + 1) for chunk in (0, 1)),
        Target(OID, Item.UNIT, node=2**32 - 1, unit=2**32 - 1),
        Target(OID, Item.WEIGHTS, node=2**32 - 1, unit=2**32 - 1, chunk=2**32 - 1),
    ]
    numbers = [hall.ask(target) for target in targets]
    paid = len(targets) * PARAMETERS.request_bond
    before = hall.chain.wealth(PROVIDERS[0])
    for number, target in zip(numbers, targets, strict=True):
        hall.answer(number, hall.answer_with(target, tree), PROVIDERS[0])
    assert hall.chain.wealth(PROVIDERS[0]) - before == paid
    assert bonded(hall, ASKER, Role.VERIFIER) == BOND - paid
    assert locked(hall, ASKER, Role.VERIFIER) == 0
    assert not hall.proof.read("isVoid", OID, 0)
    assert not hall.proof.read("isTestVoid", OID)
    hall.score([[1]])
    hall.seal()
    assert settlement(hall) == (Outcome.WON, PROVIDERS[0])


def test_questions_do_not_stall_an_order() -> None:
    """Who answers its own questions loses nothing but gas, and wins a challenge window and a move's time at most."""
    model = network()
    tree = ModelTree(model)
    hall = hall_with([tree.root], model)
    hall.score([[1]])
    end = hall.chain.evm.now + CHALLENGE_SECONDS
    asked = 0
    while hall.chain.evm.now < end:
        target = Target(OID, Item.NODE, node=1_000 + asked)
        number = hall.ask(target)
        asked += 1
        hall.let_pass(MOVE_SECONDS - 1)
        hall.answer(number, answer_from_model(target, tree), ASKER)
    assert asked > 2
    with pytest.raises(Reverted) as caught:
        hall.ask(Target(OID, Item.HEADER))
    assert caught.value == Reverted("TooLateToAsk", OID, end)
    assert hall.phase() is Phase.CHALLENGE
    last = hall.proof.read("factsOf", OID)[8]
    assert last <= end + MOVE_SECONDS + CHALLENGE_SECONDS
    hall.chain.evm.now = last
    assert hall.phase() is Phase.SEALABLE
    hall.proof.send(HOLDER, "seal", OID)
    assert settlement(hall) == (Outcome.WON, PROVIDERS[0])


def test_nobody_voids_what_is_fine_and_shown() -> None:
    """Leaves of another model, of a tampered one, and late ones, are no answers; the right one is, from anybody."""
    model, other = network(), network(6)
    tree, strange = ModelTree(model), ModelTree(other)
    hall = hall_with([tree.root, strange.root], model)
    target = Target(OID, Item.NODE, node=1)
    number = hall.ask(target)
    for wrong in (strange, ModelTree(dataclasses.replace(model, output_scale=0.5))):
        with pytest.raises(Reverted, match="WrongOpening"):
            hall.answer(number, answer_from_model(target, wrong))
    with pytest.raises(Reverted, match="NotLate"):
        hall.court.send(ASKER, "expire", number)
    with pytest.raises(Reverted, match="StillStanding"):
        hall.court.send(ASKER, "dismiss", number)
    right = answer_from_model(target, tree)
    with pytest.raises(Reverted, match="UnknownRequest"):
        hall.answer(number + 1, right)
    hall.answer(number, right)
    hall.let_pass(MOVE_SECONDS)
    with pytest.raises(Reverted, match="NotOpen"):
        hall.court.send(ASKER, "expire", number)


def test_every_word_of_an_answer_counts() -> None:
    """A node's answer with any one word of what it shows changed is refused, but for what its rules do not look at."""
    model = network()
    tree = ModelTree(model)
    hall = hall_with([tree.root], model)
    target = Target(OID, Item.NODE, node=2)
    number = hall.ask(target)
    answer = answer_from_model(target, tree)
    (body,) = answer.arguments
    for place in range(3):
        with pytest.raises((Reverted, AssertionError)):
            hall.answer(number, Answer(answer.function, ((*body[:place], _spoiled(body[place]), *body[place + 1 :]),)))
    hall.answer(number, answer)


def _spoiled(value: object) -> object:
    """The same with its last word changed, however deep it is."""
    if isinstance(value, tuple):
        return (*value[:-1], _spoiled(value[-1])) if value else (bytes(32),)
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1, *value[1:]])
    assert isinstance(value, int)
    return value ^ 1


def test_a_test_set_of_another_size_is_void() -> None:
    """The client released samples that are shorter than its order says: no leaf of them is an answer."""
    model = network()
    size = prod(model.input_shape)
    limits = limits_for(model)
    roots = [ModelTree(model).root]
    hall = open_hall(roots, some_samples(size - 1, SAMPLES), limits, prod(model.output_shape), input_size=size)
    target = Target(OID, Item.SAMPLE)
    number = hall.ask(target)
    with pytest.raises(Reverted) as caught:
        hall.answer(number, hall.answer_with(target, None), CLIENT)
    assert caught.value == Reverted("WrongLength", size, size - 1)
    hall.let_pass(MOVE_SECONDS)
    hall.court.send(HOLDER, "expire", number)
    assert hall.proof.read("isTestVoid", OID)
