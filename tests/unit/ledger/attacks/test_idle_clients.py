"""HTTP clients that take places and do nothing with them: no head, a head without end, answers that nobody reads."""

import asyncio
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from offchain.ledger.api import connections
from offchain.ledger.api.server import ApiServer
from tests.unit.ledger.api.local import Group
from tests.unit.ledger.client.liars import Garbage


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(connections, "PER_ADDRESS", 6)
    made = Group(servers=1)
    yield made
    made.close()


def _connect(group: Group) -> socket.socket:
    host, port = group.urls[0].removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30.0)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /about HTTP/1.1\r\nHost: a\r\nX: ",
        b"GET /about HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_who_never_finishes_a_head_is_hung_up_on(group: Group, said: bytes) -> None:
    with _connect(group) as sock:
        sock.sendall(said)
        if said.endswith(b"\r\n\r\n"):
            assert sock.recv(65_536)
            sock.sendall(b"G")  # and so on: the next request's head
        while sock.recv(65_536):
            pass


def test_one_address_does_not_take_all_places(group: Group) -> None:
    held = [_connect(group) for _ in range(6)]
    with pytest.raises(httpx.HTTPError):
        httpx.get(group.urls[0] + "/about", timeout=2.0)
    for sock in held:
        sock.close()
    assert _works(group)


def test_a_slow_but_honest_client_is_served(group: Group) -> None:
    with _connect(group) as sock:
        sock.sendall(b"GET /about HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
    assert _works(group)


def test_who_reads_nothing_of_a_long_answer_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.1)

    async def attack() -> None:
        made = ApiServer(Garbage(bytes(1 << 20), 32), "127.0.0.1", 0)
        await made.start()
        with socket.create_connection((made.host, made.port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            open_connections = made._server.server_state.connections
            await _until(lambda: len(open_connections) == 1)
            await _until(lambda: not open_connections)
        await made.stop()

    asyncio.run(attack())


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not true():
            await asyncio.sleep(0.01)


def _works(group: Group) -> bool:
    for _ in range(50):
        try:
            return httpx.get(group.urls[0] + "/about", timeout=2.0).status_code == 200
        except httpx.HTTPError:
            continue
    return False
