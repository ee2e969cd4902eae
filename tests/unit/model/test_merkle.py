"""Keccak, trees, roots: against the library, and for every leaf."""

from dataclasses import replace

import numpy as np
import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.model.graph import IntegerNetwork, Op, Requantisation
from offchain.model.keccak import keccak_rows
from offchain.model.merkle import MerkleTree, verify
from offchain.model.roots import ModelTree, SampleTree, compute_model_root, compute_test_root
from offchain.types import Root
from tests.unit.model.networks import random_network


@pytest.mark.parametrize("length", [0, 1, 8, 31, 32, 64, 135, 136, 137, 271, 272, 273, 1000])
@pytest.mark.parametrize("count", [1, 15, 16, 17, 40])
def test_keccak_equals_the_library(length: int, count: int) -> None:
    rows = np.random.default_rng(length).integers(0, 256, (count, length), dtype=np.uint8)
    assert [digest.tobytes() for digest in keccak_rows(rows)] == [keccak(row.tobytes()) for row in rows]


def test_keccak_of_more_rows_than_one_chunk() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (70_000, 40), dtype=np.uint8)
    digests = keccak_rows(rows)
    for index in (0, 30_839, 30_840, 30_841, 61_680, 69_999):
        assert digests[index].tobytes() == keccak(rows[index].tobytes())


def slow_root(leaves: list[bytes]) -> bytes:
    while len(leaves) > 1:
        pairs = [leaves[i : i + 2] for i in range(0, len(leaves), 2)]
        leaves = [keccak(min(pair) + max(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    return leaves[0]


@settings(max_examples=60, deadline=None, database=None)
@given(count=st.integers(1, 70), seed=st.integers(0, 2**32 - 1))
def test_every_leaf_has_a_proof_and_no_other_leaf_fits_it(count: int, seed: int) -> None:
    leaves = np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)
    # Equal prefixes make the order of a pair hang on the last bytes.
    leaves[:, : seed % 32] = 7
    tree = MerkleTree(leaves)
    assert tree.root == slow_root([leaf.tobytes() for leaf in leaves])
    for index in range(count):
        proof = tree.prove(index)
        assert verify(tree.root, tree.leaf(index), proof)
        assert not verify(tree.root, keccak(tree.leaf(index)), proof)
        assert len(proof) <= (count - 1).bit_length()


def test_a_tree_needs_leaves() -> None:
    with pytest.raises(Bug):
        MerkleTree(np.empty((0, 32), dtype=np.uint8))
    with pytest.raises(Rejected, match="test set: 0 inputs"):
        SampleTree(np.empty((0, 4), dtype=np.int8), np.empty(0, dtype=np.int32))
    with pytest.raises(Bug, match="leaf 3 of 3"):
        MerkleTree(np.zeros((3, 32), dtype=np.uint8)).prove(3)


def example() -> IntegerNetwork:
    ops = [Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.ADD, Op.MAX_POOL2D, Op.AVERAGE_POOL2D, Op.DENSE]
    return random_network(ops, seed=5, input_shape=(8, 8, 3))


def test_every_part_of_a_model_has_a_proof() -> None:
    network = example()
    tree = ModelTree(network)
    proofs = [tree.prove_header()]
    for index, node in enumerate(network.nodes):
        proofs.append(tree.prove_node(index))
        proofs += [tree.prove_unit(index, unit) for unit in range(0 if node.weight is None else len(node.weight))]
    assert len({proof.leaf for proof in proofs}) == len(proofs)
    assert all(verify(tree.root, keccak(keccak(proof.encoding)), proof.siblings) for proof in proofs)
    with pytest.raises(Bug, match="no unit"):
        tree.prove_unit(3, 0)


def test_every_change_of_a_model_changes_its_root() -> None:
    network = example()
    roots = {compute_model_root(network), compute_model_root(replace(network, output_scale=2.0))}
    changes = 2
    for index, node in enumerate(network.nodes):
        others = [replace(node, low=node.low - 1), replace(node, high=node.high + 1), replace(node, stride=(9, 9))]
        others += [replace(node, padding=(0, 9, 0, 0)), replace(node, kernel=(9, 1)), replace(node, inputs=(9,))]
        others += [replace(node, output_shape=(1, 1, 9)), replace(node, op=Op.ADD if node.op != Op.ADD else Op.DENSE)]
        if node.weight is not None and node.bias is not None:
            weight, bias = node.weight.copy(), node.bias.copy()
            weight[-1, -1] ^= 1
            bias[0] ^= 1
            others += [replace(node, weight=weight), replace(node, bias=bias)]
        if node.requantisation is not None:
            multiplier, shift = node.requantisation.multiplier.copy(), node.requantisation.shift.copy()
            multiplier[-1] += 1
            shift[-1] += 1
            others.append(replace(node, requantisation=Requantisation(multiplier, node.requantisation.shift)))
            others.append(replace(node, requantisation=Requantisation(node.requantisation.multiplier, shift)))
        for other in others:
            nodes = (*network.nodes[:index], other, *network.nodes[index + 1 :])
            roots.add(compute_model_root(replace(network, nodes=nodes)))
            changes += 1
    assert len(roots) == changes


def test_a_test_root_binds_order_labels_and_inputs() -> None:
    inputs = np.arange(40, dtype=np.int8).reshape(10, 4)
    labels = np.arange(10, dtype=np.int32)
    root = compute_test_root(inputs, labels)
    assert root == Root(bytes.fromhex("a171f9cef59786b26f0b70ff2b3ad6655251be485393b1dee7d2afd70f8de6a6"))
    swapped = [1, 0, *range(2, 10)]
    other = inputs.copy()
    other[9, 3] += 1
    changed = [(inputs[swapped], labels[swapped]), (inputs, labels + 1), (other, labels), (inputs[:9], labels[:9])]
    assert len({root, *(compute_test_root(x, y) for x, y in changed)}) == 5
