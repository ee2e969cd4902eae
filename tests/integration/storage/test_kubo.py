"""`kubo:` against the real engine (through `bridge.py`, see there), and against nodes that lie."""

import hashlib
import json
import os
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import WrongContent
from offchain.storage.cid import Cid
from offchain.storage.dagpb import Link, encode_branch, encode_leaf
from offchain.storage.kubo import PROFILE
from offchain.storage.store import Store, open_store
from offchain.storage.unixfs import MAX_BLOCK_BYTES, cid_of, cid_of_chunks
from tests.integration.storage.bridge import ENGINE_PROFILE, Bridge
from tests.integration.storage.conftest import Launch
from tests.integration.storage.servers import Request, Server, serving


@pytest.fixture
def node(launch: Launch, tmp_path: Path) -> Iterator[Server]:
    with serving(Bridge(launch("node"), tmp_path)) as server:
        yield server


@pytest.fixture
def kubo(node: Server) -> Iterator[Store]:
    with open_store(f"kubo:{node.url}", seconds=20) as store:
        yield store


@pytest.mark.parametrize("size", [0, 1, 262143, 262144, 262145, 3_000_000])
def test_the_node_makes_the_same_cid_and_gives_the_same_bytes(kubo: Store, size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    cid = kubo.add(data)
    assert cid == cid_of(data)
    assert kubo.has(cid)
    assert kubo.read(cid, max_bytes=size, size=size) == data
    assert kubo.save(cid, tmp_path / "saved", max_bytes=size) == size
    assert kubo.add_file(tmp_path / "saved") == cid


def test_every_option_of_the_profile_is_told(kubo: Store) -> None:
    assert ENGINE_PROFILE.items() <= PROFILE.items()
    kubo.add(b"the bridge refuses adds that leave one out")


def test_the_state_of_a_node_in_one_line(kubo: Store, node: Server) -> None:
    assert kubo.probe() == f"kubo:{node.url}: Kubo 0.22.0"


def test_content_moves_between_all_backends_under_one_cid(kubo: Store, launch: Launch, tmp_path: Path) -> None:
    data = os.urandom(700_000)
    cid = kubo.add(data)
    with open_store(f"local:{tmp_path / 'local'}") as local:
        assert local.add(data) == cid
    assert launch("embedded").add(data) == cid


def test_limits_hold_before_the_file_is_sent(kubo: Store, node: Server) -> None:
    cid = kubo.add(bytes(1_000_000))
    before = node.requests
    with pytest.raises(Rejected, match="1000000 bytes; at most 10"):
        kubo.read(cid, max_bytes=10)
    with pytest.raises(Rejected, match="not 7 as its manifest says"):
        kubo.read(cid, max_bytes=10**9, size=7)
    assert node.requests == before + 2


def test_what_the_node_does_not_have_is_retryable(kubo: Store) -> None:
    unknown = cid_of(b"unknown")
    assert not kubo.has(unknown)
    with pytest.raises(Retryable, match="not in the repository"):
        kubo.read(unknown, max_bytes=100)


DATA = bytes(range(256)) * 4096


class Liar:
    """A node that keeps honest blocks and answers `/cat` and `/add` as it is told."""

    def __init__(self) -> None:
        self.blocks: dict[str, bytes] = {}
        self.cat: list[bytes] | Iterator[bytes] = [DATA]
        self.hash = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"
        cid_of_chunks([DATA], self.keep)

    def keep(self, cid: Cid, block: bytes) -> None:
        self.blocks[str(cid)] = block

    def __call__(self, request: Request) -> None:
        request.receive()
        match request.route:
            case "/api/v0/block/get":
                request.send(self.blocks[request.query["arg"]])
            case "/api/v0/cat":
                request.send_chunked(iter(self.cat))
            case "/api/v0/add":
                request.send(json.dumps({"Hash": self.hash}).encode())
            case _:
                request.send(b'{"Version": 5}')


@pytest.mark.parametrize("kind", ["changed", "short", "long", "endless"])
def test_a_node_that_sends_other_bytes_is_found_out(kind: str) -> None:
    liar = Liar()
    pieces = {"changed": [DATA[:-1] + b"x"], "short": [DATA[:-1]], "long": [DATA, b"x"]}
    liar.cat = pieces.get(kind) or repeat(bytes(65536))
    with (
        serving(liar) as server,
        open_store(f"kubo:{server.url}", seconds=20) as store,
        pytest.raises(WrongContent, match=f"kubo:{server.url}"),
    ):
        store.read(cid_of(DATA), max_bytes=10**9)


def test_a_node_with_a_bad_root_block_is_found_out() -> None:
    liar = Liar()
    liar.blocks[str(cid_of(DATA))] = encode_leaf(b"something small")
    with serving(liar) as server, open_store(f"kubo:{server.url}", seconds=20) as store:
        with pytest.raises(WrongContent, match="wrong bytes"):
            store.read(cid_of(DATA), max_bytes=10**9)
        liar.blocks[str(cid_of(DATA))] = bytes(MAX_BLOCK_BYTES + 1)
        with pytest.raises(WrongContent, match="more than"):
            store.read(cid_of(DATA), max_bytes=10**9)


def test_an_honest_node_with_content_in_another_form_is_not_called_a_liar() -> None:
    # A canonical root over a leaf whose fields come in another order: honest hashes and bytes, but nobody who has the
    # content could ever name this CID.
    liar, last = Liar(), encode_leaf(b"x")
    full = encode_leaf(bytes(262144))
    odd = full[:6] + full[-4:] + full[6:-4]
    blocks = [(named(odd), odd), (named(last), last)]
    root = encode_branch([Link(named(odd).digest, 262144, len(odd)), Link(named(last).digest, 1, len(last))])
    for cid, block in (*blocks, (named(root), root)):
        liar.keep(cid, block)
    liar.cat = [bytes(262144), b"x"]
    with (
        serving(liar) as server,
        open_store(f"kubo:{server.url}", seconds=20) as store,
        pytest.raises(Rejected, match="not added with Assay's profile"),
    ):
        store.read(named(root), max_bytes=10**9)


def named(block: bytes) -> Cid:
    return Cid.of(hashlib.sha256(block).digest())


def test_an_add_that_gives_another_cid_is_not_believed() -> None:
    with serving(Liar()) as server, open_store(f"kubo:{server.url}", seconds=20) as store:
        with pytest.raises(Rejected, match="its profile differs"):
            store.add(DATA)
        with pytest.raises(Rejected, match="not a Kubo node"):
            store.probe()


def test_an_add_that_fails_is_retryable() -> None:
    def full(request: Request) -> None:
        request.receive()
        request.send(b'{"Message": "no space left on device", "Code": 0, "Type": "error"}', 500)

    with (
        serving(full) as server,
        open_store(f"kubo:{server.url}", seconds=20) as store,
        pytest.raises(Retryable, match="no space left"),
    ):
        store.add(DATA)
