"""The event stream, and what disturbs it: reorganisations, restarts, a node that goes away, slow readers."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from offchain.chain.artifacts import load_error_decoder
from offchain.chain.client import connect
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.explorer.api.hub import Message
from offchain.explorer.api.serving import Explorer
from tests.integration.chain.support import CutError, Exchange, Proxy, mine
from tests.integration.explorer.reading import PATIENCE, eventually, listening
from tests.integration.explorer.serving import serving
from tests.integration.roles.stage import Stage, set_stage

HEAVEN = dev_accounts(3)[2].address


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Anvil.start(AnvilOptions()) as anvil:
        yield set_stage(anvil.client(), tmp_path_factory.mktemp("stream"))


def transfer(stage: Stage, amount: int) -> None:
    """One event."""
    call = stage.contracts.token.functions.transfer(HEAVEN, amount)
    sender = dev_accounts(1)[0].address
    transaction = {"from": sender, "to": call.address, "data": call._encode_transaction_data()}
    stage.client.request("eth_sendTransaction", transaction)


def read(explorer: Explorer, path: str) -> Any:
    return httpx.get(explorer.url + path, trust_env=False).json()


def events(explorer: Explorer) -> list[Any]:
    found: list[Any] = read(explorer, "/api/events?after=0&limit=200")["events"]
    return found


def amounts(explorer: Explorer) -> list[str]:
    return [row["args"]["value"] for row in events(explorer) if row["name"] == "Transfer"]


def ready(explorer: Explorer) -> Any:
    """What it says of itself once it has caught up."""

    def look() -> Any:
        about = read(explorer, "/api/about")
        return about if about["indexed"]["caught_up"] else None

    return eventually(look)


def behind(stage: Stage, proxy: Proxy) -> AssayContracts:
    """The contracts, seen through a proxy."""
    client = connect(proxy.url, errors=load_error_decoder(), timeout=5)
    return AssayContracts(client, stage.contracts.addresses)


def url_of(stage: Stage) -> str:
    return str(stage.client.provider.endpoint_uri)  # type: ignore[attr-defined]


def test_readers_hear_of_events_and_of_those_that_never_happened(stage: Stage) -> None:
    with serving(stage.contracts, stage.store) as explorer:
        ready(explorer)
        with listening(explorer.url) as one, listening(explorer.url) as other:
            one.next("head")
            other.next("head")
            snapshot = stage.client.request("evm_snapshot")
            transfer(stage, 11)
            first = [reader.next("event", name="Transfer") for reader in (one, other)]
            assert first[0] == first[1]
            assert HEAVEN in first[0].data["accounts"]
            assert "11" in amounts(explorer)
            assert stage.client.request("evm_revert", snapshot)
            mine(stage.client, 3)
            block = one.next("rollback").data["block"]
            assert block <= stage.client.head().number
            transfer(stage, 12)
            second = one.next("event", name="Transfer")
            assert second.id > first[0].id, "a seq is never used twice"
            assert "11" not in amounts(explorer)
            assert "12" in amounts(explorer)
        with listening(explorer.url, last=first[0].id) as late:
            late.next("reset")
            assert not any(said.kind == "event" for said in late.heard), "what it knows of was rolled back"
        transfer(stage, 13)
        with listening(explorer.url, last=second.id) as later:
            third = later.next("event")
            assert third.id > second.id
        for unknown in (10**9, 2**40):
            with listening(explorer.url, last=unknown) as stranger:
                stranger.next("reset")


def test_a_restarted_server_goes_on_with_its_index_and_readers_miss_nothing(stage: Stage, tmp_path: Path) -> None:
    with serving(stage.contracts, stage.store, folder=tmp_path) as explorer:
        ready(explorer)
        with listening(explorer.url) as reader:
            reader.next("head")
            transfer(stage, 21)
            last = reader.next("event")
        before, port = events(explorer), urlsplit(explorer.url).port
        with listening(explorer.url) as reader:
            reader.next("head")
            began = time.monotonic()
            stopped = reader
    assert stopped.ended.wait(PATIENCE)
    assert time.monotonic() - began < 10, "open streams do not hold it up"
    transfer(stage, 22)
    transfer(stage, 23)
    with serving(stage.contracts, stage.store, folder=tmp_path, port=port or 0) as again:
        with listening(again.url, last=last.id) as reader:
            heard = [reader.next("event"), reader.next("event")]
        assert [said.id for said in heard] == [last.id + 1, last.id + 2]
        assert events(again)[: len(before)] == before


def test_while_the_node_is_away_the_page_shows_what_is_indexed_and_how_old_it_is(stage: Stage) -> None:
    def cut(exchange: Exchange) -> None:
        raise CutError

    with Proxy(url_of(stage)) as proxy, serving(behind(stage, proxy), stage.store) as explorer:
        ready(explorer)
        with listening(explorer.url) as reader:
            reader.next("head")
            proxy.before = cut
            down = eventually(lambda: explorer.health.problem)
            node = read(explorer, "/api/about")["node"]
            assert (node["answers"], node["problem"]) == (False, down)
            assert "\n" not in down
            transfer(stage, 31)
            assert "31" not in amounts(explorer)
            assert eventually(lambda: read(explorer, "/api/about")["node"]["silent_seconds"]) >= 1
            proxy.before = lambda exchange: None
            reader.next("event", name="Transfer")
        assert "31" in amounts(explorer)
        assert read(explorer, "/api/about")["node"] == {"answers": True, "silent_seconds": 0, "problem": None}


def test_a_chain_that_was_started_anew_is_not_taken_for_the_old_one(stage: Stage) -> None:
    moved = threading.Event()

    def elsewhere(exchange: Exchange) -> bytes:
        if not moved.is_set():
            raise CutError
        return httpx.post(other.url, json=exchange.body, trust_env=False).content

    with (
        Anvil.start(AnvilOptions()) as other,
        Proxy(url_of(stage)) as proxy,
        serving(behind(stage, proxy), stage.store) as explorer,
    ):
        seen = ready(explorer)
        proxy.before = elsewhere
        eventually(lambda: explorer.health.problem)
        moved.set()
        eventually(lambda: "another chain" in str(explorer.health.problem))
        assert read(explorer, "/api/about")["indexed"] == seen["indexed"]


def test_a_reader_that_does_not_read_is_cut_off(stage: Stage) -> None:
    with serving(stage.contracts, stage.store) as explorer:
        ready(explorer)
        place, hub = urlsplit(explorer.url), explorer.parts.hub
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect((str(place.hostname), int(place.port or 0)))
        deaf.sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: len(hub) == 1)
        with listening(explorer.url) as reader:
            reader.next("head")
            assert len(hub) == 2
            # More than the kernel keeps for somebody who does not read.
            stuffing = [Message.of("head", 0, {"padding": "x" * 500_000})]
            for _ in range(20):
                explorer.parts.live.tell(stuffing)
                reader.next("head", padding="x" * 500_000)
            eventually(lambda: len(hub) == 1)
            transfer(stage, 41)
            reader.next("event", name="Transfer")
        deaf.close()
