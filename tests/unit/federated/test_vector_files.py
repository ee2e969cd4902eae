"""Chunked vectors, results and measures: against their definitions, byte by byte."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.federated.measures import Evidence, compute_measures, gram, parse_measures, read_row
from offchain.federated.results import Result, ResultShape, initial_result, next_result, pack_result, read_chunk
from offchain.federated.server_optimizer import OptimizerId, ServerOptimizer, step
from offchain.federated.vector_tree import (
    CHUNK,
    LeafKind,
    chunk_count,
    leaf_hash,
    masked_tree,
    open_update,
    update_tree,
)
from offchain.model.merkle import root_of_all

DIMENSIONS = st.sampled_from([1, 5, 255, 256, 257, 512, 700, 5000])
LIMITS = np.iinfo(np.int16)


Vector = npt.NDArray[Any]


def vector(seed: int, dimension: int, dtype: type[np.signedinteger[Any]] = np.int16) -> Vector:
    limits: np.iinfo[Any] = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max + 1, dimension, dtype=dtype)


@settings(max_examples=20, deadline=None, database=None)
@given(DIMENSIONS, st.integers(0, 2**32))
def test_an_updates_leaves_are_slices_of_its_file(dimension: int, seed: int) -> None:
    update = vector(seed, dimension)
    file = update.astype("<i2").tobytes()
    contents = [file[at : at + 2 * CHUNK] for at in range(0, len(file), 2 * CHUNK)]
    leaves = [keccak(bytes(31) + b"\x05" + content) for content in contents]
    tree = update_tree(update)
    assert tree.root == root_of_all(leaves)
    assert len(tree) == chunk_count(dimension) == len(contents)
    for index, content in enumerate(contents):
        opening = tree.open(index)
        assert opening.content == content
        assert opening.leads_to(tree.root, LeafKind.UPDATE, index, len(tree))
        assert not opening.leads_to(tree.root, LeafKind.MASKED, index, len(tree))
    masked = update.astype(np.uint32)
    words = masked.astype("<u4").tobytes()
    assert masked_tree(masked).merkle.leaf(0) == leaf_hash(LeafKind.MASKED, words[: 4 * CHUNK])


def test_a_map_of_the_file_has_the_same_root_and_another_size_is_refused(tmp_path: Path) -> None:
    update = vector(1, 300_000)
    path = tmp_path / "update"
    update.tofile(path)
    assert update_tree(open_update(path, 300_000)).root == update_tree(update).root
    with pytest.raises(Rejected, match="600000 bytes; 299999 parameters take 599998"):
        open_update(path, 299_999)


@settings(max_examples=20, deadline=None, database=None)
@given(DIMENSIONS, st.sampled_from(list(OptimizerId)), st.integers(0, 2**32))
def test_a_results_file_is_its_leaves_and_reads_back(dimension: int, optimizer: OptimizerId, seed: int) -> None:
    adam = optimizer is OptimizerId.FEDADAM
    terms = ServerOptimizer(optimizer, beta1=0 if optimizer is OptimizerId.FEDAVG else 60_000, tau=10 * adam)
    first = initial_result(terms, vector(seed, dimension, np.int32))
    aggregate = vector(seed + 1, dimension)
    result = next_result(terms, first, aggregate)
    state = step(terms, first.state, aggregate)
    assert (result.aggregate == aggregate).all()
    assert (result.state == state).all()
    assert (result.model == state[0]).all()
    leaves = []
    for index in range(chunk_count(dimension)):
        part = slice(index * CHUNK, (index + 1) * CHUNK)
        leaves.append(
            b"".join([aggregate[part].astype("<i2").tobytes(), *(w[part].astype("<i4").tobytes() for w in state)])
        )
        chunk = result.chunk(index)
        assert (chunk.aggregate == aggregate[part]).all()
        assert (chunk.state == state[:, part]).all()
        assert result.tree.content(index) == leaves[-1]
    assert result.file.tobytes() == b"".join(leaves)
    assert result.root == root_of_all([leaf_hash(LeafKind.RESULT, leaf) for leaf in leaves])


def test_results_of_another_size_are_refused() -> None:
    shape = ResultShape(300, 1)
    with pytest.raises(Rejected, match="1799 bytes"):
        Result(shape, np.zeros(1799, dtype=np.uint8))
    with pytest.raises(Rejected, match="chunk 1 of 10 bytes; it has 264"):
        read_chunk(shape, 1, bytes(10))
    assert pack_result(np.zeros(300, np.int16), np.zeros((1, 300), np.int32)).shape == shape


@settings(max_examples=20, deadline=None, database=None)
@given(st.integers(1, 9), st.sampled_from([1, 300, 40_000]), st.sampled_from(list(Evidence)), st.integers(0, 2**32))
def test_measures_are_exact(columns: int, dimension: int, evidence: Evidence, seed: int) -> None:
    updates = [vector(seed + i, dimension) for i in range(columns)]
    aggregate = vector(seed + columns, dimension)
    measures = compute_measures(updates, aggregate, evidence)

    def dot(left: Vector, right: Vector) -> int:
        return int(left.astype(np.int64) @ right.astype(np.int64))

    expected = [[*(dot(u, aggregate) for u in updates), dot(aggregate, aggregate)]]
    if evidence is Evidence.NORMS:
        expected.append([dot(u, u) for u in updates])
    if evidence is Evidence.DISTANCES:
        wide = [u.astype(np.int64) for u in updates]
        expected += [[dot(u - v, u - v) for v in wide] for u in wide]
    assert [list(measures.entries(row)) for row in range(len(measures.rows))] == expected
    assert measures.rows[0] == b"".join(entry.to_bytes(8, "big", signed=True) for entry in expected[0])
    assert measures.root == root_of_all([leaf_hash(LeafKind.MEASURES, row) for row in measures.rows])
    assert parse_measures(measures.file, measures.shape) == measures
    opening = measures.open(0)
    assert opening.leads_to(measures.root, LeafKind.MEASURES, 0, measures.shape.rows)
    assert read_row(opening.content) == tuple(expected[0])


def test_sums_at_the_limits_are_exact() -> None:
    low = np.full(1 << 20, LIMITS.min, dtype=np.int16)
    assert gram([low, low])[0, 1] == (1 << 30) * (1 << 20)


def test_secure_measures_end_with_the_groups_roots() -> None:
    roots = [bytes([i]) * 32 for i in range(1, 4)]
    measures = compute_measures([vector(i, 10) for i in range(3)], vector(9, 10), Evidence.NORMS, roots)
    assert measures.shape.rows == 3
    assert measures.rows[-1] == b"".join(roots)
    assert list(measures.group_roots) == roots
    assert parse_measures(measures.file, measures.shape) == measures
