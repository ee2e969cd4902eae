"""The plan of a run: schedule, tree, and what sampling rules out."""

import numpy as np
import pytest
from eth_abi.abi import encode

from offchain.errors import Rejected
from offchain.model.merkle import root_from
from offchain.proofs.field import Element
from offchain.proofs.training.run import (
    bond_that_deters,
    cut_batches,
    escape_probability,
    false_steps_ruled_out,
    train,
)
from offchain.proofs.training.sgd import initial_state, step
from offchain.proofs.training.shape import StepShape
from offchain.proofs.training.terms import schedule_of
from offchain.proofs.training.witness import Salted, same_state
from offchain.protocol.hashing import keccak

SHAPE = StepShape((2, 3, 2), 2, (8, 8), weight_bits=16, activation_bits=18, error_bits=18)


def test_a_run_follows_its_schedule_and_opens_every_leaf() -> None:
    rng = np.random.default_rng(0)
    data = cut_batches(SHAPE, rng.integers(0, 17, (9, 2)), rng.integers(0, 2, 9), b"d" * 32)
    assert len(data.batches) == 4
    run = train(data, Salted(initial_state(SHAPE, b"i" * 32), Element(0)), b"s" * 32, 6, b"t" * 32)
    expected = [int.from_bytes(keccak(encode(["bytes32", "uint256"], [b"s" * 32, i])), "big") % 4 for i in range(6)]
    assert list(run.schedule) == expected
    tree = run.tree()
    for i in range(7):
        leaf = run.opened(tree, i)
        assert leaf.batch_hash == (data.hashes[expected[i]] if i < 6 else 0)
        words = encode(["uint256", "uint256", "uint256"], [10, leaf.state_hash, leaf.batch_hash])
        assert root_from(keccak(words), i, 7, leaf.path) == tree.root
    for i in range(6):
        old, batch, new = run.step(i)
        assert same_state(step(SHAPE, old.state, batch.batch), new.state)
        leaf_of_batch = keccak(encode(["uint256", "uint256"], [12, data.hashes[expected[i]]]))
        assert root_from(leaf_of_batch, expected[i], 4, data.tree.prove(expected[i])) == data.tree.root
    assert len({state.salt for state in run.states}) == 7
    # who has lost all but the secrets has it all again
    assert train(data, run.states[0], b"s" * 32, 6, b"t" * 32).hashes == run.hashes


def test_sampling_rules_out_what_it_says() -> None:
    for steps, false, draws in ((10, 1, 3), (100, 10, 7), (1000, 500, 64), (8, 0, 2), (5, 1, 5)):
        chance = escape_probability(steps, false, draws)
        assert chance <= (1 - false / steps) ** draws + 1e-12
        rng = np.random.default_rng(1)
        trials = [set(rng.permutation(steps)[:draws].tolist()) for _ in range(3000)]
        assert abs(np.mean([min(t) >= false for t in trials]) - chance) < 0.04
    assert escape_probability(5, 1, 5) == 0
    assert escape_probability(100, 1, 10) == pytest.approx(0.9)
    for steps, draws in ((8, 2), (1000, 10), (1000, 64), (5, 5)):
        ruled_out = false_steps_ruled_out(steps, draws)
        assert escape_probability(steps, ruled_out, draws) <= 0.05
        assert ruled_out == 1 or escape_probability(steps, ruled_out - 1, draws) > 0.05


def test_a_bond_deters_even_one_false_step() -> None:
    for gain, steps, draws in ((10**18, 1000, 10), (7, 9, 4), (1, 3, 2)):
        bond = bond_that_deters(gain, steps, draws)
        assert gain * (steps - draws) <= bond * draws < gain * (steps - draws) + draws
    assert bond_that_deters(10**18, 10, 10) == 0


def test_a_schedule_has_bounds() -> None:
    for steps, batches in ((0, 1), (1, 0), (2**20 + 1, 1), (1, 2**20 + 1)):
        with pytest.raises(Rejected, match="must be in"):
            schedule_of(bytes(32), steps, batches)
    with pytest.raises(Rejected, match="batches"):
        cut_batches(SHAPE, np.zeros((1, 2), np.int64), np.zeros(1, np.int64), bytes(32))
