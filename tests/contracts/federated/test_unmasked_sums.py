"""A contract computes a coordinate of a group's right sum from what the chain knows, and from nothing else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offchain.federated.secure.evidence import Summand, evidence_at
from offchain.federated.secure.messages import Masked
from offchain.federated.secure.terms import Seed, Stage
from offchain.federated.secure.transcript import shares_of, vector_of
from offchain.federated.secure.unmask import recover, sum_of
from offchain.federated.vector_tree import Opening, masked_tree
from tests.contracts.support.solidity import compile_harness
from tests.simulation.evm import Abi, Contract, Evm, Reverted, account, intrinsic_gas
from tests.unit.federated.secure.play import Play, random_updates, session_of


@pytest.fixture(scope="module")
def harness() -> Contract:
    """UnmaskHarness.sol, deployed."""
    compiled = compile_harness("UnmaskHarness")
    return Evm.empty(1).create(account(1), compiled.creation, Abi(compiled.abi))


def played(size: int, dimension: int, dealt: list[int], live: list[int]) -> Play:
    session = session_of(size, dimension, threshold=2)
    play = Play(session, random_updates(session, seed=size), seed=dimension)
    noise = np.random.default_rng(3).integers(0, 2**32, dimension).astype(np.uint32)
    # one that posts noise: the definition is about whatever was posted
    tamper = {live[-1]: lambda sent: Masked(sent.vector + noise)}
    play.all_stages({Stage.SHARES: dealt, Stage.MASKED: live, Stage.UNMASK: live}, masked=tamper)
    return play


def group_of(play: Play) -> tuple[Any, ...]:
    """As the chain knows it."""
    sets = recover(play.transcript).sets
    return (
        play.session.dimension,
        play.session.size,
        sum(1 << place for place in sets.shared),
        sum(1 << place for place in sets.masked),
        [masked_tree(vector_of(play.transcript, place)).root for place in sets.masked],
        [shares_of(play.transcript, place).seeds_root for place in sets.masked],
    )


def shown(summands: tuple[Summand, ...]) -> list[tuple[Any, ...]]:
    return [
        (one.opening.content, list(one.opening.proof), list(one.seeds), one.self_seed, list(one.pair_seeds))
        for one in summands
    ]


@pytest.mark.parametrize(
    ("size", "dimension", "dealt", "live"),
    [
        (5, 700, [0, 1, 2, 3], [1, 2, 3]),
        (6, 1, [0, 2, 3, 4, 5], [2, 4]),
        (4, 257, [0, 1, 2, 3], [0, 3]),
    ],
)
def test_the_contract_sums_as_everybody_does(
    harness: Contract, size: int, dimension: int, dealt: list[int], live: list[int]
) -> None:
    play = played(size, dimension, dealt, live)
    recovered = recover(play.transcript)
    total = sum_of(play.transcript, recovered)
    for coordinate in {0, dimension // 2, dimension - 1}:
        evidence = shown(evidence_at(play.transcript, recovered, coordinate))
        assert harness.read("at", group_of(play), coordinate, evidence) == total[coordinate]


def test_other_evidence_is_refused(harness: Contract) -> None:
    play = played(5, 700, [0, 1, 2, 3], [1, 2, 3])
    group, summands = group_of(play), evidence_at(play.transcript, recover(play.transcript), 300)
    first = summands[0]
    spoilt = bytearray(first.opening.content)
    spoilt[-1] ^= 1
    other = Seed(b"x" * 32)
    for wrong, error in (
        (replace(first, opening=Opening(bytes(spoilt), first.opening.proof)), "WrongVectorRoot"),
        (replace(first, opening=Opening(first.opening.content[:-4], first.opening.proof)), "WrongCount"),
        (replace(first, seeds=(*first.seeds[:-1], other)), "WrongSeedsRoot"),
        (replace(first, seeds=first.seeds[:-1]), "WrongCount"),
        (replace(first, self_seed=other), "WrongSeed"),
        (replace(first, pair_seeds=(other,)), "WrongSeed"),
        (replace(first, pair_seeds=()), "WrongCount"),
        (replace(first, pair_seeds=(*first.pair_seeds, other)), "WrongCount"),
    ):
        with pytest.raises(Reverted, match=error):
            harness.read("at", group, 300, shown((wrong, *summands[1:])))
    for some in (summands[:-1], (*summands, first), (summands[1], first, summands[2])):
        with pytest.raises(Reverted):
            harness.read("at", group, 300, shown(some))


@pytest.mark.parametrize(
    ("size", "live", "most"), [(10, 7, 550_000), pytest.param(16, 10, 1_100_000, marks=pytest.mark.long)]
)
def test_what_a_contract_can_afford(harness: Contract, size: int, live: int, most: int) -> None:
    """Gas with the transaction's own and its calldata; a challenge that is won may cost 1,500,000."""
    play = played(size, 3000, list(range(size)), list(range(live)))
    recovered = recover(play.transcript)
    question = (group_of(play), 300, shown(evidence_at(play.transcript, recovered, 300)))
    total, used = harness.read("measured", *question)
    assert total == sum_of(play.transcript, recovered)[300]
    gas = used + intrinsic_gas(harness.calldata("measured", *question))
    assert gas < most
