"""The incremental tree against one computed from scratch, and proofs against both."""

from dataclasses import replace
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from offchain.ledger.records.merkle import MerkleMap, Proof, leaf_hash, proven_root

KEYS = st.binary(min_size=0, max_size=2)
STEPS = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.binary(max_size=3)), st.booleans()), max_size=60)


def top(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + top(leaves[:split]) + top(leaves[split:])).digest()


def root_of(entries: dict[bytes, bytes]) -> bytes:
    leaves = [leaf_hash(key, value) for key, value in sorted(entries.items())]
    return sha256(b"\2" + len(leaves).to_bytes(8, "big") + (top(leaves) if leaves else bytes(32))).digest()


@given(STEPS)
def test_the_root_is_that_of_the_entries(steps: list[tuple[bytes, bytes | None, bool]]) -> None:
    tree, entries = MerkleMap(), dict[bytes, bytes]()
    for key, value, look in steps:
        if value is not None:
            tree.set(key, value)
            entries[key] = value
        elif key in entries:
            tree.remove(key)
            del entries[key]
        if look:
            assert tree.root == root_of(entries)
    assert tree.root == root_of(entries)
    assert len(tree) == len(entries)
    for key, value in entries.items():
        assert proven_root(key, value, tree.prove(key)) == tree.root


@given(st.dictionaries(KEYS, st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_a_proof_proves_one_entry(entries: dict[bytes, bytes], data: st.DataObject) -> None:
    tree = MerkleMap()
    for key, value in entries.items():
        tree.set(key, value)
    key = data.draw(st.sampled_from(sorted(entries)))
    proof = tree.prove(key)
    assert proven_root(key, entries[key] + b"!", proof) != tree.root
    wrong = [
        replace(proof, index=proof.index + 1),
        replace(proof, count=proof.count + 1),
        replace(proof, siblings=(*proof.siblings, bytes(32))),
        replace(proof, siblings=tuple(bytes(32) for _ in proof.siblings[1:])),
        Proof(-1, proof.count, proof.siblings),
    ]
    for other in wrong:
        assert other == proof or proven_root(key, entries[key], other) != tree.root
