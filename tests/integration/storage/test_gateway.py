"""Gateways over real sockets: an honest one, and everything a dishonest or broken one can do."""

import gzip
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Missing, WrongContent
from offchain.storage.cid import Cid
from offchain.storage.dagpb import Link, encode_branch, encode_leaf
from offchain.storage.store import Store, open_store
from offchain.storage.unixfs import CANONICAL, MAX_BLOCK_BYTES, cid_of, cid_of_chunks
from tests.integration.storage.servers import Answer, Request, Server, serving

DATA = bytes(range(256)) * 4096 + b"tail"
"""Five leaves and a root."""


@pytest.fixture
def blocks() -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    cid_of_chunks([DATA], lambda cid, block: kept.update({cid.v1: block}))
    cid_of_chunks([b""], lambda cid, block: kept.update({cid.v1: block}))
    return kept


def honest(blocks: dict[str, bytes]) -> Answer:
    def answer(request: Request) -> None:
        assert request.query == {"format": "raw"}
        assert request.headers["Accept"] == "application/vnd.ipld.raw"
        block = blocks.get(request.route.removeprefix("/ipfs/"))
        if block is None:
            request.send(b"not found", 404)
        else:
            request.send(block)

    return answer


def opened(server: Server, seconds: float = 20) -> Store:
    return open_store(f"gateway:{server.url}", seconds=seconds)


def test_an_honest_gateway_is_read(blocks: dict[str, bytes], tmp_path: Path) -> None:
    with serving(honest(blocks)) as server, opened(server) as store:
        assert store.read(cid_of(DATA), max_bytes=len(DATA), size=len(DATA)) == DATA
        assert store.save(cid_of(DATA), tmp_path / "file", max_bytes=len(DATA)) == len(DATA)
        assert (tmp_path / "file").read_bytes() == DATA
        assert "verified" in store.probe()
        with pytest.raises(Missing, match="404"):
            store.read(cid_of(b"unknown"), max_bytes=100)


def test_a_file_too_large_costs_one_block(blocks: dict[str, bytes]) -> None:
    with serving(honest(blocks)) as server, opened(server) as store:
        with pytest.raises(Rejected, match=f"has {len(DATA)} bytes; at most 1000000"):
            store.read(cid_of(DATA), max_bytes=1_000_000)
        assert server.requests == 1
        with pytest.raises(Rejected, match="not 7 as its manifest says"):
            store.read(cid_of(DATA), max_bytes=10**9, size=7)
        assert server.requests == 2


def test_content_in_another_form_is_rejected_for_good(blocks: dict[str, bytes]) -> None:
    # Two half leaves: honest hashes, right bytes, but nobody could find this CID from the content.
    halves = [encode_leaf(DATA[:1000]), encode_leaf(DATA[1000:2000])]
    cids = [cid_of(DATA[:1000]), cid_of(DATA[1000:2000])]
    root = encode_branch([Link(cid.digest, 1000, len(leaf)) for cid, leaf in zip(cids, halves, strict=True)])
    top = Cid.of(hashlib.sha256(root).digest())
    foreign = {top.v1: root, cids[0].v1: halves[0], cids[1].v1: halves[1]}
    with serving(honest(foreign)) as server, opened(server) as store, pytest.raises(Rejected, match="profile"):
        store.read(top, max_bytes=10**6)


def flipped(request: Request, block: bytes) -> None:
    request.send(block[:-1] + bytes([block[-1] ^ 1]))


def truncated(request: Request, block: bytes) -> None:
    request.send(block[:-1])


def oversized(request: Request, block: bytes) -> None:
    request.send(block + bytes(MAX_BLOCK_BYTES))


def endless(request: Request, block: bytes) -> None:
    request.send_chunked(repeat(bytes(65536)))


def huge_chunk(request: Request, block: bytes) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"7fffffff\r\n")
    for _ in range(100):
        request.wfile.write(bytes(65536))


def lying_length(request: Request, block: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(10**15))
    request.end_headers()
    request.wfile.write(block)
    request.close_connection = True


def gzip_bomb(request: Request, block: bytes) -> None:
    request.send(gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})


def other_block(request: Request, block: bytes) -> None:
    request.send(encode_leaf(b"something else"))


def hangs_up(request: Request, block: bytes) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


def web_page(request: Request, block: bytes) -> None:
    request.send(b"<html>Please log in</html>", headers={"Content-Type": "text/html"})


def redirects(request: Request, block: bytes) -> None:
    request.send(b"", 301, {"Location": "http://127.0.0.1:1/elsewhere"})


def broken(request: Request, block: bytes) -> None:
    request.send(b"\x1b[31mout of cheese\nsecond line" + bytes(10_000_000), 503)


def garbage(request: Request, block: bytes) -> None:
    request.wfile.write(b"this is not HTTP at all\r\n\r\n" * 10)
    request.close_connection = True


LIES: list[tuple[Callable[[Request, bytes], None], type[Exception], str]] = [
    (flipped, WrongContent, "wrong bytes"),
    (truncated, WrongContent, "wrong bytes"),
    (oversized, WrongContent, "more than"),
    (endless, WrongContent, "more than"),
    (huge_chunk, WrongContent, "more than"),
    (lying_length, Retryable, ""),
    (gzip_bomb, WrongContent, "wrong bytes"),
    (other_block, WrongContent, "wrong bytes"),
    (hangs_up, Retryable, "nothing answers|broke off"),
    (web_page, WrongContent, "wrong bytes"),
    (redirects, Retryable, "redirect"),
    (broken, Retryable, "503 .*out of cheese"),
    (garbage, Retryable, ""),
]


@pytest.mark.parametrize(("lie", "error", "says"), LIES, ids=[lie.__name__ for lie, _, _ in LIES])
@pytest.mark.parametrize("at", ["root", "leaf"])
def test_a_bad_gateway_is_found_out_and_named(
    blocks: dict[str, bytes], lie: Callable[[Request, bytes], None], error: type[Exception], says: str, at: str
) -> None:
    lied = cid_of(DATA) if at == "root" else cid_of(DATA[CANONICAL.chunk : 2 * CANONICAL.chunk])

    def answer(request: Request) -> None:
        name = request.route.removeprefix("/ipfs/")
        if name == lied.v1:
            lie(request, blocks[name])
        else:
            request.send(blocks[name])

    with serving(answer) as server, opened(server) as store:
        with pytest.raises(error, match=says or None) as caught:
            store.read(cid_of(DATA), max_bytes=10**9)
        line = str(caught.value)
        assert isinstance(caught.value, Retryable)
        assert line.startswith(f"gateway:{server.url}: ")
        assert line.isprintable()
        assert len(line) < 500


@pytest.mark.parametrize("pace", ["silent", "trickle"])
def test_a_slow_gateway_runs_out_of_time(blocks: dict[str, bytes], pace: str) -> None:
    stop = threading.Event()

    def drip(block: bytes) -> Iterator[bytes]:
        for byte in block:
            if stop.wait(0.1):
                return
            yield bytes([byte])

    def answer(request: Request) -> None:
        if pace == "silent":
            stop.wait(20)
        else:
            request.send_chunked(drip(blocks[request.route.removeprefix("/ipfs/")]))

    with serving(answer) as server, opened(server, seconds=1) as store:
        with pytest.raises(Retryable, match=r"slow|in time"):  # the drip would go on for hours
            store.read(cid_of(DATA), max_bytes=10**9)
        stop.set()


def test_behind_a_liar_an_honest_gateway_still_serves(blocks: dict[str, bytes], tmp_path: Path) -> None:
    def liar(request: Request) -> None:
        request.send(b"lies")

    with serving(liar) as bad, serving(honest(blocks)) as good:
        location = f"local:{tmp_path / 'near'},gateway:{bad.url},gateway:{good.url}"
        with open_store(location, seconds=20) as store:
            assert store.read(cid_of(DATA), max_bytes=len(DATA)) == DATA
    with open_store(f"local:{tmp_path / 'near'}") as store:
        assert store.read(cid_of(DATA), max_bytes=len(DATA)) == DATA
