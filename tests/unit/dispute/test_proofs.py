"""The referee's trees against those that make the proofs."""

import numpy as np
import pytest

from offchain.dispute import proofs
from offchain.dispute.proofs import Refused
from offchain.model.leaves import Header, Sample, Totals, Unit, header_leaf, sample_leaf, unit_leaf
from offchain.model.merkle import MerkleTree

COUNTS = [1, 2, 3, 5, 8, 13, 31, 32, 33, 100]


@pytest.mark.parametrize("count", COUNTS)
def test_every_leaf_leads_to_the_root(count: int) -> None:
    leaves = np.random.default_rng(count).integers(0, 256, (count, 32), dtype=np.uint8)
    tree, items = MerkleTree(leaves), [leaf.tobytes() for leaf in leaves]
    assert proofs.root_of_all(items) == tree.root
    for index in range(count):
        proof = proofs.proof_of(items, index)
        assert proof == tree.prove(index)
        assert len(proof) == proofs.proof_length(index, count)
        assert proofs.root_of(items[index], index, count, proof) == tree.root
        for wrong in (proof[:-1], (*proof, bytes(32))):
            if wrong != proof:
                with pytest.raises(Refused, match="WrongProofLength"):
                    proofs.root_of(items[index], index, count, wrong)


def test_no_leaf_has_two_places() -> None:
    leaves = [bytes([i]) * 32 for i in range(5)]
    root = proofs.root_of_all(leaves)
    assert proofs.root_of(leaves[4], 4, 5, proofs.proof_of(leaves, 4)) == root
    # As the only neighbour of the whole rest it could pass for index 1 of 2: the count forbids it.
    with pytest.raises(Refused, match="WrongProofLength"):
        proofs.root_of(leaves[4], 1, 5, proofs.proof_of(leaves, 4))
    with pytest.raises(Refused, match="IndexOutOfRange"):
        proofs.root_of(leaves[4], 5, 5, proofs.proof_of(leaves, 4))


def test_leaves_are_hashed_as_the_model_hashes_them() -> None:
    header = Header((3, 4, 5, 6), 7, 2**62, bytes([9]) * 32)
    assert proofs.leaf_of(header) == header_leaf(header)
    assert proofs.leaf_of(Sample(bytes([1]) * 32, -5)) == sample_leaf(Sample(bytes([1]) * 32, -5))
    unit = Unit(bytes([2]) * 32, -(2**31), 2**22 - 1, 47)
    assert proofs.leaf_of(unit) == unit_leaf(unit)


def test_nothing_but_words_is_a_leaf() -> None:
    with pytest.raises(Exception, match="float"):
        proofs.leaf_of(Sample(bytes(32), 0.5))  # type: ignore[arg-type]
    assert Totals() == Totals(0, 0, 0, 0)
