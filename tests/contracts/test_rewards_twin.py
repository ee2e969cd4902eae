"""Rewards by root: what Python computes, the real contracts accept; what differs by a wei, they refuse or refute."""

from collections import Counter
from dataclasses import astuple, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.protocol.hashing import keccak
from offchain.protocol.reward_cycle import Cycle, root_of
from offchain.protocol.reward_root import RewardRoot, members_hash
from offchain.protocol.settlement import Payout
from offchain.types import OrderId, Seconds, Wei
from tests.contracts.support.rewards import ANYBODY, RewardWorld, post_arguments, reward_world
from tests.simulation.evm import Reverted, account

WORKERS = [account(index) for index in range(6)]
NOBODY = "0x" + "00" * 20
FEW = settings(max_examples=12, deadline=None)
payouts = st.lists(
    st.builds(
        Payout, st.sampled_from([*WORKERS, NOBODY]), st.one_of(st.just(0), st.integers(0, 2**60), st.integers(1, 9))
    ),
    max_size=5,
)
orders = st.lists(st.tuples(payouts, st.integers(0, 2**40), st.booleans()), min_size=1, max_size=7)
Drawn = list[tuple[list[Payout], int, bool]]


def seal_all(world: RewardWorld, drawn: Drawn, first: int = 1) -> None:
    for oid, (rows, tax, _) in enumerate(drawn, first):
        world.seal(oid, rows, tax)
    for oid, (rows, _, otherwise) in enumerate(drawn, first):
        if otherwise:
            world.pay_directly(oid, rows)


def cycle_of(world: RewardWorld, up_to: int | None = None) -> Cycle:
    cycle = world.book.next_cycle(world.book.sealed if up_to is None else up_to)
    assert cycle is not None
    return cycle


def falsified(cycle: Cycle, step: int) -> Cycle:
    """The cycle with another hash for one step; the last state stays what it is."""
    steps = (*cycle.steps[:step], keccak(b"greed"), *cycle.steps[step + 1 :])
    return replace(cycle, steps=steps, statement=replace(cycle.statement, root=root_of(steps)))


@FEW
@given(drawn=orders, more=orders)
def test_accounts_are_paid_exactly_what_sealed_orders_say(drawn: Drawn, more: Drawn) -> None:
    world = reward_world()
    seal_all(world, drawn)
    world.post(cycle_of(world))
    seal_all(world, more, first=len(drawn) + 1)
    world.post(cycle_of(world))
    earned: Counter[str] = Counter()
    for sequence, (rows, tax, otherwise) in enumerate([*drawn, *more], 1):
        if not otherwise:
            credits = [*rows, Payout(world.members[sequence % 4], Wei(tax))]
            earned.update({payout.account: 0 for payout in credits})
            for payout in credits:
                earned[payout.account] += 0 if payout.account == NOBODY else payout.amount
    world.evm.now += 20
    now = Seconds(world.evm.now)
    assert world.treasury.read("rootTotals")[0] == earned.total()
    for who in [*WORKERS, *world.members]:
        claim = world.book.claim_of(who, now)
        assert (claim is not None) == (earned[who] > 0)
        if claim is not None:
            assert world.claim(claim) == earned[who]
            assert world.book.claim_of(who, now) is None
            with pytest.raises(Reverted, match="NothingToClaim"):
                world.claim(claim)
    assert world.treasury.read("rootTotals") == (earned.total(), earned.total())


@FEW
@given(drawn=orders, data=st.data())
def test_any_false_step_is_refuted_and_its_signers_pay(drawn: Drawn, data: st.DataObject) -> None:
    world = reward_world()
    world.seal(100, [Payout(WORKERS[0], Wei(7))], 1)
    world.post(cycle_of(world))
    seal_all(world, drawn, first=101)
    held = world.treasury.read("totalHeld")
    step = data.draw(st.integers(0, len(drawn) - 1))
    right = cycle_of(world)
    if step == len(drawn) - 1:
        # The last step is the state itself: one that gives somebody a wei more
        greedy = right.tree.copy()
        greedy.credit(world.members[0], Wei(1))
        steps = (*right.steps[:-1], greedy.state_hash)
        false = replace(right, steps=steps, tree=greedy, statement=replace(right.statement, root=root_of(steps)))
        if greedy.state.total > world.treasury.read("rootTotals")[0] + held:
            with pytest.raises(Reverted, match="TotalOutOfBounds"):
                world.post(false, attempt=2)
            return
    else:
        false = falsified(right, step)
    signers = world.members[1:]
    world.post(false, attempt=2, signers=signers)
    (standing,) = world.book.standing[1:]
    assert standing.false_step == step
    refutation = world.book.refutation_of(standing)
    assert refutation is not None
    world.refute(refutation)
    assert world.treasury.read("coveredUpTo") == 1
    assert world.treasury.read("totalHeld") == held
    assert [world.committee.read("stakeOf", who) for who in signers] == [0, 0, 0]
    assert world.committee.read("stakeOf", world.members[0]) > 0
    assert world.committee.read("isSuspended")
    assert world.token.read("balanceOf", ANYBODY) > 0, "the reporter's share"
    world.start_epoch()
    again = cycle_of(world)
    assert again.state.total == right.state.total, "of two members now, but the sum is the same"
    world.post(again, attempt=3)
    assert world.book.standing[-1].is_right


def test_right_steps_cannot_be_refuted() -> None:
    world = reward_world()
    for oid in range(1, 5):
        world.seal(oid, [Payout(WORKERS[oid], Wei(oid)), Payout(WORKERS[0], Wei(5))], 3)
    cycle = cycle_of(world)
    world.post(cycle)
    (standing,) = world.book.standing
    assert standing.is_right
    for step in range(4):
        refutation = world.book.refutation_of(replace(standing, false_step=step))
        assert refutation is not None
        with pytest.raises(Reverted, match="StepIsRight"):
            world.refute(refutation)


def test_a_certificate_is_for_one_statement_on_one_state_of_the_treasury() -> None:
    world = reward_world()
    world.seal(1, [Payout(WORKERS[0], Wei(10))], 1)
    world.seal(2, [Payout(WORKERS[1], Wei(10))], 1)
    cycle = cycle_of(world)
    members, k = world.members, world.threshold
    assert world.committee.read("membersHashOf", 1) == members_hash(members)
    good = world.sign(cycle.statement.at(5), members[:k])
    changed = post_arguments(cycle, 6, members, good)
    with pytest.raises(Reverted, match="WrongSigner"):
        world.treasury.send(ANYBODY, "postRoot", *changed)
    few = {who: good[who] for who in members[: k - 1]}
    with pytest.raises(Reverted, match="TooFewSigners"):
        world.treasury.send(ANYBODY, "postRoot", *post_arguments(cycle, 5, members, few))
    world.pay_directly(2, [Payout(WORKERS[1], Wei(10))])
    with pytest.raises(Reverted, match="WrongSettledOtherwise"):
        world.treasury.send(ANYBODY, "postRoot", *post_arguments(cycle, 5, members, good))
    world.post(cycle_of(world), attempt=6)
    assert world.book.earned(WORKERS[1]) == 0
    with pytest.raises(Reverted, match="WrongCycle"):
        world.treasury.send(ANYBODY, "postRoot", *post_arguments(cycle, 5, members, good))


def slash(world: RewardWorld, first: tuple[RewardRoot, bytes], second: tuple[RewardRoot, bytes]) -> None:
    (a, signature_a), (b, signature_b) = first, second
    world.committee.send(ANYBODY, "slashEquivocation", astuple(a), signature_a, astuple(b), signature_b, world.members)


def test_who_signs_two_statements_in_one_place_is_slashed() -> None:
    world = reward_world()
    world.seal(1, [Payout(WORKERS[0], Wei(10))], 1)
    liar, honest = world.members[:2]
    statement = cycle_of(world).statement.at(5)
    other = replace(statement, root=statement.parent)
    twice = [(each, world.sign(each, [liar])[liar]) for each in (statement, other)]
    elsewhere = statement.at(6)

    with pytest.raises(Reverted, match="NoEquivocation"):
        slash(world, twice[0], twice[0])
    with pytest.raises(Reverted, match="NoEquivocation"):
        slash(world, twice[0], (elsewhere, world.sign(elsewhere, [liar])[liar]))
    with pytest.raises(Reverted, match="DifferentSigners"):
        slash(world, twice[0], (other, world.sign(other, [honest])[honest]))
    slash(world, *twice)
    assert world.committee.read("stakeOf", liar) == 0
    assert world.committee.read("stakeOf", honest) > 0
    assert world.committee.read("isSuspended")


def test_history_is_what_the_treasury_keeps() -> None:
    world = reward_world()
    for oid in range(1, 4):
        world.seal(oid * 7, [Payout(WORKERS[oid], Wei(oid))], oid)
        assert cycle_of(world, oid).statement.history == world.treasury.read("historyAt", oid)
    assert world.book.place_of(OrderId(14)) == world.treasury.read("holdingOf", 14)[7] == 2
