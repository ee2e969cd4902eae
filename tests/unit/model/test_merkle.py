"""Keccak, trees, blobs, roots: against the library, and for every leaf."""

from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.model.blobs import CHUNK, BlobTree, blob_root, blob_roots, blob_roots_of
from offchain.model.graph import IntegerNetwork, Op, Requantisation
from offchain.model.keccak import keccak_rows
from offchain.model.leaves import (
    DESCRIPTOR_ABI,
    HEADER_ABI,
    SAMPLE_ABI,
    UNIT_ABI,
    ZERO,
    Sample,
    header_leaf,
    node_leaf,
    sample_leaf,
    unit_leaf,
)
from offchain.model.merkle import MerkleTree, root_from, root_of_all, roots_of
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
        leaves = [keccak(b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    return leaves[0]


def random_leaves(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


@settings(max_examples=60, deadline=None, database=None)
@given(count=st.integers(1, 70), seed=st.integers(0, 2**32 - 1))
def test_every_leaf_has_a_proof_and_no_other_leaf_or_place_fits_it(count: int, seed: int) -> None:
    leaves = random_leaves(count, seed)
    tree = MerkleTree(leaves)
    listed = [leaf.tobytes() for leaf in leaves]
    assert tree.root == slow_root(listed) == root_of_all(listed)
    for index in range(count):
        proof = tree.prove(index)
        assert root_from(tree.leaf(index), index, count, proof) == tree.root
        assert root_from(keccak(tree.leaf(index)), index, count, proof) != tree.root
        assert root_from(tree.leaf(index), index, count, (*proof, ZERO)) is None
        assert root_from(tree.leaf(index), index, count, proof[:-1]) is None or not proof
        others = {index ^ 1, index + 1, index // 2, count} - {index}
        assert all(root_from(tree.leaf(index), other, count, proof) != tree.root for other in others)
        assert len(proof) <= (count - 1).bit_length()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 32, 33, 100])
def test_many_trees_at_once_are_the_same_trees(count: int) -> None:
    leaves = np.stack([random_leaves(count, seed) for seed in range(20)])
    assert [root.tobytes() for root in roots_of(leaves)] == [MerkleTree(tree).root for tree in leaves]


def test_no_leaves_have_the_root_zero_as_in_the_contract() -> None:
    assert root_of_all([]) == ZERO


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 2048, 5000, 40 * CHUNK, 40 * CHUNK + 1])
def test_all_ways_to_hash_blobs_agree(size: int) -> None:
    rows = np.random.default_rng(size).integers(0, 256, (3, size), dtype=np.uint8)
    slow = []
    for row in rows:
        data = row.tobytes()
        slow.append(slow_root([keccak(data[start : start + CHUNK]) for start in range(0, max(size, 1), CHUNK)]))
    assert [root.tobytes() for root in blob_roots(rows)] == slow
    assert [blob_root(row.tobytes()) for row in rows] == slow
    assert [BlobTree(row.tobytes()).root for row in rows] == slow
    assert blob_roots_of([*(row.tobytes() for row in rows), b"x"]) == [*slow, keccak(b"x")]


def test_blobs_of_more_rows_than_one_block() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (9000, 2100), dtype=np.uint8)
    roots = blob_roots(rows)
    for index in (0, 7988, 7989, 7990, 8999):
        assert roots[index].tobytes() == blob_root(rows[index].tobytes())


def test_only_parts_that_the_game_gets_to_have_hashes() -> None:
    tree = BlobTree(bytes(40 * CHUNK))
    assert len(tree.hashes(0, 40)) == 2
    assert len(tree.hashes(32, 8)) == 8
    for base, count in ((1, 32), (0, 41), (32, 0), (64, 1)):
        with pytest.raises(Bug):
            tree.hashes(base, count)
    with pytest.raises(Bug):
        tree.chunk(40)


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


def test_every_part_of_a_model_has_an_opening() -> None:
    network = example()
    tree = ModelTree(network)
    assert tree.root == keccak(encode(["uint256", HEADER_ABI], [1, astuple(tree.header)])) == header_leaf(tree.header)
    for index, node in enumerate(network.nodes):
        opening = tree.open_node(index)
        leaf = keccak(encode(["uint256", DESCRIPTOR_ABI], [2, astuple(opening.node)]))
        assert leaf == node_leaf(opening.node)
        assert root_from(leaf, index, tree.header.nodes, opening.proof) == tree.header.nodes_root
        units = 0 if node.weight is None else len(node.weight)
        assert opening.node.units == units
        assert (opening.node.units_root == ZERO) == (units == 0)
        for unit in range(units):
            shown = tree.open_unit(index, unit)
            leaf = keccak(encode(["uint256", UNIT_ABI], [3, astuple(shown.unit)]))
            assert leaf == unit_leaf(shown.unit)
            assert root_from(leaf, unit, units, shown.proof) == opening.node.units_root
            assert tree.weights(index, unit).root == shown.unit.weight_root
    with pytest.raises(Bug, match="no unit"):
        tree.open_unit(3, 0)
    with pytest.raises(Bug, match="no unit"):
        tree.open_weights(0, -1, 0)


def test_totals_run_along_the_nodes() -> None:
    totals = [node.totals for node in ModelTree(example()).descriptors]
    network = example()
    assert totals[-1].elements == sum(np.prod(network.shape_of(tensor)) for tensor in range(len(totals) + 1))
    assert totals[-1].weights == sum(0 if node.weight is None else node.weight.size for node in network.nodes)
    assert totals[-1].units == sum(0 if node.weight is None else len(node.weight) for node in network.nodes)
    assert all(a.work < b.work for a, b in pairwise(totals))


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
    sample = Sample(keccak(inputs[3].tobytes()), 3)
    tree = SampleTree(inputs, labels)
    assert tree.sample(3) == sample
    assert sample_leaf(sample) == keccak(encode(["uint256", SAMPLE_ABI], [4, astuple(sample)]))
    assert root_from(sample_leaf(sample), 3, 10, tree.prove(3)) == root
    assert root == Root(bytes.fromhex("04c4d61dcc2a38c6acb90ecc8d951d503d6342c8024fdff6bf4d32f4b70423d9"))
    swapped = [1, 0, *range(2, 10)]
    other = inputs.copy()
    other[9, 3] += 1
    changed = [(inputs[swapped], labels[swapped]), (inputs, labels + 1), (other, labels), (inputs[:9], labels[:9])]
    assert len({root, *(compute_test_root(x, y) for x, y in changed)}) == 5
