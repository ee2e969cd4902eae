"""Nodes of the real Kubo engine: content crosses from one to the other over bitswap, within limits."""

import hashlib
import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Missing
from offchain.storage.cid import Cid
from offchain.storage.dagpb import encode_branch, encode_leaf
from offchain.storage.embedded import EmbeddedStore, parse_embedded
from offchain.storage.store import open_store, probe
from offchain.storage.unixfs import CANONICAL, cid_of
from tests.integration.storage.conftest import Launch


@pytest.mark.parametrize("size", [0, 1, 262144, 262145, 5_000_000])
def test_one_node_fetches_from_another(launch: Launch, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    owner = launch("owner")
    cid = owner.add(data)
    reader = launch("reader", owner)
    assert len(reader.peers) == 1
    assert owner.has(cid)
    assert not reader.has(cid)
    assert reader.read(cid, max_bytes=size, size=size) == data
    assert reader.has(cid)
    owner.close()
    assert reader.save(cid, tmp_path / "saved", max_bytes=size) == size
    assert (tmp_path / "saved").read_bytes() == data


def serve(path: str, data: bytes, pipe: Connection) -> None:
    """A node in a process of its own: says where it is, serves until told to stop."""
    with open_store(f"embedded:{path}?network=local") as store:
        assert isinstance(store, EmbeddedStore)
        pipe.send((str(store.add(data)), store.addresses[0]))
        pipe.recv()


def test_a_node_fetches_from_a_node_in_another_process(tmp_path: Path) -> None:
    data = os.urandom(1_000_000)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(str(tmp_path / "owner"), data, there))
    process.start()
    try:
        name, address = here.recv()
        with open_store(f"embedded:{tmp_path / 'reader'}?network=local&peer={address}", seconds=30) as reader:
            assert str(cid_of(data)) == name
            assert reader.read(cid_of(data), max_bytes=len(data)) == data
        with pytest.raises(Retryable, match="another process"):
            open_store(f"embedded:{tmp_path / 'owner'}?network=local")
    finally:
        here.send("stop")
        process.join(60)
    assert process.exitcode == 0


def test_content_too_large_is_refused_when_its_root_arrives(launch: Launch) -> None:
    owner = launch("owner")
    cid = owner.add(bytes(40_000_000))
    reader = launch("reader", owner)
    with pytest.raises(Rejected, match="40000000 bytes; at most 1000000"):
        reader.read(cid, max_bytes=1_000_000)
    with pytest.raises(Rejected, match="not 7 as its manifest says"):
        reader.read(cid, max_bytes=10**9, size=7)
    # The node was stopped to drop the download; it is back, and connected again.
    assert reader.read(cid, max_bytes=10**9) == bytes(40_000_000)


def test_content_that_nobody_has_is_given_up_in_time(launch: Launch) -> None:
    owner = launch("owner")
    reader = launch("reader", owner, seconds=1)
    with pytest.raises(Missing, match="nobody among 1 peers"):
        reader.read(cid_of(b"nobody has this"), max_bytes=100)
    owner.add(b"nobody has this")
    assert reader.read(cid_of(b"nobody has this"), max_bytes=100) == b"nobody has this"


def test_limits_hold_for_content_that_is_already_here(launch: Launch) -> None:
    node = launch("node")
    cid = node.add(bytes(1000))
    with pytest.raises(Rejected, match="at most 999"):
        node.read(cid, max_bytes=999)
    assert node.read(cid, max_bytes=1000) == bytes(1000)


def test_a_directory_is_refused(launch: Launch, tmp_path: Path) -> None:
    node = launch("node")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_bytes(b"x")
    name = node._engine.add_file(node._repo, tmp_path / "tree")
    assert name is not None
    with pytest.raises(Rejected, match="not a file") as caught:
        node.read(Cid.parse(name), max_bytes=10**9)
    assert str(caught.value).startswith(node.location)


def plant(node: EmbeddedStore, block: bytes) -> Cid:
    """Puts a block into a node's repository as an attacker would, past everything that checks."""
    cid = Cid.of(hashlib.sha256(block).digest())
    node._path(cid).parent.mkdir(exist_ok=True)
    node._path(cid).write_bytes(block)
    return cid


def test_a_root_that_hides_a_larger_file_is_refused(launch: Launch) -> None:
    # The root looks like that of a file of 262145 bytes; its first "leaf" is a tree of 30 MB.
    owner = launch("owner")
    hidden, last = owner.add(os.urandom(30_000_000)), encode_leaf(b"x")
    links = CANONICAL.links_of(262145, 1, [hidden.digest, plant(owner, last).digest])
    root = plant(owner, encode_branch(links))
    reader = launch("reader", owner)
    with pytest.raises(Rejected) as caught:
        reader.read(root, max_bytes=1_000_000)
    assert str(caught.value).startswith(reader.location)
    assert not list(reader._repo.glob("tmp*"))


def test_a_damaged_block_is_never_given(launch: Launch) -> None:
    node = launch("node")
    cid = node.add(bytes(600_000))
    leaf = node._path(cid_of(bytes(600_000 - 2 * 262144)))
    leaf.write_bytes(leaf.read_bytes()[:-3])
    with pytest.raises(Retryable):
        node.read(cid, max_bytes=10**9)


def test_a_repository_is_kept_between_runs(tmp_path: Path) -> None:
    location = f"embedded:{tmp_path / 'node'}?network=local"
    with open_store(location) as store:
        cid = store.add(b"kept")
        assert "running" in store.probe()
    with open_store(location) as store:
        assert store.has(cid)
        assert store.read(cid, max_bytes=10) == b"kept"
    assert "0 peers" in probe(location)


def test_unreachable_peers_and_bad_repositories_are_named(launch: Launch, tmp_path: Path) -> None:
    node = launch("node")
    with pytest.raises(Retryable, match="can't be reached"):
        node.connect("/ip4/127.0.0.1/tcp/1/p2p/QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH")
    with pytest.raises(Rejected, match="no-such-file"):
        node.add_file(tmp_path / "no-such-file")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Rejected, match="give a directory"):
        open_store(f"embedded:{tmp_path / 'file'}")
    strange = tmp_path / "strange"
    with open_store(f"embedded:{strange}?network=local"):
        pass
    (strange / "config").write_text("{}")
    with pytest.raises(Rejected, match="not Kubo's"):
        open_store(f"embedded:{strange}?network=local")


def test_options_are_read_from_the_location(tmp_path: Path) -> None:
    path, options = parse_embedded(
        "/x?network=local&listen=/ip4/0.0.0.0/tcp/4001&peer=/ip4/1.2.3.4/tcp/1/p2p/Qm&peer=b"
    )
    assert (path, options.public) == (Path("/x"), False)
    assert options.listen == ("/ip4/0.0.0.0/tcp/4001",)
    assert options.peers == ("/ip4/1.2.3.4/tcp/1/p2p/Qm", "b")
    assert parse_embedded("/x")[1].public
